"""Sum or mean of an int8 tensor over any of its axes.

With s the sum of x over the axes that over_h, over_w and over_c name (1: reduced, 0: kept):

    kind 0:  y = clamp(M * (s - sum_zero) + output_zero), M the quantised multiplier of multiplier and shift
    kind 1:  y = clamp(s * scale + bias + output_zero) in single precision, every operation rounded, s * scale + bias
             to the nearest integer with halves away from zero

clamp is to int8. In kind 0, x's channels [0, half_up) round halves up and the others away from zero
(fixed_point.py): LiteRT's mean over h and w takes sixteen channels at once.

x: int8, c x h x w. y: int8, as many elements as the kept axes have, in any shape: the kept elements in the order of
x's source become the elements of y in the order of y's (order_int8.py).

Takes x by rows where over_h is 1.

Source: TFLite operators MEAN and SUM, int8.
"""

from array import array

from ..errors import ModelError
from ..port import I8, const
from . import checks, checks_int8
from .fixed_point import multiply_away, multiply_up, round_away, single, wrapped
from .order_int8 import index, interleaved

_P_KIND = const(0)
_P_OVER_H = const(1)
_P_OVER_W = const(2)
_P_OVER_C = const(3)
_P_SUM_ZERO = const(4)
_P_MULTIPLIER = const(5)
_P_SHIFT = const(6)
_P_OUTPUT_ZERO = const(7)
_P_HALF_UP = const(8)
_P_SCALE = const(9)
_P_BIAS = const(10)

_MOST = const(1 << 23)  # elements whose sum fits a word


def state_bytes(call):
    fits = call.int_param(_P_OVER_H) == 1 and call.input(0).count <= _MOST
    return checks.words(call.output().count) if fits else 0


def check(call):
    checks_int8.operands(call, "mean_int8", (I8, I8), 11, state_bytes)
    x = call.input(0)
    checks.within(call, "mean_int8", _P_KIND, "kind", 0, 1)
    kept = 1 if checks.within(call, "mean_int8", _P_OVER_H, "over_h", 0, 1) else x.h
    kept *= 1 if checks.within(call, "mean_int8", _P_OVER_W, "over_w", 0, 1) else x.w
    kept *= 1 if checks.within(call, "mean_int8", _P_OVER_C, "over_c", 0, 1) else x.c
    if call.output().count != kept:
        raise ModelError(
            "mean_int8: the axes that are kept have %d elements, the output %d" % (kept, call.output().count)
        )
    checks_int8.multiplier(call, "mean_int8", _P_MULTIPLIER, "")
    checks.within(call, "mean_int8", _P_HALF_UP, "half_up", 0)


def run(call):
    x = call.input(0)
    if call.reduces:
        checks.input_rows(call, "mean_int8")
    else:
        checks.whole(call, "mean_int8")
    out = call.output()
    kept_h = 1 if call.int_param(_P_OVER_H) else x.h
    kept_w = 1 if call.int_param(_P_OVER_W) else x.w
    kept_c = 1 if call.int_param(_P_OVER_C) else x.c
    cell = array("f", (0.0,))
    channels_last = interleaved(x)
    for k in range(out.count):
        if channels_last:
            c = k % kept_c
            q = k // kept_c % kept_w
            y = k // kept_c // kept_w
        else:
            q = k % kept_w
            y = k // kept_w % kept_h
            c = k // kept_w // kept_h
        if call.reduces:
            total = _sum(call, c, call.y0, call.y1, q)
            if call.y0:
                total = wrapped(total + call.workspace[call.first_word + k])
            call.workspace[call.first_word + k] = total
            if call.y1 < x.h:
                continue
        else:
            total = _sum(call, c, y, x.h if call.int_param(_P_OVER_H) else y + 1, q)
        out.data[index(out, k)] = _result(call, cell, c, total)


def _sum(call, c, y, y1, q):
    """The sum over rows [y, y1) and the other reduced axes, the kept ones being at c and q."""
    x = call.input(0)
    c1 = x.c if call.int_param(_P_OVER_C) else c + 1
    q1 = x.w if call.int_param(_P_OVER_W) else q + 1
    total = 0
    for channel in range(c, c1):
        for row in range(y, y1):
            i = x.at(channel, row) + q * x.ps
            for _ in range(q, q1):
                total += x.data[i]
                i += x.ps
    return total


def _result(call, cell, c, total):
    zero = call.int_param(_P_OUTPUT_ZERO)
    if call.int_param(_P_KIND):
        value = single(cell, single(cell, total) * call.float_param(_P_SCALE))
        value = single(cell, value + call.float_param(_P_BIAS))
        # Bounds of its own, as the zero point may be any word in a damaged file.
        value = round_away(value, -0x20000000, 0x20000000)
    else:
        multiply = multiply_up if c < call.int_param(_P_HALF_UP) else multiply_away
        total -= call.int_param(_P_SUM_ZERO)
        value = multiply(total, call.int_param(_P_MULTIPLIER), call.int_param(_P_SHIFT))
    return min(max(value + zero, -128), 127)
