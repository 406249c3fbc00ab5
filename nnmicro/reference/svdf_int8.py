"""The layer of svdf.py with int8 inputs and outputs and a state of sixteen bits.

    a[f]     = clamp16(F * (sum over k of feature[f, k] * (x[k] - input_zero)))
    state[f] = the last `memory` values of a[f], oldest first, this one included
    y[o]     = clamp8(O * (bias[o] + sum over r, t of state[o * rank + r, t] * time[o * rank + r, t]) + output_zero)

F and O are the quantised multipliers of feature_* and output_*, halves away from zero (fixed_point.py); clamp16 is to
-32768 .. 32767, clamp8 to activation_min .. activation_max.

x, y, feature: int8. state, time: int16. bias: int32, y.w.

Source: TFLite operator SVDF, int8.
"""

from ..port import I8, I16, I32, const
from . import checks_int8, svdf_shapes
from .checks import whole
from .fixed_point import multiply_away

_P_RANK = const(0)
_P_INPUT_ZERO = const(1)
_P_FEATURE_MULTIPLIER = const(2)
_P_FEATURE_SHIFT = const(3)
_P_OUTPUT_MULTIPLIER = const(4)
_P_OUTPUT_SHIFT = const(5)
_P_OUTPUT_ZERO = const(6)
_P_ACTIVATION_MIN = const(7)
_P_ACTIVATION_MAX = const(8)

# Inputs that the layer writes, too: they have to be blobs that are kept between inferences.
_STATES = (1,)


def check(call):
    checks_int8.operands(call, "svdf_int8", (I8, I16, I8, I16, I32, I8), 9)
    svdf_shapes.check(call, "svdf_int8", _P_RANK)
    checks_int8.int8_param(call, "svdf_int8", _P_INPUT_ZERO, "input_zero")
    checks_int8.multiplier(call, "svdf_int8", _P_FEATURE_MULTIPLIER, "feature_")
    checks_int8.multiplier(call, "svdf_int8", _P_OUTPUT_MULTIPLIER, "output_")
    checks_int8.int8_param(call, "svdf_int8", _P_OUTPUT_ZERO, "output_zero")
    checks_int8.int8_param(call, "svdf_int8", _P_ACTIVATION_MIN, "activation_min")
    checks_int8.int8_param(call, "svdf_int8", _P_ACTIVATION_MAX, "activation_max")


def run(call):
    whole(call, "svdf_int8")
    out = call.output()
    rank = call.int_param(_P_RANK)
    state = call.input(1)
    times = call.input(3)
    memory = state.w // (out.w * rank)
    multiplier = call.int_param(_P_OUTPUT_MULTIPLIER)
    right = call.int_param(_P_OUTPUT_SHIFT)
    zero = call.int_param(_P_OUTPUT_ZERO)
    low = call.int_param(_P_ACTIVATION_MIN)
    high = call.int_param(_P_ACTIVATION_MAX)
    j = call.input(2).base
    s = state.base
    t = times.base
    result = out.base
    for o in range(out.w):
        value = call.input(4).data[call.input(4).base + o]
        for _ in range(rank):
            svdf_shapes.shift(state.data, s, memory)
            state.data[s + memory - 1] = _activation(call, j)
            j += call.input(0).w
            for _ in range(memory):
                value += state.data[s] * times.data[t]
                s += 1
                t += 1
        out.data[result] = min(max(multiply_away(value, multiplier, right) + zero, low), high)
        result += out.ps


def _activation(call, j):
    """What the filter with weights from index `j` on makes of x, in the state's sixteen bits."""
    x = call.input(0)
    weights = call.input(2).data
    zero = call.int_param(_P_INPUT_ZERO)
    value = 0
    i = x.base
    for _ in range(x.w):
        value += (x.data[i] - zero) * weights[j]
        i += x.ps
        j += 1
    value = multiply_away(value, call.int_param(_P_FEATURE_MULTIPLIER), call.int_param(_P_FEATURE_SHIFT))
    return min(max(value, -32768), 32767)
