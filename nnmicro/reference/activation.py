"""An activation as a layer of its own: y = ACT(x), element by element; see activate.py.

x and y: c x h x w.
"""

from ..port import const
from . import activate, checks

_P_ACTIVATION = const(0)
_P_ACTIVATION_A = const(1)
_P_ACTIVATION_B = const(2)

_IN_PLACE = const(1)


def check(call):
    checks.operands(call, "activation", 1, 1, 3)
    checks.same_shape("activation", call.input(0), call.output())
    activate.check(call, "activation", _P_ACTIVATION)


def run(call):
    x = call.input(0)
    data = x.data
    step = x.ps
    out = call.output()
    results = out.data
    result_step = out.ps
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    activated = activate.apply
    for c in range(x.c):
        for y in range(call.y0, call.y1):
            i = x.at(c, y)
            j = out.at(c, y)
            for _ in range(x.w):
                results[j] = activated(kind, a, b, data[i])
                i += step
                j += result_step
