"""Softmax along one axis: y[k] = exp(x[k] - max(x)) / sum of exp(x[j] - max(x)).

x and y: c x h x w; `axis`: 0 c, 1 h (whole tensors only), 2 w. Without the maximum, which cancels out, exp
overflows.

Source: ONNX operator Softmax (opset 13).
"""

from math import exp

from ..port import const
from . import checks

_P_AXIS = const(0)

_IN_PLACE = const(1)


def check(call):
    checks.operands(call, "softmax", 1, 1, 1)
    checks.same_shape("softmax", call.input(0), call.output())
    checks.within(call, "softmax", _P_AXIS, "axis", 0, 2)


def run(call):
    x = call.input(0)
    out = call.output()
    axis = call.int_param(_P_AXIS)
    if axis == 1:
        checks.whole(call, "softmax along h")
        for c in range(x.c):
            for q in range(x.w):
                _softmax(x.data, x.at(c, 0) + q * x.ps, x.rs, out.data, out.at(c, 0) + q * out.ps, out.rs, x.h)
        return
    for y in range(call.y0, call.y1):
        if axis == 0:
            for q in range(x.w):
                _softmax(x.data, x.at(0, y) + q * x.ps, x.cs, out.data, out.at(0, y) + q * out.ps, out.cs, x.c)
        else:
            for c in range(x.c):
                _softmax(x.data, x.at(c, y), x.ps, out.data, out.at(c, y), out.ps, x.w)


def _softmax(data, first, step, results, first_result, result_step, count):
    largest = data[first]
    i = first
    for _ in range(count):
        item = data[i]
        if item > largest:
            largest = item
        i += step
    total = 0.0
    i = first
    j = first_result
    for _ in range(count):
        item = exp(data[i] - largest)
        total += item
        results[j] = item
        i += step
        j += result_step
    j = first_result
    for _ in range(count):
        results[j] = results[j] / total
        j += result_step
