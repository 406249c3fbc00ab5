"""The logarithm of softmax along one axis: y[k] = x[k] - max(x) - log(sum of exp(x[j] - max(x))).

x and y: c x h x w; `axis`: 0 c, 1 h (whole tensors only), 2 w.

Source: TFLite operator LOG_SOFTMAX, ONNX operator LogSoftmax (opset 13).
"""

from math import exp, log

from ..port import const
from . import along_axis, checks

_P_AXIS = const(0)

_IN_PLACE = const(1)


def check(call):
    checks.operands(call, "log_softmax", 1, 1, 1)
    along_axis.check(call, "log_softmax", _P_AXIS)


def run(call):
    along_axis.each(call, "log_softmax", call.int_param(_P_AXIS), _line)


def _line(call, first, step, result, result_step, count):
    data = call.input(0).data
    results = call.output().data
    largest = data[first]
    i = first
    for _ in range(count):
        item = data[i]
        if item > largest:
            largest = item
        i += step
    total = 0.0
    i = first
    for _ in range(count):
        total += exp(data[i] - largest)
        i += step
    # The largest element adds 1, so there is a logarithm; NaNs stay what they are.
    total = log(total) if total > 0.0 else total
    i = first
    for _ in range(count):
        results[result] = data[i] - largest - total
        i += step
        result += result_step
