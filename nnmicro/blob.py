"""A shaped view of a block of an arena.

A result is borrowed: it can be used until the inference that made it ends (`reset`, `close`). `hold()` keeps the block
beyond that, `copy()` is independent. Elements are counted in the source's order, whatever order they lie in.
"""

from .errors import StateError
from .port import I8, ITEM_BYTES, TYPE_NAMES, const, typed

_BYTES = const(2)
_C = const(3)
_H = const(4)
_W = const(5)
_CSTEP = const(6)
_RSTEP = const(7)
_PSTEP = const(8)
_SHAPE = const(11)


class Memory:
    """A buffer of one blob, seen like an arena."""

    def __init__(self, nbytes):
        self.buffer = memoryview(bytearray(nbytes))

    def view(self, dtype):
        return typed(self.buffer, dtype, len(self.buffer))


class Blob:
    """One tensor. `shape` is the source's (batch 1 included), `dtype` its element type's name."""

    def __init__(self, net, index, memory, extractor=None):
        self._net = net
        self.index = index
        self._record = net.record(index)
        self._memory = memory
        self._extractor = extractor
        self._generation = -1
        self._block = -1
        self._base = 0
        self._holds = 0

    def lend(self, block, generation):
        """Show a block of the extractor's arena for as long as its generation lasts."""
        self._block = block
        self._base = self._memory.offset(block)
        self._generation = generation

    def _check(self):
        """Raises StateError where the inference that lent this blob is over."""
        if self._extractor is not None and not self._holds and self._extractor.generation != self._generation:
            raise StateError(
                "blob %s belongs to an inference that has ended: hold() or copy() it before reset(), close() or the "
                "next inference" % self.name
            )

    # What it is

    @property
    def name(self):
        return self._net.name(self.index)

    @property
    def shape(self):
        return self._net.shape(self.index)

    @property
    def dtype(self):
        return TYPE_NAMES[self._type]

    @property
    def _type(self):
        return self._net.words[self._record] & 0xFF

    @property
    def nbytes(self):
        """Bytes in memory, the padding between channels included."""
        return self._net.words[self._record + _BYTES]

    @property
    def cstep(self):
        """Elements from one channel to the next."""
        return self._net.words[self._record + _CSTEP] // ITEM_BYTES[self._type]

    def __len__(self):
        w = self._net.words
        r = self._record
        return w[r + _C] * w[r + _H] * w[r + _W]

    # Its elements

    def view(self):
        """The blob's memory as bytes, padding included: writable, borrowed, and not protected once it is given back."""
        self._check()
        return self._memory.buffer[self._base : self._base + self.nbytes]

    def _position(self, i):
        """Where element `i`, counted in the source's order, lies: an index into the memory seen by element type."""
        w = self._net.words
        r = self._record
        height, width = w[r + _H], w[r + _W]
        if w[r] >> 16:  # h, w, c
            c = i % w[r + _C]
            i //= w[r + _C]
            y, x = i // width, i % width
        else:
            x = i % width
            i //= width
            c, y = i // height, i % height
        offset = self._base + c * w[r + _CSTEP] + y * w[r + _RSTEP] + x * w[r + _PSTEP]
        return offset // ITEM_BYTES[w[r] & 0xFF]

    def __getitem__(self, i):
        self._check()
        if not 0 <= i < len(self):
            raise IndexError("element %d of blob %s, which has %d" % (i, self.name, len(self)))
        return self._memory.view(self._type)[self._position(i)]

    def __setitem__(self, i, value):
        self._check()
        if not 0 <= i < len(self):
            raise IndexError("element %d of blob %s, which has %d" % (i, self.name, len(self)))
        self._memory.view(self._type)[self._position(i)] = value

    def argmax(self):
        """Index of the largest element, counted in the source's order; the first of equals."""
        self._check()
        data = self._memory.view(self._type)
        best = 0
        top = data[self._position(0)]
        for i in range(1, len(self)):
            value = data[self._position(i)]
            if value > top:
                best, top = i, value
        return best

    def dequantize(self, out):
        """Write the real values, in the source's order, into `out` (an `array('f')` of `len(self)`); returns it."""
        self._check()
        if len(out) != len(self):
            raise ValueError("blob %s has %d elements, out has %d" % (self.name, len(self), len(out)))
        data = self._memory.view(self._type)
        for i in range(len(self)):
            out[i] = data[self._position(i)]
        return out

    def tolist(self):
        """The elements as nested lists of the source's shape."""
        self._check()
        data = self._memory.view(self._type)
        flat = [data[self._position(i)] for i in range(len(self))]
        shape = self.shape
        for axis in range(len(shape) - 1, 0, -1):
            n = shape[axis]
            flat = [flat[i : i + n] for i in range(0, len(flat), n)]
        return flat if shape else flat[0]

    def tobytes(self):
        """The elements as bytes in the source's order, without padding."""
        self._check()
        plane = self._plane()
        if not plane:
            out = bytearray(len(self) * ITEM_BYTES[self._type])
            target = typed(out, self._type, len(out))
            data = self._memory.view(self._type)
            for i in range(len(self)):
                target[i] = data[self._position(i)]
            return bytes(out)
        w = self._net.words
        step = w[self._record + _CSTEP]
        buffer = self._memory.buffer
        return b"".join(
            bytes(buffer[self._base + c * step : self._base + c * step + plane]) for c in range(w[self._record + _C])
        )

    def _plane(self):
        """Bytes of one channel where a channel is one run of memory in the source's order, else 0."""
        w = self._net.words
        r = self._record
        item = ITEM_BYTES[w[r] & 0xFF]
        if w[r] >> 16 or w[r + _PSTEP] != item or (w[r + _H] > 1 and w[r + _RSTEP] != w[r + _W] * item):
            return 0
        return w[r + _H] * w[r + _W] * item

    def assign(self, data):
        """Copy elements in from `data`, in the source's order.

        `data` is the elements' raw bytes, or a flat sequence of numbers, or an ndarray of the blob's shape (leading
        ones may be left out). Raises ValueError where the size or shape differs.
        """
        self._check()
        count = len(self)
        item = ITEM_BYTES[self._type]
        if hasattr(data, "shape"):
            data = self._flat(data)
        given = len(data)
        raw = isinstance(data, (bytes, bytearray, memoryview)) and given == count * item
        plane = self._plane() if raw else 0
        if plane:
            buffer = self._memory.buffer
            channels = self._net.words[self._record + _C]
            if channels == 1 or self._net.words[self._record + _CSTEP] == plane:
                buffer[self._base : self._base + given] = data
                return
            source = memoryview(data)
            at = self._base
            for c in range(channels):
                buffer[at : at + plane] = source[c * plane : (c + 1) * plane]
                at += self._net.words[self._record + _CSTEP]
            return
        if raw and item > 1:
            data = typed(data, self._type, given)
        elif given != count:
            raise ValueError(
                "blob %s takes %d elements of shape %s (%s), or their %d bytes; %d were given"
                % (self.name, count, self.shape, self.dtype, count * item, given)
            )
        target = self._memory.view(self._type)
        signed = self._type == I8 and isinstance(data, (bytes, bytearray, memoryview))
        for i in range(count):
            value = data[i]
            target[self._position(i)] = (value ^ 128) - 128 if signed else value

    def _flat(self, array):
        """An ndarray's elements in one run; ValueError where its shape is not the blob's."""
        given = tuple(array.shape)
        want = self.shape
        while want and len(want) > len(given) and want[0] == 1:
            want = want[1:]
        if given != want and given != (len(self),):
            raise ValueError("blob %s has shape %s, an array of shape %s was given" % (self.name, self.shape, given))
        if str(array.dtype) == self.dtype:
            return array.tobytes()
        return array.flatten()

    # Keeping it

    def hold(self):
        """Keep this blob's memory beyond its inference, until `release()`; returns the blob."""
        self._check()
        if self._extractor is not None:
            self._memory.retain(self._block)
            self._holds += 1
            self._extractor.forget(self)
        return self

    def release(self):
        """Undo one `hold()`."""
        if not self._holds:
            raise StateError("blob %s is not held" % self.name)
        self._holds -= 1
        self._memory.release(self._block)

    def copy(self):
        """The same elements in memory of their own."""
        self._check()
        memory = Memory(self.nbytes)
        memory.buffer[:] = self.view()
        return Blob(self._net, self.index, memory)
