"""The layers of an inference one after the other, for a net that runs in assembler: in machine code what
`Extractor._run` of interpreter.py does, over the same arrays, where all lies as it was planned.

A layer's output is placed and its operands are written into the call's record in one go: the kernels of this backend
need no Operand. Everything else is left to the interpreter, layer by layer.
"""

from array import array

import micropython

from ..call import Call
from ..kernels import python_kernel
from ..modules import load
from ..port import const

_BLOB_WORDS = const(16)
_B_FLAGS = const(1)
_B_BYTES = const(2)
_B_C = const(3)
_B_PLACE = const(10)
_B_OWNER = const(14)
_LAYER_WORDS = const(12)
_L_FLAGS = const(1)
_L_OPERANDS = const(2)
_L_INPUTS = const(3)
_L_PARAMS = const(5)
_IN_PLACE = const(2)

# Of a net's places
_AT_BLOBS = const(0)
_AT_LAYERS = const(1)
_AT_OPERANDS = const(2)
_AT_PARAMS = const(3)
_AT_WEIGHTS = const(4)
_AT_N_BLOBS = const(5)

# Words of an extractor's state
_STATE_BASE = const(0)
_STATE_HITS = const(1)
_STATE_MISSES = const(2)
_STATE_LIGHTMODE = const(3)

# The arena's table: see blocks.py.
_USED = const(0)
_PEAK = const(1)
_FIRST = const(2)
_SPARE = const(3)
_LIVE = const(4)
_HEADER = const(5)
_BLOCK_BYTES = const(1)
_REFS = const(2)
_NEXT = const(3)
_RECORD = const(4)

# Marks of a layer
_DONE = const(1)
_COUNTED = const(2)

_NONE = const(65535)  # what -1 is among the blocks of blobs

# Of a call's record
_Y = const(0)
_Y1 = const(1)
_IN_TYPE = const(2)
_OUT_TYPE = const(3)
_PARAMS = const(16)
_OPERANDS = const(17)
_OPERAND = const(9)
_ROWS = const(7)
_PHASE = const(8)

# What the functions here are told: addresses, and what they found.
_C_WORDS = const(0)
_C_AT = const(1)
_C_TABLE = const(2)
_C_SLOTS = const(3)
_C_LEFT = const(4)
_C_MARKS = const(5)
_C_STATE = const(6)
_C_ARENA = const(7)
_C_SIZE = const(8)
_C_FIRST_LEFT = const(9)
_C_FIRST_MARKS = const(10)
_C_MARKS_COUNT = const(11)
_C_KIND = const(12)
_C_COUNT = const(13)


class Layers:
    """What one extractor needs for that."""

    def __init__(self, extractor):
        self.extractor = extractor
        net = extractor.net
        self.call = call = Call(net.max_operands)
        call.layers = self
        call.record = array("i", bytes(4 * (_OPERANDS + _OPERAND * net.max_operands)))
        # Those of the backend's kernels that need the record only, by kind of layer.
        self.kernels = [_bound(name) for name in net.op_names]
        self.layer = 0
        self.words = words = array("i", bytes(4 * _C_COUNT))
        (data, at, _, buffer, table, slots, left, marks, state, first_left, first_marks) = extractor._context
        _tell(words, data, at, buffer, table, slots, left, marks, state, first_left, first_marks)
        words[_C_SIZE] = extractor.arena.size
        words[_C_MARKS_COUNT] = len(marks)

    def run(self, layer, mark):
        """Run the first layer from `layer` on that has the mark and is not done; returns the one after it."""
        lock = self.extractor.arena.lock
        lock.acquire()
        try:
            layer = _place(self.words, self.call.record, layer, mark)
        finally:
            lock.release()
        if layer < 0:
            layer = -1 - layer
            self.extractor._run(layer)
            return layer + 1
        self.layer = layer
        kernel = self.kernels[self.words[_C_KIND]]
        if kernel is None:
            self.complete(python_kernel(self.extractor.net, layer))
        else:
            kernel(self.call)
        lock.acquire()
        try:
            _settle(self.words, layer)
        finally:
            lock.release()
        return layer + 1

    def complete(self, kernel):
        """Run a kernel that needs more than the record."""
        extractor = self.extractor
        self.call.bind(extractor.net, self.layer, extractor._slots, extractor.arena)
        self.call.compute(kernel)

    def clear(self, kept):
        """What `Extractor._clear_in_python` does."""
        lock = self.extractor.arena.lock
        lock.acquire()
        try:
            _clear(self.words, kept)
        finally:
            lock.release()


def _bound(name):
    try:
        return load("asm_thumb." + name).run
    except ImportError:
        return None


@micropython.viper
def _tell(
    c: ptr32,
    words: ptr32,
    at: ptr32,
    buffer: ptr32,
    table: ptr32,
    slots: ptr16,
    left: ptr16,
    marks: ptr8,
    state: ptr32,
    first_left: ptr16,
    first_marks: ptr8,
):
    c[_C_WORDS] = int(words)
    c[_C_AT] = int(at)
    c[_C_ARENA] = int(buffer)
    c[_C_TABLE] = int(table)
    c[_C_SLOTS] = int(slots)
    c[_C_LEFT] = int(left)
    c[_C_MARKS] = int(marks)
    c[_C_STATE] = int(state)
    c[_C_FIRST_LEFT] = int(first_left)
    c[_C_FIRST_MARKS] = int(first_marks)


@micropython.viper
def _place(o: ptr32, d: ptr32, layer: int, mark: int) -> int:
    """Find the next layer with the mark that is not done, place its output and write its operands into `d`.

    Returns the layer, or -1 - layer, with nothing changed, where the interpreter has to do it. `o` is what `_tell`
    has written, and becomes where the next operand's words go.
    """
    c = ptr32(o)
    words = c[_C_WORDS]
    at = ptr32(c[_C_AT])
    table = ptr32(c[_C_TABLE])
    slots = ptr16(c[_C_SLOTS])
    marks = ptr8(c[_C_MARKS])
    while marks[layer] & (mark | _DONE) != mark:
        layer += 1
    refused = 0 - 1 - layer
    r = ptr32(words + 4 * (at[_AT_LAYERS] + _LAYER_WORDS * layer))
    flags = r[_L_FLAGS]
    state = ptr32(c[_C_STATE])
    base = state[_STATE_BASE]
    if flags & ~_IN_PLACE or base < 0 or state[_STATE_LIGHTMODE] == 0:
        return refused
    inputs = r[_L_INPUTS]
    blobs = ptr32(words + 4 * (at[_AT_OPERANDS] + r[_L_OPERANDS]))
    n_blobs = at[_AT_N_BLOBS]
    source = blobs[0]
    target = blobs[inputs]
    records = words + 4 * at[_AT_BLOBS]
    block = _NONE
    if flags and source < n_blobs:
        if ptr16(c[_C_LEFT])[source] == 1 and table[_HEADER + _RECORD * slots[source] + _REFS] == 1:
            block = slots[source]
    if slots[target] != _NONE:
        block = slots[target]
    elif block != _NONE:
        table[_HEADER + _RECORD * block + _REFS] = 2
        slots[target] = block
    else:
        e = ptr32(records + 4 * _BLOB_WORDS * target)
        place = base + e[_B_PLACE]
        need = e[_B_BYTES] + 15 & ~15
        block = table[_SPARE]
        if e[_B_OWNER] or e[_B_PLACE] < 0 or place & 15 or need <= 0 or block < 0:
            return refused
        # The block before, and what that leaves up to the next.
        link = _FIRST
        end = 0
        following = table[link]
        while following >= 0:
            n = _HEADER + _RECORD * following
            if table[n] >= place:
                break
            end = table[n] + table[n + _BLOCK_BYTES]
            link = n + _NEXT
            following = table[link]
        limit = c[_C_SIZE]
        if following >= 0:
            limit = table[_HEADER + _RECORD * following]
        if place < end or place + need > limit:
            return refused
        n = _HEADER + _RECORD * block
        table[_SPARE] = table[n + _NEXT]
        table[n] = place
        table[n + _BLOCK_BYTES] = need
        table[n + _REFS] = 1
        table[n + _NEXT] = following
        table[link] = block
        table[_USED] += need
        if table[_USED] > table[_PEAK]:
            table[_PEAK] = table[_USED]
        table[_LIVE] += 1
        slots[target] = block
        state[_STATE_HITS] += 1
    d[_PARAMS] = words + 4 * (at[_AT_PARAMS] + r[_L_PARAMS])
    o = ptr32(int(d) + 4 * _OPERANDS)
    i = 0
    while i <= inputs:
        blob = blobs[i]
        e = ptr32(records + 4 * _BLOB_WORDS * blob)
        if blob >= n_blobs:
            n = words + at[_AT_WEIGHTS] + e[_B_PLACE]
        else:
            n = c[_C_ARENA] + table[_HEADER + _RECORD * slots[blob]]
            if e[_B_OWNER]:
                n += e[_B_PLACE]
        o[0] = n
        if i == 0:
            d[_IN_TYPE] = e[0] & 255
        d[_OUT_TYPE] = e[0] & 255
        d[_Y1] = e[_B_C + 1]
        e = ptr32(int(e) + 4 * _B_C)
        o[1] = e[0]
        o[2] = e[1]
        o[3] = e[2]
        o[4] = e[3]
        o[5] = e[4]
        o[6] = e[5]
        o[_ROWS] = e[6]
        o[_PHASE] = 0
        o = ptr32(int(o) + 4 * _OPERAND)
        i += 1
    d[_Y] = 0
    c[_C_KIND] = r[0]
    return layer


@micropython.viper
def _settle(c: ptr32, layer: int):
    """Note down that a layer has run: its inputs have one reader less, and what nobody reads any more is free."""
    words = c[_C_WORDS]
    at = ptr32(c[_C_AT])
    slots = ptr16(c[_C_SLOTS])
    left = ptr16(c[_C_LEFT])
    records = words + 4 * at[_AT_BLOBS]
    ptr8(c[_C_MARKS])[layer] = _DONE | _COUNTED
    r = ptr32(words + 4 * (at[_AT_LAYERS] + _LAYER_WORDS * layer))
    inputs = r[_L_INPUTS]
    blobs = ptr32(words + 4 * (at[_AT_OPERANDS] + r[_L_OPERANDS]))
    i = 0
    while i <= inputs:
        blob = blobs[i]
        if blob < at[_AT_N_BLOBS]:
            readers = left[blob]
            if i < inputs:
                readers -= 1
                left[blob] = readers
            if readers == 0 and slots[blob] != _NONE:
                _release(c, blob)
                # Its owner's block, too, that nobody will read, when nothing else lies in it.
                blob = ptr32(records + 4 * _BLOB_WORDS * blob)[_B_OWNER] - 1
                if blob >= 0:
                    if left[blob] == 0 and slots[blob] != _NONE:
                        if ptr32(c[_C_TABLE])[_HEADER + _RECORD * slots[blob] + _REFS] == 1:
                            _release(c, blob)
        i += 1


@micropython.viper
def _release(c: ptr32, blob: int):
    """One reference less to a blob's block, which it leaves."""
    table = ptr32(c[_C_TABLE])
    slots = ptr16(c[_C_SLOTS])
    block = slots[blob]
    slots[blob] = _NONE
    n = _HEADER + _RECORD * block
    table[n + _REFS] -= 1
    if table[n + _REFS] == 0:
        link = _FIRST
        while table[link] != block:
            link = _HEADER + _RECORD * table[link] + _NEXT
        table[link] = table[n + _NEXT]
        table[n + _NEXT] = table[_SPARE]
        table[_SPARE] = block
        table[_USED] -= table[n + _BLOCK_BYTES]
        table[_LIVE] -= 1


@micropython.viper
def _clear(c: ptr32, kept: int):
    """Give back every block but those of blobs with the flags `kept`, and be as at the start."""
    at = ptr32(c[_C_AT])
    slots = ptr16(c[_C_SLOTS])
    records = c[_C_WORDS] + 4 * at[_AT_BLOBS]
    left = ptr16(c[_C_LEFT])
    first_left = ptr16(c[_C_FIRST_LEFT])
    n = at[_AT_N_BLOBS]
    i = 0
    while i < n:
        if slots[i] != _NONE:
            if ptr32(records + 4 * _BLOB_WORDS * i)[_B_FLAGS] & kept == 0:
                _release(c, i)
        left[i] = first_left[i]
        i += 1
    marks = ptr8(c[_C_MARKS])
    first_marks = ptr8(c[_C_FIRST_MARKS])
    n = c[_C_MARKS_COUNT]
    i = 0
    while i < n:
        marks[i] = first_marks[i]
        i += 1
    state = ptr32(c[_C_STATE])
    state[_STATE_BASE] = 0 - 1
    state[_STATE_HITS] = 0
    state[_STATE_MISSES] = 0
