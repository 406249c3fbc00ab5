"""A factor and a term for each index along one axis: y = ACT(x * a[k] + b[k]).

x and y: c x h x w. a, b: as many elements as x has along `axis` (0 c, 1 h, 2 w); k is the index along it.

Source: batch normalisation at inference, a = gamma / sqrt(variance + epsilon), b = beta - mean * a.
"""

from ..port import const
from . import activate, checks

_P_AXIS = const(0)
_P_ACTIVATION = const(1)
_P_ACTIVATION_A = const(2)
_P_ACTIVATION_B = const(3)

_IN_PLACE = const(1)


def check(call):
    checks.operands(call, "scale", 3, 3, 4)
    x = call.input(0)
    checks.same_shape("scale", x, call.output())
    axis = checks.within(call, "scale", _P_AXIS, "axis", 0, 2)
    size = (x.c, x.h, x.w)[axis]
    checks.constant(call, "scale", 1, "factor", size)
    checks.constant(call, "scale", 2, "term", size)
    activate.check(call, "scale", _P_ACTIVATION)


def run(call):
    x = call.input(0)
    axis = call.int_param(_P_AXIS)
    for c in range(x.c):
        for y in range(call.y0, call.y1):
            if axis == 2:
                _row(call, c, y, 0, 1)
            else:
                _row(call, c, y, c if axis == 0 else y, 0)


def _row(call, c, y, k, k_step):
    x = call.input(0)
    data = x.data
    i = x.at(c, y)
    out = call.output()
    j = out.at(c, y)
    factors = call.input(1).data
    factor = call.input(1).base + k
    terms = call.input(2).data
    term = call.input(2).base + k
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    for _ in range(x.w):
        value = data[i] * factors[factor] + terms[term]
        out.data[j] = activate.apply(kind, a, b, value) if kind else value
        i += x.ps
        j += out.ps
        factor += k_step
        term += k_step
