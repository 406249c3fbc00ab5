"""Layers in Python: the reference for `firmware/native/run.c`, which does the same over the same arrays.

They may take turns layer by layer. Loaded when a layer's kernel is in Python, where there is no `_nnmicro`, and when
the arena is full, for the error that says so.
"""

from .call import Call
from .errors import ArenaFull
from .kernels import python_kernel
from .modules import load
from .port import const

_H_MAX_OPERANDS = const(15)
_BLOB_WORDS = const(16)
_B_FLAGS = const(1)
_B_BYTES = const(2)
_B_PLACE = const(10)
_B_OWNER = const(14)
_LAYER_WORDS = const(12)
_L_FLAGS = const(1)
_L_OPERANDS = const(2)
_L_INPUTS = const(3)
_SHARE = const(1)
_IN_PLACE = const(2)
_OVER = const(4)

# Words of an extractor's state
_BASE = const(0)
_HITS = const(1)
_MISSES = const(2)
_FRAME = const(4)

# Of a net's places
_AT_LAYERS = const(1)
_AT_OPERANDS = const(2)

# Of its context
_FIRST_LEFT = const(9)
_FIRST_MARKS = const(10)

# Marks of a layer
_DONE = const(1)
_COUNTED = const(2)


class Extractor:
    """A part of `extractor.Extractor`."""

    _call = None
    _layers = None  # what does the same in machine code, where the net runs in assembler; else False

    def _advance_in_python(self, layer):
        """Run the first layer from `layer` on that has the mark and is not done; returns the one after it."""
        layers = self._layers
        if layers is None:
            layers = self._layers = _in_machine_code(self)
        if layers:
            return layers.run(layer, self._mark)
        while self._marks[layer] & (self._mark | _DONE) != self._mark:
            layer += 1
        self._run(layer)
        return layer + 1

    def _run(self, layer):
        """Run one layer: place its output, call its kernel, give its inputs back."""
        net = self.net
        w = net.words
        left = self._left
        slots = self._slots
        arena = self.arena
        r = net.at[_AT_LAYERS] + layer * _LAYER_WORDS
        first = net.at[_AT_OPERANDS] + w[r + _L_OPERANDS]
        end = first + w[r + _L_INPUTS]
        source = w[first]
        target = w[end]
        flags = w[r + _L_FLAGS]
        owner = w[net.blobs_at + target * _BLOB_WORDS + _B_OWNER] - 1
        if flags & _SHARE:
            arena.retain(slots[source], slots, target)
        elif slots[target] >= 0:
            # Made with the first blob that is gathered in it, or with the input that it is written over.
            if flags & _OVER and not (self.lightmode and left[source] == 1):
                # The input is still wanted: it keeps the block.
                self._alloc(target, self._is_low(source))
                arena.release(slots[source])
        elif flags & _IN_PLACE and self.lightmode and left[source] == 1 and arena.refs(slots[source]) == 1:
            arena.retain(slots[source], slots, target)
        else:
            if owner < 0:
                self._alloc(target, self._is_low(source))
            else:
                if slots[owner] < 0:
                    t = net.blobs_at + target * _BLOB_WORDS
                    self._alloc(owner, self._is_low(source), w[t + _B_PLACE] + w[t + _B_BYTES])
                arena.retain(slots[owner], slots, target)
        if not flags & _SHARE:
            if self._call is None:
                self._call = Call(w[_H_MAX_OPERANDS])
            if net.window:
                net.window.compute(self._call, layer, slots, arena, python_kernel)
            else:
                self._call.bind(net, layer, slots, arena)
                self._call.compute(python_kernel(net, layer))
        self._marks[layer] = _DONE | _COUNTED
        if self.lightmode:
            for i in range(first, end):
                blob = w[i]
                if blob < net.n_blobs:
                    left[blob] -= 1
                    if not left[blob]:
                        self._give_back(blob)
            if not left[target]:
                self._give_back(target)

    def _give_back(self, blob):
        """Release a blob's block; and its owner's that nobody will read, when nothing else lies in it."""
        arena = self.arena
        slots = self._slots
        if slots[blob] < 0:
            return
        arena.release(slots[blob], slots, blob)
        owner = self.net.words[self.net.blobs_at + blob * _BLOB_WORDS + _B_OWNER] - 1
        if owner >= 0 and not self._left[owner] and slots[owner] >= 0 and arena.refs(slots[owner]) == 1:
            arena.release(slots[owner], slots, owner)

    def _is_low(self, blob):
        """Whether a layer's first input lies in the lower half of the arena: the output then goes to the upper end."""
        if blob >= self.net.n_blobs:
            return True
        arena = self.arena
        at = arena.offset(self._slots[blob])
        return at <= arena.size - at - arena.nbytes(self._slots[blob])

    def _alloc(self, blob, high, nbytes=0):
        """A block for a blob: where it was planned, or at the given end of the arena. `nbytes`, where it needs less."""
        net = self.net
        arena = self.arena
        state = self._state
        r = net.blobs_at + blob * _BLOB_WORDS
        hint = -1
        if self.lightmode and net.words[r + _B_PLACE] >= 0:
            if state[_BASE] < 0:
                state[_BASE] = arena.gap(state[_FRAME])
            hint = state[_BASE] + net.words[r + _B_PLACE]
        try:
            block = arena.alloc(max(nbytes, net.words[r + _B_BYTES]), hint, high, self._slots, blob)
        except ArenaFull as error:
            raise ArenaFull("no room for blob %s: %s; in memory: %s" % (net.name(blob), error, self._holders()))
        state[_HITS if arena.offset(block) == hint else _MISSES] += 1

    def _holders(self):
        """The blobs in memory and their bytes, as text."""
        held = []
        for i in range(self.net.n_blobs):
            if self._slots[i] >= 0:
                held.append("%s (%d)" % (self.net.name(i), self.arena.nbytes(self._slots[i])))
        return ", ".join(held) or "nothing of this extractor"

    def _clear_in_python(self, kept):
        """Give back every block but those of blobs with the flags `kept`, and be as at the start."""
        if self._layers:
            self._layers.clear(kept)
            return
        slots = self._slots
        net = self.net
        for i in range(net.n_blobs):
            if slots[i] >= 0 and not net.words[net.blobs_at + i * _BLOB_WORDS + _B_FLAGS] & kept:
                self.arena.release(slots[i], slots, i)
        # Element by element: not every MicroPython assigns a slice without an object on the heap.
        first = self._context[_FIRST_LEFT]
        for i in range(len(first)):
            self._left[i] = first[i]
        first = self._context[_FIRST_MARKS]
        for i in range(len(first)):
            self._marks[i] = first[i]
        self._state[_BASE] = -1
        self._state[_HITS] = self._state[_MISSES] = 0


def _in_machine_code(extractor):
    """The loop over the layers of a net that runs in assembler, else False."""
    if extractor.net.backend != "asm_thumb" or extractor.net.window:
        return False
    return load("asm_thumb.layers").Layers(extractor)
