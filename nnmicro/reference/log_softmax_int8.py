"""The logarithm of softmax along one axis of an int8 tensor.

    sum  = sum over k of table[255 - (max(x) - x[k])], in the order of k
    y[k] = clamp(round((input_scale / output_scale) * x[k]
                       - (input_scale * max(x) + log(sum)) / output_scale) + output_zero)

In single precision, every operation (the logarithm, too) rounded to it; `round` is to the nearest integer, halves to
the even one. table[255 - d] is exp(-input_scale * d).

x and y: int8, c x h x w; `axis`: 0 c, 1 h (whole tensors only), 2 w. table: float32, 256 elements.

Source: TFLite operator LOG_SOFTMAX, int8.
"""

from array import array
from math import log

from ..port import F32, I8, const
from . import along_axis, checks, checks_int8
from .fixed_point import round_even, single

_P_AXIS = const(0)
_P_INPUT_SCALE = const(1)
_P_OUTPUT_SCALE = const(2)
_P_OUTPUT_ZERO = const(3)

_IN_PLACE = const(1)


def check(call):
    checks_int8.operands(call, "log_softmax_int8", (I8, F32, I8), 4)
    along_axis.check(call, "log_softmax_int8", _P_AXIS)
    checks.constant(call, "log_softmax_int8", 1, "table", 256)
    checks_int8.scale(call, "log_softmax_int8", _P_INPUT_SCALE, "input_scale")
    checks_int8.scale(call, "log_softmax_int8", _P_OUTPUT_SCALE, "output_scale")
    checks_int8.int8_param(call, "log_softmax_int8", _P_OUTPUT_ZERO, "output_zero")


def run(call):
    along_axis.each(call, "log_softmax_int8", call.int_param(_P_AXIS), _line)


def _line(call, first, step, result, result_step, count):
    data = call.input(0).data
    table = call.input(1).data
    results = call.output().data
    cell = array("f", (0.0,))
    input_scale = call.float_param(_P_INPUT_SCALE)
    output_scale = call.float_param(_P_OUTPUT_SCALE)
    zero = call.int_param(_P_OUTPUT_ZERO)
    largest = -128
    i = first
    for _ in range(count):
        largest = max(largest, data[i])
        i += step
    top = call.input(1).base + 255 - largest
    total = 0.0
    i = first
    for _ in range(count):
        total = single(cell, total + table[top + data[i]])
        i += step
    # Only a damaged table adds up to nothing or less.
    total = single(cell, log(total)) if total > 0.0 else 0.0
    offset = single(cell, single(cell, input_scale * largest) + total)
    offset = single(cell, offset / output_scale)
    scale = single(cell, input_scale / output_scale)
    i = first
    for _ in range(count):
        value = single(cell, single(cell, scale * data[i]) - offset)
        results[result] = round_even(value, -128 - zero, 127 - zero) + zero
        i += step
        result += result_step
