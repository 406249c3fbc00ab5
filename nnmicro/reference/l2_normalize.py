"""Division by the length along one axis: y[k] = x[k] / max(sqrt(sum of x[j] ** 2), epsilon).

x and y: c x h x w; `axis`: 0 c, 1 h (whole tensors only), 2 w.

Source: TFLite operator L2_NORMALIZATION (epsilon 1e-6), ONNX operator LpNormalization with p = 2.
"""

from math import sqrt

from ..port import const
from . import along_axis, checks, checks_int8

_P_AXIS = const(0)
_P_EPSILON = const(1)

_IN_PLACE = const(1)


def check(call):
    checks.operands(call, "l2_normalize", 1, 1, 2)
    along_axis.check(call, "l2_normalize", _P_AXIS)
    checks_int8.scale(call, "l2_normalize", _P_EPSILON, "epsilon")


def run(call):
    along_axis.each(call, "l2_normalize", call.int_param(_P_AXIS), _line)


def _line(call, first, step, result, result_step, count):
    data = call.input(0).data
    results = call.output().data
    total = 0.0
    i = first
    for _ in range(count):
        total += data[i] * data[i]
        i += step
    total = sqrt(total)
    # Written so that a NaN stays one.
    if total < call.float_param(_P_EPSILON):
        total = call.float_param(_P_EPSILON)
    i = first
    for _ in range(count):
        results[result] = data[i] / total
        i += step
        result += result_step
