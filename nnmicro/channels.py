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
        first = 0
        count = -channels if along_w else channels
        while first < total:
            if count > total - first:
                count = total - first
            self._window.read_channels(constant, first * each * item, count * each * item)
            _narrow(weights, count * each)
            for i in range(_CONSTANT + 1, call.n_in):
                _narrow(call.input(i), count)
            if along_w:
                out.w = count
            else:
                out.c = count
            if kernel < 0 or not self._call_native(call, layer, kernel, arena, first * step):
                kernel_of(net, layer)(call)
            for i in range(_CONSTANT + 1, call.n_in):
                x = call.input(i)
                x.base += count
            out.base += count * step
            first += count

    def _call_native(self, call, layer, kernel, arena, skipped):
        """Carry the call out in C, its output `skipped` elements after the blob's start; whether it could be done."""
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
            record[at + 1] = x.base * item
            record[at + 2] = x.c
            record[at + 3] = x.h
            record[at + 4] = x.w
            record[at + 5] = x.cs * item
            record[at + 6] = x.rs * item
            record[at + 7] = x.ps * item
            record[at + 8] = x.rows
            record[at + 9] = x.dtype
            record[at + 10] = w[net.blobs_at + blob * _BLOB_WORDS + _B_BYTES] if is_blob else x.w * item
            at += _OPERAND_WORDS
        record[at - 2] -= skipped * item
        try:
            self._native.call(record, self._buffers)
        except ValueError:
            return False
        return True


def _narrow(operand, count):
    """Make an operand a run of so many elements from where it begins."""
    operand.c = operand.h = operand.rows = 1
    operand.w = operand.cs = operand.rs = count
