"""Each line along one axis brought to a mean of 0 and a variance of 1: y = (x - mean) / sqrt(variance + epsilon).

variance = mean of (x - mean) ** 2. With `centred` 0 the mean is left as it is: y = x / sqrt(mean of x * x + epsilon).

x and y: c x h x w; `axis`: 0 c, 1 h (whole tensors only), 2 w. epsilon: above 0.

Source: ONNX operators LayerNormalization, InstanceNormalization, GroupNormalization and RMSNormalization, before their
scales and biases: all of them normalise elements that are neighbours, and so one axis of another shape.
"""

from ..errors import ModelError
from ..port import const
from . import along_axis, checks
from .functions import root

_P_AXIS = const(0)
_P_CENTRED = const(1)
_P_EPSILON = const(2)

_IN_PLACE = const(1)


def check(call):
    checks.operands(call, "normalization", 1, 1, 3)
    along_axis.check(call, "normalization", _P_AXIS)
    checks.within(call, "normalization", _P_CENTRED, "centred", 0, 1)
    epsilon = call.float_param(_P_EPSILON)
    if not 0.0 < epsilon < float("inf"):
        raise ModelError("normalization: an epsilon of %s; it must be a number above 0" % epsilon)


def run(call):
    along_axis.each(call, "normalization", call.int_param(_P_AXIS), _line)


def _line(call, first, step, result, result_step, count):
    data = call.input(0).data
    results = call.output().data
    mean = 0.0
    if call.int_param(_P_CENTRED):
        i = first
        for _ in range(count):
            mean += data[i]
            i += step
        mean /= count
    variance = 0.0
    i = first
    for _ in range(count):
        item = data[i] - mean
        variance += item * item
        i += step
    factor = 1.0 / root(variance / count + call.float_param(_P_EPSILON), 0.0, 0.0)
    i = first
    for _ in range(count):
        results[result] = (data[i] - mean) * factor
        i += step
        result += result_step
