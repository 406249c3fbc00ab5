"""Convolutions of few channels: what all taps see of some rows side by side, then one matrix product.

A tap's own product would be over a channel or two, and its call takes longer than that.
"""

from ..port import const
from .array import matrix, np, row_start, zeros

_KERNEL_H = const(0)
_STRIDE_H = const(2)
_STRIDE_W = const(3)
_DILATION_H = const(4)
_PAD_TOP = const(6)
_GROUP = const(8)

_CHANNELS = const(4)
_ROOM = const(4096)  # elements of a patch, 16 KB


def rows_at_once(call, taps):
    """How many rows of the output a patch has room for; 0 where this is not the way."""
    x = call.input(0)
    out = call.output()
    if taps == 1 or x.c > _CHANNELS or call.int_param(_GROUP) != 1 or matrix(x) is None:
        return 0
    if out.rows != out.h or out.rs != out.w:
        return 0
    return _ROOM // (x.c * taps * out.w)


def add(call, result, weights, bias, spans, at_once, finish):
    """The convolution, some rows at a time; `finish(part)` does what comes after the sums."""
    out = call.output()
    patch = zeros(weights.shape[1], min(at_once, call.y1 - call.y0) * out.w)
    for y in range(call.y0, call.y1, at_once):
        rows = min(at_once, call.y1 - y)
        _fill(call, patch[:, : rows * out.w], y, rows, spans)
        start = row_start(out, y)
        part = result[:, start : start + rows * out.w]
        part[:, :] = bias
        part += np.dot(weights, patch[:, : rows * out.w])
        finish(part)


def _fill(call, patch, y, rows, spans):
    """A row of the patch for each channel and tap: what it sees for `rows` rows of the output from `y` on."""
    x = call.input(0)
    width = call.output().w
    stride_h = call.int_param(_STRIDE_H)
    stride_w = call.int_param(_STRIDE_W)
    row = 0
    for c in range(x.c):
        plane = matrix(x, c)
        for k in range(call.int_param(_KERNEL_H)):
            line = y * stride_h - call.int_param(_PAD_TOP) + k * call.int_param(_DILATION_H)
            # Of these rows, those for which it is one of x's.
            above = max(0, (stride_h - 1 - line) // stride_h)
            below = min(rows, (x.h - line + stride_h - 1) // stride_h)
            for first, end, column in spans:
                seen = patch[row].reshape((rows, width))
                if above > 0 or below < rows or first > 0 or end < width:
                    seen[:, :] = 0.0
                if above < below and first < end:
                    begin = line + above * stride_h
                    seen[above:below, first:end] = plane[
                        begin : begin + (below - above - 1) * stride_h + 1 : stride_h,
                        column : column + (end - first - 1) * stride_w + 1 : stride_w,
                    ]
                row += 1
