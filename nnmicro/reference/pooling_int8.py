"""Largest or average value of a window of an int8 tensor; x and y have one scale and zero point.

    max:      y[c, p, q] = max of x[c, p * stride_h - pad_top + k, q * stride_w - pad_left + l]
    average:  the sum of the same divided by their number, to the nearest integer, halves away from zero

over 0 <= k < kernel_h, 0 <= l < kernel_w, as far as inside x; then clamped to [activation_min, activation_max]. A
window without an element of x has the average 0 and the maximum -128. Global pooling is a kernel of h x w with a
1 x 1 output. Takes x by rows where y has one row.

Source: TFLite operators MAX_POOL_2D and AVERAGE_POOL_2D, int8.
"""

from ..errors import ModelError
from ..port import I8, const
from . import checks, checks_int8
from .fixed_point import divide_away, wrapped

_P_KIND = const(0)
_P_KERNEL_H = const(1)
_P_KERNEL_W = const(2)
_P_STRIDE_H = const(3)
_P_STRIDE_W = const(4)
_P_PAD_TOP = const(5)
_P_PAD_LEFT = const(6)
_P_ACTIVATION_MIN = const(7)
_P_ACTIVATION_MAX = const(8)

_MAX = const(0)
_MOST = const(1 << 23)  # elements whose sum fits a word


def state_bytes(call):
    x = call.input(0)
    out = call.output()
    return checks.words(out.count) if out.h == 1 and x.h * x.w <= _MOST else 0


def check(call):
    checks_int8.operands(call, "pooling_int8", (I8, I8), 9, state_bytes)
    checks.within(call, "pooling_int8", _P_KIND, "kind", 0, 1)
    checks.within(call, "pooling_int8", _P_KERNEL_H, "kernel_h", 1)
    checks.within(call, "pooling_int8", _P_KERNEL_W, "kernel_w", 1)
    checks.within(call, "pooling_int8", _P_STRIDE_H, "stride_h", 1)
    checks.within(call, "pooling_int8", _P_STRIDE_W, "stride_w", 1)
    checks.within(call, "pooling_int8", _P_PAD_TOP, "pad_top", 0)
    checks.within(call, "pooling_int8", _P_PAD_LEFT, "pad_left", 0)
    checks_int8.int8_param(call, "pooling_int8", _P_ACTIVATION_MIN, "activation_min")
    checks_int8.int8_param(call, "pooling_int8", _P_ACTIVATION_MAX, "activation_max")
    if call.output().c != call.input(0).c:
        raise ModelError("pooling_int8: %d channels cannot become %d" % (call.input(0).c, call.output().c))


def run(call):
    x = call.input(0)
    out = call.output()
    y0, y1 = call.y0, call.y1
    first, end = 0, x.h
    if call.reduces:
        checks.input_rows(call, "pooling_int8")
        first, end = y0, y1
        y0, y1 = 0, 1
    for y in range(y0, y1):
        top = y * call.int_param(_P_STRIDE_H) - call.int_param(_P_PAD_TOP)
        bottom = min(top + call.int_param(_P_KERNEL_H), x.h)
        top = max(top, 0)
        for q in range(out.w):
            left = q * call.int_param(_P_STRIDE_W) - call.int_param(_P_PAD_LEFT)
            right = min(left + call.int_param(_P_KERNEL_W), x.w)
            left = max(left, 0)
            count = max(bottom - top, 0) * max(right - left, 0)
            rows = range(max(top, first), min(bottom, end))
            _windows(call, rows, left, right if count else left, count, out.at(0, y) + q * out.ps, q * out.c)


def _windows(call, rows, left, right, count, result, word):
    """All channels of one window: `rows` and columns [left, right) of x, of `count` elements in all."""
    x = call.input(0)
    out = call.output()
    largest = call.int_param(_P_KIND) == _MAX
    low = call.int_param(_P_ACTIVATION_MIN)
    high = call.int_param(_P_ACTIVATION_MAX)
    word += call.first_word
    for c in range(x.c):
        value = -128 if largest else 0
        if call.reduces and call.y0:
            value = call.workspace[word]
        for row in rows:
            i = x.at(c, row) + left * x.ps
            for _ in range(left, right):
                item = x.data[i]
                value = max(value, item) if largest else value + item
                i += x.ps
        if call.reduces:
            value = call.workspace[word] = wrapped(value)
            word += 1
        if not call.reduces or call.y1 == x.h:
            if not largest:
                value = divide_away(value, count) if count else 0
            out.data[result] = min(max(value, low), high)
        result += out.cs
