"""Largest or average value of a window.

    max:      y[c, p, q] = max of x[c,
                                    p * stride_h - pad_top + k * dilation_h,
                                    q * stride_w - pad_left + l * dilation_w]
    average:  the sum of the same (dilation 1) divided by the number of elements of the window
              that lie inside x (include_pad 0) or inside x extended by the four pads (include_pad 1)

over 0 <= k < kernel_h, 0 <= l < kernel_w, as far as inside x. A window without an element of x gives 0.
Global pooling is a kernel of h x w with a 1 x 1 output; y may then also be c elements in any other shape, in
c, y, x order.

Takes x by rows where all windows are on one line, that is where y has one row, or is of global pooling.

Source: ONNX operators MaxPool, AveragePool, GlobalMaxPool, GlobalAveragePool.
"""

from ..errors import ModelError
from ..port import const
from . import checks

_P_KIND = const(0)
_P_KERNEL_H = const(1)
_P_KERNEL_W = const(2)
_P_STRIDE_H = const(3)
_P_STRIDE_W = const(4)
_P_PAD_TOP = const(5)
_P_PAD_LEFT = const(6)
_P_PAD_BOTTOM = const(7)
_P_PAD_RIGHT = const(8)
_P_INCLUDE_PAD = const(9)
_P_DILATION_H = const(10)
_P_DILATION_W = const(11)

_MAX = const(0)


def state_bytes(call):
    out = call.output()
    return checks.words(out.count) if out.h == 1 or out.c != call.input(0).c else 0


def check(call):
    checks.operands(call, "pooling", 1, 1, 12, state_bytes=state_bytes)
    x = call.input(0)
    out = call.output()
    kind = checks.within(call, "pooling", _P_KIND, "kind", 0, 1)
    kernel_h = checks.within(call, "pooling", _P_KERNEL_H, "kernel_h", 1)
    kernel_w = checks.within(call, "pooling", _P_KERNEL_W, "kernel_w", 1)
    checks.within(call, "pooling", _P_STRIDE_H, "stride_h", 1)
    checks.within(call, "pooling", _P_STRIDE_W, "stride_w", 1)
    pad_top = checks.within(call, "pooling", _P_PAD_TOP, "pad_top", 0)
    pad_left = checks.within(call, "pooling", _P_PAD_LEFT, "pad_left", 0)
    checks.within(call, "pooling", _P_PAD_BOTTOM, "pad_bottom", 0)
    checks.within(call, "pooling", _P_PAD_RIGHT, "pad_right", 0)
    checks.within(call, "pooling", _P_INCLUDE_PAD, "include_pad", 0, 1)
    most = 0x7FFFFFFF if kind == _MAX else 1
    dilation_h = checks.within(call, "pooling", _P_DILATION_H, "dilation_h", 1, most)
    dilation_w = checks.within(call, "pooling", _P_DILATION_W, "dilation_w", 1, most)
    if out.c != x.c:
        covers = kernel_h - pad_top >= x.h and kernel_w - pad_left >= x.w and dilation_h == 1 and dilation_w == 1
        if out.count != x.c or not covers:
            raise ModelError(
                "pooling: the output is %d x %d x %d, expected the %d channels of x, or global pooling"
                % (out.c, out.h, out.w, x.c)
            )


def _window(position, stride, pad, pad_after, kernel, dilation, size):
    """Along one axis: a window's first element of x, how many there are, and how many with the padding."""
    start = position * stride - pad
    taps = min(kernel, (size - start + dilation - 1) // dilation)
    skipped = (dilation - 1 - start) // dilation if start < 0 else 0
    return start + skipped * dilation, max(0, taps - skipped), min(start + kernel, size + pad_after) - start


def window_rows(call, y):
    """The window of output row `y` along h."""
    return _window(
        y,
        call.int_param(_P_STRIDE_H),
        call.int_param(_P_PAD_TOP),
        call.int_param(_P_PAD_BOTTOM),
        call.int_param(_P_KERNEL_H),
        call.int_param(_P_DILATION_H),
        call.input(0).h,
    )


def window_columns(call, q):
    """The window of output column `q` along w."""
    return _window(
        q,
        call.int_param(_P_STRIDE_W),
        call.int_param(_P_PAD_LEFT),
        call.int_param(_P_PAD_RIGHT),
        call.int_param(_P_KERNEL_W),
        call.int_param(_P_DILATION_W),
        call.input(0).w,
    )


def run(call):
    x = call.input(0)
    out = call.output()
    one_window = out.c != x.c
    y0, y1 = call.y0, call.y1
    first, end = 0, x.h
    if call.reduces:
        checks.input_rows(call, "pooling")
        first, end = y0, y1
        y0, y1 = 0, out.h
    # What the rows so far have given: in the output, or from call to call in the workspace.
    data = call.float_workspace if call.reduces else out.data
    word = call.first_word
    for y in range(y0, y1):
        rows = window_rows(call, 0 if one_window else y)
        for q in range(out.w):
            columns = window_columns(call, 0 if one_window else q)
            i = out.at(0, y) + q * out.ps
            for c in range(out.c):
                channel = (c * out.h + y) * out.w + q if one_window else c
                at = word if call.reduces else i
                if first == 0:
                    data[at] = 0.0
                _take(call, channel, rows, columns, first, end, data, at)
                if end == x.h:
                    out.data[i] = _value(call, rows, columns, data[at])
                i += out.cs
                word += 1


def _take(call, c, rows, columns, first, end, data, at):
    """Put what rows [first, end) of x give to one window of channel `c` together with data[at].

    It is rounded to single precision after each row, so that it may stay in memory between them.
    """
    x = call.input(0)
    row, row_count, _ = rows
    column, count, _ = columns
    step = call.int_param(_P_DILATION_W) * x.ps
    largest = call.int_param(_P_KIND) == _MAX
    for k in range(row_count if count else 0):
        if first <= row < end:
            i = x.at(c, row) + column * x.ps
            if not largest:
                data[at] = _sum(data[at], x.data, i, step, count)
            else:
                data[at] = _largest(data[at] if k else x.data[i], x.data, i, step, count)
        row += call.int_param(_P_DILATION_H)


def _value(call, rows, columns, value):
    """The result for what all rows of a window have given."""
    _, row_count, row_cells = rows
    _, column_count, column_cells = columns
    count = row_count * column_count
    if count == 0:
        return 0.0
    if call.int_param(_P_KIND) == _MAX:
        return value
    if call.int_param(_P_INCLUDE_PAD) and row_cells > 0 and column_cells > 0:
        count = row_cells * column_cells
    return value / count


def _largest(value, data, i, step, count):
    for _ in range(count):
        item = data[i]
        if item > value:
            value = item
        i += step
    return value


def _sum(value, data, i, step, count):
    for _ in range(count):
        value += data[i]
        i += step
    return value
