"""Convolution by rows; the formula and the parameters are those of reference/convolution.py.

A row of the output, channels x columns, is the sum over the kernel's taps of a matrix product: the tap's
weights (outputs x inputs) times the part of a row of x that the tap sees (inputs x columns). Depthwise, the
product is element by element. So padding is a matter of which columns a tap adds to, and nothing is copied to
pad it.
"""

from ..port import const
from ..reference import convolution as reference
from .array import activated, constant, np, planes, row_start, rows_at_once, tap_spans, zeros

_P_KERNEL_H = const(0)
_P_KERNEL_W = const(1)
_P_STRIDE_H = const(2)
_P_STRIDE_W = const(3)
_P_DILATION_H = const(4)
_P_DILATION_W = const(5)
_P_PAD_TOP = const(6)
_P_PAD_LEFT = const(7)
_P_GROUP = const(8)
_P_ACTIVATION = const(9)
_P_ACTIVATION_A = const(10)
_P_ACTIVATION_B = const(11)
_P_PAD_VALUE = const(12)


def run(call):
    x = call.input(0)
    out = call.output()
    source = planes(x)
    result = planes(out)
    if source is None or result is None or call.float_param(_P_PAD_VALUE) != 0.0:
        reference.run(call)
        return
    taps = call.int_param(_P_KERNEL_H) * call.int_param(_P_KERNEL_W)
    group = call.int_param(_P_GROUP)
    weights = constant(call.input(1)).reshape((out.c, x.c // group * taps))
    bias = constant(call.input(2)).reshape((out.c, 1)) if call.n_in == 3 else None
    rows = _rows_at_once(call, x, out)
    spans = tap_spans(
        x.w,
        out.w,
        call.int_param(_P_KERNEL_W),
        call.int_param(_P_STRIDE_W),
        call.int_param(_P_DILATION_W),
        call.int_param(_P_PAD_LEFT),
    )
    for y in range(call.y0, call.y1, rows):
        rows = min(rows, call.y1 - y)
        row = zeros(out.c, out.w * rows)
        _add_taps(call, row, y, source, weights, spans, rows)
        if bias is not None:
            row += bias
        row = activated(
            call.int_param(_P_ACTIVATION),
            call.float_param(_P_ACTIVATION_A),
            call.float_param(_P_ACTIVATION_B),
            row,
        )
        start = row_start(out, y)
        result[:, start : start + out.w * rows] = row


def _rows_at_once(call, x, out):
    """More than one where a row of y needs that row of x and no other: 1 x 1 kernels."""
    for i in range(_P_KERNEL_H, _P_STRIDE_W + 1):
        if call.int_param(i) != 1:
            return 1
    if x.h != out.h or x.w != out.w or x.rows != x.h or x.rs != x.w:
        return 1
    return 1 if call.int_param(_P_PAD_TOP) or call.int_param(_P_PAD_LEFT) else rows_at_once(call)


def _add_taps(call, row, y, source, weights, spans, rows):
    """Add what every tap sees to row `y` of the output, or to `rows` of them."""
    x = call.input(0)
    stride = call.int_param(_P_STRIDE_W)
    tap = 0
    for k in range(call.int_param(_P_KERNEL_H)):
        line = y * call.int_param(_P_STRIDE_H) - call.int_param(_P_PAD_TOP) + k * call.int_param(_P_DILATION_H)
        if not 0 <= line < x.h:
            tap += len(spans)
            continue
        line = row_start(x, line)
        for first, end, column in spans:
            if first < end:
                width = (end - first) * rows
                begin = line + column
                seen = source[:, begin : begin + (width - 1) * stride + 1 : stride]
                _add_tap(call, row, first, first + width, seen, weights, tap)
            tap += 1


def _add_tap(call, row, first, end, seen, weights, tap):
    x_channels = call.input(0).c
    taps = call.int_param(_P_KERNEL_H) * call.int_param(_P_KERNEL_W)
    group = call.int_param(_P_GROUP)
    if group == 1:
        row[:, first:end] += np.dot(weights[:, tap::taps], seen)
    elif group == x_channels == len(weights):
        row[:, first:end] += weights[:, tap : tap + 1] * seen
    else:
        inputs = x_channels // group
        outputs = len(weights) // group
        for g in range(group):
            o = g * outputs
            i = g * inputs
            row[o : o + outputs, first:end] += np.dot(weights[o : o + outputs, tap::taps], seen[i : i + inputs])
