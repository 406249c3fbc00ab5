"""Softmax along one axis of an int8 tensor.

    e[k] = table[255 - (max(x) - x[k])]
    y[k] = clamp(e[k] * (1 / (sum of e * output_scale)) + output_zero)

In single precision, every operation rounded, the sum in the order of k; the product goes to the nearest integer,
halves away from zero. table[255 - d] is exp(-beta * input_scale * d).

x and y: int8, c x h x w; `axis`: 0 c, 1 h (whole tensors only), 2 w. table: float32, 256 elements.

Source: TFLite operator SOFTMAX, int8.
"""

from array import array

from ..port import F32, I8, const
from . import checks, checks_int8
from .fixed_point import round_away, single

_P_AXIS = const(0)
_P_OUTPUT_SCALE = const(1)
_P_OUTPUT_ZERO = const(2)

_IN_PLACE = const(1)


def check(call):
    checks_int8.operands(call, "softmax_int8", (I8, F32, I8), 3)
    checks.same_shape("softmax_int8", call.input(0), call.output())
    checks.constant(call, "softmax_int8", 1, "table", 256)
    checks.within(call, "softmax_int8", _P_AXIS, "axis", 0, 2)
    checks_int8.scale(call, "softmax_int8", _P_OUTPUT_SCALE, "output_scale")
    checks_int8.int8_param(call, "softmax_int8", _P_OUTPUT_ZERO, "output_zero")


def run(call):
    x = call.input(0)
    out = call.output()
    axis = call.int_param(_P_AXIS)
    cell = array("f", (0.0,))
    if axis == 1:
        checks.whole(call, "softmax_int8 along h")
        for c in range(x.c):
            for q in range(x.w):
                _softmax(call, cell, x.at(c, 0) + q * x.ps, x.rs, out.at(c, 0) + q * out.ps, out.rs, x.h)
        return
    for y in range(call.y0, call.y1):
        if axis == 0:
            for q in range(x.w):
                _softmax(call, cell, x.at(0, y) + q * x.ps, x.cs, out.at(0, y) + q * out.ps, out.cs, x.c)
        else:
            for c in range(x.c):
                _softmax(call, cell, x.at(c, y), x.ps, out.at(c, y), out.ps, x.w)


def _softmax(call, cell, first, step, result, result_step, count):
    data = call.input(0).data
    table = call.input(1).data
    results = call.output().data
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
    total = single(cell, total * call.float_param(_P_OUTPUT_SCALE))
    # Only a damaged table adds up to zero; C's division gives an infinity there.
    inverse = single(cell, 1.0 / total) if total != 0.0 else float("inf")
    i = first
    for _ in range(count):
        value = single(cell, table[top + data[i]] * inverse)
        results[result] = round_away(value, -128 - zero, 127 - zero) + zero
        i += step
        result += result_step
