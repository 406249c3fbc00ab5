"""Products of int8 matrices, one for each channel, with a or b transposed first where asked for (matmul.py).

    acc        = sum over k of (A[i, k] - a_zero) * (B[k, j] - b_zero)
    y[c, i, j] = clamp(M * acc + output_zero)

between -128 and 127. M is the quantised multiplier of `multiplier` and `shift`, halves away from zero (fixed_point.py).

Source: TFLite operator BATCH_MATMUL, int8.
"""

from ..port import I8, const
from . import checks_int8, matrices
from .fixed_point import multiply_away

_P_TRANSPOSE_A = const(0)
_P_TRANSPOSE_B = const(1)
_P_A_ZERO = const(2)
_P_B_ZERO = const(3)
_P_MULTIPLIER = const(4)
_P_SHIFT = const(5)
_P_OUTPUT_ZERO = const(6)


def check(call):
    checks_int8.operands(call, "matmul_int8", (I8, I8, I8), 7)
    matrices.check(call, "matmul_int8")
    checks_int8.int8_param(call, "matmul_int8", _P_A_ZERO, "a_zero")
    checks_int8.int8_param(call, "matmul_int8", _P_B_ZERO, "b_zero")
    checks_int8.multiplier(call, "matmul_int8", _P_MULTIPLIER, "")
    checks_int8.int8_param(call, "matmul_int8", _P_OUTPUT_ZERO, "output_zero")


def run(call):
    out = call.output()
    depth, a_step, b_column, b_step = matrices.steps(call, "matmul_int8")
    multiplier = call.int_param(_P_MULTIPLIER)
    shift = call.int_param(_P_SHIFT)
    zero = call.int_param(_P_OUTPUT_ZERO)
    for c in range(out.c):
        for y in range(call.y0, call.y1):
            a = matrices.row(call, c, y)
            b = matrices.first(call.input(1), c)
            result = out.at(c, y)
            for _ in range(out.w):
                value = multiply_away(_product(call, a, a_step, b, b_step, depth), multiplier, shift) + zero
                out.data[result] = min(max(value, -128), 127)
                b += b_column
                result += out.ps


def _product(call, i, step, j, other_step, count):
    data = call.input(0).data
    other = call.input(1).data
    zero = call.int_param(_P_A_ZERO)
    other_zero = call.int_param(_P_B_ZERO)
    value = 0
    for _ in range(count):
        value += (data[i] - zero) * (other[j] - other_zero)
        i += step
        j += other_step
    return value
