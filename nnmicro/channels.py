"""A layer whose constants are larger than the window, some output channels at a time.

A call whose output, weights, bias and scales are narrowed to these channels is a call like any other: no kernel knows.
Loaded when such a layer first runs.
"""

from array import array

from .port import ITEM_BYTES, const

_BLOB_WORDS = const(16)
_B_BYTES = const(2)
_LAYER_WORDS = const(12)
_L_OP = const(0)
_L_OPERANDS = const(2)

# Of a net's places
_AT_LAYERS = const(1)
_AT_OPERANDS = const(2)

_CONSTANT = const(1)  # the operand that lies channel after channel; of those after it, one element a channel

# A call record of `_nnmicro`: these words, then for each operand its own. See firmware/native/nn.h.
_RECORD_WORDS = const(12)
_OPERAND_WORDS = const(12)
_R_OFFSET = const(1)
_R_C = const(2)
_R_H = const(3)
_R_W = const(4)
_R_CS = const(5)
_R_RS = const(6)
_R_PS = const(7)
_R_ROWS = const(8)
_R_DTYPE = const(9)
_R_BYTES = const(10)
_MODEL = const(1)  # buffers
_ARENA = const(0)


class Calls:
    """The calls of a net with a window, which holds the window's lock."""

    def __init__(self, net, window, native):
        self._net = net
        self._window = window
        self._native = native  # `_nnmicro`, or None
        self._records = {}  # by the number of operands
        self._arena = None
        self._buffers = None

    def run(self, call, layer, arena, kernel_of):
        """Run a layer whose call is bound; `kernel_of(net, layer)` is its kernel in Python."""
        net = self._net
        w = net.words
        r = net.at[_AT_LAYERS] + layer * _LAYER_WORDS
        kernel = net.native_kernels[w[r + _L_OP]] if self._native else -1
        constant = w[net.at[_AT_OPERANDS] + w[r + _L_OPERANDS] + _CONSTANT] - net.n_blobs
        channels = self._window.channels[layer]
        out = call.output()
        weights = call.input(_CONSTANT)
        along_w = channels < 0
        total = out.w if along_w else out.c
        step = out.ps if along_w else out.cs
        each = weights.count // total
        item = ITEM_BYTES[weights.dtype]
        record = self._fill(call, layer, kernel, arena) if kernel >= 0 else None
        narrowed = 0  # the channel that the call's own operands begin with
        first = 0
        count = -channels if along_w else channels
        while first < total:
            if count > total - first:
                count = total - first
            self._window.read_channels(constant, first * each * item, count * each * item)
            if record is None or not self._call_native(record, call.n_in, along_w, each, count):
                self._narrow_call(call, along_w, first - narrowed, each, count)
                narrowed = first
                kernel_of(net, layer)(call)
            if record is not None:
                _advance(record, call.n_in, step, count)
            first += count

    def _fill(self, call, layer, kernel, arena):
        """The record of a call with all its channels. What changes from some channels to the next is set for each."""
        net = self._net
        operands = call.n_in + 1
        record = self._records.get(operands)
        if record is None:
            record = self._records[operands] = array("i", bytes(4 * (_RECORD_WORDS + _OPERAND_WORDS * operands)))
        if self._arena is not arena:
            self._arena = arena
            self._buffers = (arena.buffer, net.data)
        record[0] = kernel
        record[1] = call.n_in
        record[2] = 1  # output
        record[3] = call.y0
        record[4] = call.y1
        record[5] = 4 * call.first_param
        record[6] = call.n_params
        w = net.words
        first = net.at[_AT_OPERANDS] + w[net.at[_AT_LAYERS] + layer * _LAYER_WORDS + _L_OPERANDS]
        at = _RECORD_WORDS
        for i in range(operands):
            x = call.input(i)  # the output comes right after the inputs
            item = ITEM_BYTES[x.dtype]
            blob = w[first + i]
            is_blob = blob < net.n_blobs
            record[at] = _ARENA if is_blob else _MODEL
            record[at + _R_OFFSET] = x.base * item
            record[at + _R_C] = x.c if is_blob else 1
            record[at + _R_H] = x.h if is_blob else 1
            record[at + _R_W] = x.w
            record[at + _R_CS] = x.cs * item
            record[at + _R_RS] = x.rs * item
            record[at + _R_PS] = x.ps * item
            record[at + _R_ROWS] = x.rows if is_blob else 1
            record[at + _R_DTYPE] = x.dtype
            record[at + _R_BYTES] = w[net.blobs_at + blob * _BLOB_WORDS + _B_BYTES]
            at += _OPERAND_WORDS
        return record

    def _call_native(self, record, n_in, along_w, each, count):
        """Carry the call out in C with so many channels; whether it could be done."""
        at = _RECORD_WORDS + _OPERAND_WORDS
        elements = count * each
        for i in range(_CONSTANT, n_in):
            nbytes = elements * ITEM_BYTES[record[at + _R_DTYPE]]
            if record[at + _R_BYTES] != nbytes:
                record[at + _R_W] = elements
                record[at + _R_CS] = record[at + _R_RS] = record[at + _R_BYTES] = nbytes
            elements = count
            at += _OPERAND_WORDS
        record[at + (_R_W if along_w else _R_C)] = count
        try:
            self._native.call(record, self._buffers)
        except ValueError:
            return False
        return True

    def _narrow_call(self, call, along_w, skipped, each, count):
        """Have the call's operands begin `skipped` channels later than they do, and hold so many."""
        _narrow(call.input(_CONSTANT), count * each)
        for i in range(_CONSTANT + 1, call.n_in):
            x = call.input(i)
            x.base += skipped
            _narrow(x, count)
        out = call.output()
        if along_w:
            out.base += skipped * out.ps
            out.w = count
        else:
            out.base += skipped * out.cs
            out.c = count


def _advance(record, n_in, step, count):
    """Have a record's output and the operands of one element a channel begin so many channels later.

    `step` is from one of the output's channels to the next, in elements.
    """
    at = _RECORD_WORDS + 2 * _OPERAND_WORDS
    for _ in range(_CONSTANT + 1, n_in):
        record[at + _R_OFFSET] += count * ITEM_BYTES[record[at + _R_DTYPE]]
        at += _OPERAND_WORDS
    skipped = count * step * ITEM_BYTES[record[at + _R_DTYPE]]
    record[at + _R_OFFSET] += skipped
    record[at + _R_BYTES] -= skipped


def _narrow(operand, count):
    """Make an operand a run of so many elements from where it begins."""
    operand.c = operand.h = operand.rows = 1
    operand.w = operand.cs = operand.rs = count
