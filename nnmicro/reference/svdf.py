"""A layer whose weights are products of a filter over the features and one over time, with a state.

    a[f]        = sum over k of feature[f, k] * x[k]
    state[f]    = the last `memory` values of a[f], oldest first, this one included
    y[o]        = ACT(bias[o] + sum over r, t of state[o * rank + r, t] * time[o * rank + r, t])

with filters f = 0 .. y.w * rank - 1. x and y: one row each. state: y.w * rank * memory elements, read and written.
feature: y.w * rank * x.w elements (f, k). time: as many as state. bias (optional): y.w.

Source: TFLite operator SVDF; Nakkiran et al., "Compressing Deep Neural Networks using a Rank-Constrained Topology".
"""

from ..port import F32, const
from . import activate, checks, svdf_shapes

_P_RANK = const(0)
_P_ACTIVATION = const(1)
_P_ACTIVATION_A = const(2)
_P_ACTIVATION_B = const(3)

# Inputs that the layer writes, too: they have to be blobs that are kept between inferences.
_STATES = (1,)


def check(call):
    checks.operands(call, "svdf", 4, 5, 4, F32)
    svdf_shapes.check(call, "svdf", _P_RANK)
    activate.check(call, "svdf", _P_ACTIVATION)


def run(call):
    checks.whole(call, "svdf")
    out = call.output()
    rank = call.int_param(_P_RANK)
    state = call.input(1)
    weights = call.input(2)
    times = call.input(3)
    memory = state.w // (out.w * rank)
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    j = weights.base
    s = state.base
    t = times.base
    result = out.base
    for o in range(out.w):
        value = call.input(4).data[call.input(4).base + o] if call.n_in == 5 else 0.0
        for _ in range(rank):
            svdf_shapes.shift(state.data, s, memory)
            state.data[s + memory - 1] = _dot(call.input(0), weights.data, j)
            j += call.input(0).w
            for _ in range(memory):
                value += state.data[s] * times.data[t]
                s += 1
                t += 1
        out.data[result] = activate.apply(kind, a, b, value) if kind else value
        result += out.ps


def _dot(x, weights, j):
    value = 0.0
    i = x.base
    for _ in range(x.w):
        value += x.data[i] * weights[j]
        i += x.ps
        j += 1
    return value
