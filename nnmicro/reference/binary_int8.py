"""Two int8 operands, element by element.

    a' = Ma * ((a - a_zero) << left_shift), and b' likewise
    kind 0, add:   y = clamp(M * (a' + b') + output_zero)
    kind 1, sub:   y = clamp(M * (a' - b') + output_zero)
    kind 2, mul:   y = clamp(M * ((a - a_zero) * (b - b_zero)) + output_zero)
    kind 3, 4:     y = clamp(max(a, b)), clamp(min(a, b)); all three have one scale and zero point

Ma, Mb and M are the quantised multipliers of a_multiplier and a_shift, and so on; halves go away from zero
(fixed_point.py). clamp is to [activation_min, activation_max]. Each of c, h and w of an operand equals the output's
or is 1 (and is then used for all of them).

LiteRT's ADD on x86 rounds a rescaled input only once in its vector code; that is one unit in 2**20 of the larger
input's step, and shows in a result only where the sum lies that close to a half. Its single elements, its SUB, and
other machines round as here.

In place only where the shape of a is the output's.

Source: TFLite operators ADD, SUB, MUL, MAXIMUM, MINIMUM, int8.
"""

from ..port import I8, const
from . import broadcast, checks, checks_int8
from .fixed_point import multiply_away

_P_KIND = const(0)
_P_LEFT_SHIFT = const(1)
_P_A_ZERO = const(2)
_P_A_MULTIPLIER = const(3)
_P_A_SHIFT = const(4)
_P_B_ZERO = const(5)
_P_B_MULTIPLIER = const(6)
_P_B_SHIFT = const(7)
_P_OUTPUT_ZERO = const(8)
_P_OUTPUT_MULTIPLIER = const(9)
_P_OUTPUT_SHIFT = const(10)
_P_ACTIVATION_MIN = const(11)
_P_ACTIVATION_MAX = const(12)

_IN_PLACE = const(1)

_SUB = const(1)
_MUL = const(2)
_MAX = const(3)
_MIN = const(4)


def check(call):
    checks_int8.operands(call, "binary_int8", (I8, I8, I8), 13)
    checks.within(call, "binary_int8", _P_KIND, "kind", 0, _MIN)
    # 9 bits of a difference of int8 values and 22 more fill a word.
    checks.within(call, "binary_int8", _P_LEFT_SHIFT, "left_shift", 0, 22)
    checks_int8.int8_param(call, "binary_int8", _P_A_ZERO, "a_zero")
    checks_int8.int8_param(call, "binary_int8", _P_B_ZERO, "b_zero")
    checks_int8.int8_param(call, "binary_int8", _P_OUTPUT_ZERO, "output_zero")
    checks_int8.multiplier(call, "binary_int8", _P_A_MULTIPLIER, "a_")
    checks_int8.multiplier(call, "binary_int8", _P_B_MULTIPLIER, "b_")
    checks_int8.multiplier(call, "binary_int8", _P_OUTPUT_MULTIPLIER, "output_")
    checks_int8.int8_param(call, "binary_int8", _P_ACTIVATION_MIN, "activation_min")
    checks_int8.int8_param(call, "binary_int8", _P_ACTIVATION_MAX, "activation_max")
    broadcast.check_pair(call, "binary_int8")


def run(call):
    a = call.input(0)
    b = call.input(1)
    out = call.output()
    row = _extremum_row if call.int_param(_P_KIND) >= _MAX else _row
    for c in range(out.c):
        for y in range(call.y0, call.y1):
            i = broadcast.row(a, c, y)
            j = broadcast.row(b, c, y)
            row(call, i, broadcast.column_step(a), j, broadcast.column_step(b), out.at(c, y))


def _row(call, i, i_step, j, j_step, result):
    left = call.input(0).data
    right = call.input(1).data
    out = call.output()
    kind = call.int_param(_P_KIND)
    multiplier = call.int_param(_P_OUTPUT_MULTIPLIER)
    shift = call.int_param(_P_OUTPUT_SHIFT)
    zero = call.int_param(_P_OUTPUT_ZERO)
    low = call.int_param(_P_ACTIVATION_MIN)
    high = call.int_param(_P_ACTIVATION_MAX)
    for _ in range(out.w):
        value = _combine(call, kind, left[i], right[j])
        out.data[result] = min(max(multiply_away(value, multiplier, shift) + zero, low), high)
        i += i_step
        j += j_step
        result += out.ps


def _combine(call, kind, a, b):
    """The sum, difference or product before the output's multiplier."""
    a -= call.int_param(_P_A_ZERO)
    b -= call.int_param(_P_B_ZERO)
    if kind == _MUL:
        return a * b
    left_shift = call.int_param(_P_LEFT_SHIFT)
    a = multiply_away(a << left_shift, call.int_param(_P_A_MULTIPLIER), call.int_param(_P_A_SHIFT))
    b = multiply_away(b << left_shift, call.int_param(_P_B_MULTIPLIER), call.int_param(_P_B_SHIFT))
    return a - b if kind == _SUB else a + b


def _extremum_row(call, i, i_step, j, j_step, result):
    left = call.input(0).data
    right = call.input(1).data
    out = call.output()
    take = max if call.int_param(_P_KIND) == _MAX else min
    low = call.int_param(_P_ACTIVATION_MIN)
    high = call.int_param(_P_ACTIVATION_MAX)
    for _ in range(out.w):
        out.data[result] = min(max(take(left[i], right[j]), low), high)
        i += i_step
        j += j_step
        result += out.ps
