"""Convolution by rows; the formula and the parameters are those of reference/convolution.py.

Rows of the output, channels x columns, are the sum over the kernel's taps of matrix products: the tap's weights
(outputs x inputs) times the part of x that the tap sees (inputs x columns). Depthwise, the product is element by
element. So padding is a matter of which columns a tap adds to, and nothing is copied to pad it.

Where the kernel moves by one and the output is as wide as x, what a tap sees of several rows lies in one piece, too: as
much further on for each of them. Beside the rows' ends it then sees its neighbours, which count as nothing.
"""

from ..port import const
from ..reference import convolution as reference
from . import patches
from .array import activate, constant, np, planes, row_start, rows_at_once, tap_spans

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
    weights = constant(call.input(1)).reshape((out.c, x.c // call.int_param(_P_GROUP) * taps))
    bias = constant(call.input(2)).reshape((out.c, 1)) if call.n_in == 3 else 0.0
    if call.over and _is_depthwise(call):
        # The output is written over x, and lies over channels of it that are done.
        for c in range(out.c):
            one = bias[c : c + 1] if call.n_in == 3 else bias
            _compute(call, source[c : c + 1], result[c : c + 1], weights[c : c + 1], one)
    else:
        _compute(call, source, result, weights, bias)


def _is_depthwise(call):
    return call.int_param(_P_GROUP) == call.input(0).c == call.output().c


def _compute(call, source, result, weights, bias):
    """The rows of the channels that `result` has: all, or one of a depthwise layer."""
    x = call.input(0)
    out = call.output()
    rows = _rows_at_once(call, x, out)
    spans = tap_spans(
        x.w,
        out.w,
        call.int_param(_P_KERNEL_W),
        call.int_param(_P_STRIDE_W),
        call.int_param(_P_DILATION_W),
        call.int_param(_P_PAD_LEFT),
    )
    kind = call.int_param(_P_ACTIVATION)
    low = call.float_param(_P_ACTIVATION_A)
    high = call.float_param(_P_ACTIVATION_B)
    taps = call.int_param(_P_KERNEL_H) * call.int_param(_P_KERNEL_W)
    patched = patches.rows_at_once(call, taps) if (rows == 1 or x.c == 1) and not call.over else 0
    if patched:
        patches.add(call, result, weights, bias, spans, patched, lambda part: activate(kind, low, high, part))
        return
    for y in range(call.y0, call.y1, rows):
        rows = min(rows, call.y1 - y)
        start = row_start(out, y)
        part = result[:, start : start + out.w * rows]
        part[:, :] = bias
        _add_taps(call, part, y, source, weights, spans, rows)
        activate(kind, low, high, part)


def _rows_at_once(call, x, out):
    """More than one where what a tap sees of a row follows on what it sees of the row before."""
    if call.over or call.int_param(_P_STRIDE_H) != 1 or call.int_param(_P_STRIDE_W) != 1:
        return 1
    return rows_at_once(call) if x.w == out.w and x.rows == x.h and x.rs == x.w else 1


def _add_taps(call, part, y, source, weights, spans, rows):
    """Add what every tap sees to `rows` rows of the output from `y` on."""
    x = call.input(0)
    width = call.output().w
    tap = 0
    for k in range(call.int_param(_P_KERNEL_H)):
        line = y * call.int_param(_P_STRIDE_H) - call.int_param(_P_PAD_TOP) + k * call.int_param(_P_DILATION_H)
        # Of these rows, those for which it is one of x's.
        above = max(0, -line)
        below = min(rows, x.h - line)
        if above < below:
            line = row_start(x, line + above)
            for first, end, column in spans:
                if first < end:
                    _add_tap(call, part, above * width, below * width, first, end, source, line + column, weights, tap)
                tap += 1
        else:
            tap += len(spans)


def _add_tap(call, part, above, below, first, end, source, begin, weights, tap):
    """Add what a tap sees from column `begin` of the source on to columns [first, end) of rows that lie from column
    `above` to column `below` of the output's part."""
    width = call.output().w
    stride = call.int_param(_P_STRIDE_W)
    count = below - above - width + end - first
    seen = source[:, begin : begin + (count - 1) * stride + 1 : stride]
    target = part[:, above + first : above + first + count]
    one_row = below - above == width
    group = call.int_param(_P_GROUP)
    outputs = len(weights) // group
    inputs = len(source) // group
    taps = call.int_param(_P_KERNEL_H) * call.int_param(_P_KERNEL_W)
    if _is_depthwise(call):
        added = weights[:, tap : tap + 1] * seen
        target += added if one_row else _without(added, first, end, width)
        return
    for g in range(group):
        o = g * outputs
        if group == 1:
            added = np.dot(weights[:, tap::taps], seen)
        else:
            added = np.dot(weights[o : o + outputs, tap::taps], seen[g * inputs : (g + 1) * inputs])
        if not one_row:
            _without(added, first, end, width)
        if group == 1:
            target += added
        else:
            target[o : o + outputs] += added


def _without(added, first, end, width):
    """Set to 0 what belongs to no column from `first` to `end` of a row; column 0 of `added` is `first`."""
    for column in range(end - first, width):
        added[:, column::width] = 0.0
    return added
