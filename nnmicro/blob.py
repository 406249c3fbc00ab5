"""A shaped view of a block of an arena.

A result is borrowed: it can be used until the inference that made it ends (`reset`, `close`). `hold()` keeps the block
beyond that, `copy()` is independent. Elements are counted in the source's order, whatever order they lie in.

Here is what nearly every application does with a result. The rest of the class is in `elements.py`, loaded when it is
first asked for.
"""

from .modules import complete
from .port import ITEM_BYTES, const

_B_BYTES = const(2)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_CSTEP = const(6)
_B_RSTEP = const(7)
_B_PSTEP = const(8)


class Blob:
    """One tensor. `shape` is the source's (batch 1 included), `dtype` its element type's name."""

    # No properties here: storing an attribute costs MicroPython several times as much in a class that has one.
    _holds = 0

    def __init__(self, net, index, memory, extractor=None):
        self._net = net
        self.index = index
        self._memory = memory
        self._extractor = extractor
        self._type = net.words[net.record(index)] & 0xFF
        self._generation = -1
        self._base = 0

    def __getattr__(self, name):
        complete(Blob, "elements", name)
        return getattr(self, name)

    def lend(self, offset, generation):
        """Show the extractor's arena from byte `offset` on, for as long as this generation lasts."""
        self._base = offset
        self._generation = generation

    def _check(self):
        """Raises StateError where the inference that lent this blob is over."""
        if self._extractor is not None and not self._holds and self._extractor.generation != self._generation:
            self._is_over()

    def __len__(self):
        w = self._net.words
        r = self._net.record(self.index)
        return w[r + _B_C] * w[r + _B_H] * w[r + _B_W]

    def view(self):
        """The blob's memory as bytes, padding included: writable, borrowed, and not protected once it is given back."""
        self._check()
        nbytes = self._net.words[self._net.record(self.index) + _B_BYTES]
        return self._memory.buffer[self._base : self._base + nbytes]

    def _position(self, i):
        """Where element `i`, counted in the source's order, lies: an index into the memory seen by element type."""
        w = self._net.words
        r = self._net.record(self.index)
        height, width = w[r + _B_H], w[r + _B_W]
        if w[r] >> 16:  # h, w, c
            c = i % w[r + _B_C]
            i //= w[r + _B_C]
            y, x = i // width, i % width
        else:
            x = i % width
            i //= width
            c, y = i // height, i % height
        offset = self._base + c * w[r + _B_CSTEP] + y * w[r + _B_RSTEP] + x * w[r + _B_PSTEP]
        return offset // ITEM_BYTES[w[r] & 0xFF]

    def _checked(self, i):
        self._check()
        if not 0 <= i < len(self):
            self._outside(i)
        return self._position(i)

    def __getitem__(self, i):
        return self._memory.view(self._type)[self._checked(i)]

    def __setitem__(self, i, value):
        self._memory.view(self._type)[self._checked(i)] = value

    def argmax(self):
        """Index of the largest element, counted in the source's order; the first of equals."""
        self._check()
        data = self._memory.view(self._type)
        count = len(self)
        best = 0
        at = self._position(0)
        top = data[at]
        w = self._net.words
        r = self._net.record(self.index)
        if count > 1 and (w[r + _B_C] == count or w[r + _B_H] == count or w[r + _B_W] == count):
            # Scores, nearly always: one axis, so that elements are a step apart.
            step = self._position(1) - at
            for i in range(1, count):
                at += step
                value = data[at]
                if value > top:
                    best, top = i, value
            return best
        for i in range(1, count):
            value = data[self._position(i)]
            if value > top:
                best, top = i, value
        return best
