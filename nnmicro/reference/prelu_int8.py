"""A rectifier with slopes, of int8 tensors:

    y = clamp(P * (x - input_zero) + output_zero)                             where x >= input_zero,
        clamp(N * ((x - input_zero) * (slope - slope_zero)) + output_zero)    below,

between -128 and 127. P and N are the quantised multipliers of positive_* and negative_*, halves away from zero
(fixed_point.py).

x and y: int8, c x h x w. slope: int8, each of its c, h and w is x's or 1.

Source: TFLite operator PRELU, int8.
"""

from ..port import I8, const
from . import broadcast, checks, checks_int8
from .fixed_point import multiply_away

_P_INPUT_ZERO = const(0)
_P_SLOPE_ZERO = const(1)
_P_POSITIVE_MULTIPLIER = const(2)
_P_POSITIVE_SHIFT = const(3)
_P_NEGATIVE_MULTIPLIER = const(4)
_P_NEGATIVE_SHIFT = const(5)
_P_OUTPUT_ZERO = const(6)

_IN_PLACE = const(1)


def check(call):
    checks_int8.operands(call, "prelu_int8", (I8, I8, I8), 7)
    checks.same_shape("prelu_int8", call.input(0), call.output())
    broadcast.check("prelu_int8", "slope", call.input(1), call.output())
    checks_int8.int8_param(call, "prelu_int8", _P_INPUT_ZERO, "input_zero")
    checks_int8.int8_param(call, "prelu_int8", _P_SLOPE_ZERO, "slope_zero")
    checks_int8.multiplier(call, "prelu_int8", _P_POSITIVE_MULTIPLIER, "positive_")
    checks_int8.multiplier(call, "prelu_int8", _P_NEGATIVE_MULTIPLIER, "negative_")
    checks_int8.int8_param(call, "prelu_int8", _P_OUTPUT_ZERO, "output_zero")


def run(call):
    for c in range(call.input(0).c):
        for y in range(call.y0, call.y1):
            _row(call, c, y)


def _row(call, c, y):
    x = call.input(0)
    slope = call.input(1)
    out = call.output()
    input_zero = call.int_param(_P_INPUT_ZERO)
    slope_zero = call.int_param(_P_SLOPE_ZERO)
    positive = call.int_param(_P_POSITIVE_MULTIPLIER)
    positive_shift = call.int_param(_P_POSITIVE_SHIFT)
    negative = call.int_param(_P_NEGATIVE_MULTIPLIER)
    negative_shift = call.int_param(_P_NEGATIVE_SHIFT)
    output_zero = call.int_param(_P_OUTPUT_ZERO)
    slope_step = broadcast.column_step(slope)
    i = x.at(c, y)
    k = broadcast.row(slope, c, y)
    j = out.at(c, y)
    for _ in range(x.w):
        value = x.data[i] - input_zero
        if value >= 0:
            value = multiply_away(value, positive, positive_shift)
        else:
            value = multiply_away(value * (slope.data[k] - slope_zero), negative, negative_shift)
        out.data[j] = min(max(value + output_zero, -128), 127)
        i += x.ps
        j += out.ps
        k += slope_step
