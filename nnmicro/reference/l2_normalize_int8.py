"""Division by the length along one axis of an int8 tensor; y's scale is 1/128 and its zero point 0.

    d[k] = x[k] - input_zero
    y[k] = clamp(128 * R * d[k])

R is the quantised multiplier that stands for 1 / sqrt(sum of d[j] ** 2) (inverse_root.py), and what is shifted out is
rounded to the nearest, halves away from zero. Where all d are 0 the sum counts as 1.

x and y: int8, c x h x w; `axis`: 0 c, 1 h (whole tensors only), 2 w.

Source: TFLite operator L2_NORMALIZATION, int8.
"""

from ..port import I8, const
from . import along_axis, checks_int8
from .fixed_point import multiply_away
from .inverse_root import inverse_root

_P_AXIS = const(0)
_P_INPUT_ZERO = const(1)

_IN_PLACE = const(1)

_OUTPUT_BITS = const(7)


def check(call):
    checks_int8.operands(call, "l2_normalize_int8", (I8, I8), 2)
    along_axis.check(call, "l2_normalize_int8", _P_AXIS)
    checks_int8.int8_param(call, "l2_normalize_int8", _P_INPUT_ZERO, "input_zero")


def run(call):
    along_axis.each(call, "l2_normalize_int8", call.int_param(_P_AXIS), _line)


def _line(call, first, step, result, result_step, count):
    data = call.input(0).data
    results = call.output().data
    zero = call.int_param(_P_INPUT_ZERO)
    total = 0
    i = first
    for _ in range(count):
        item = data[i] - zero
        total += item * item
        i += step
    multiplier, shift = inverse_root(total)
    shift += _OUTPUT_BITS
    i = first
    for _ in range(count):
        results[result] = min(max(multiply_away(data[i] - zero, multiplier, shift), -128), 127)
        i += step
        result += result_step
