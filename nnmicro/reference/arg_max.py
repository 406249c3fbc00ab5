"""Where along one axis the largest (kind 0) or the smallest (kind 1) element lies; the first of equal ones.

x: c x h x w, of any type. y: int32, x's shape with 1 along `axis`: 0 c, 1 h (whole tensors only), 2 w. NaNs are
passed over, unless one comes first.

Source: TFLite operators ARG_MAX and ARG_MIN, ONNX operators ArgMax and ArgMin with select_last_index 0.
"""

from ..errors import ModelError
from ..port import I32, const
from . import checks, checks_int8

_P_KIND = const(0)
_P_AXIS = const(1)


def check(call):
    checks_int8.counts(call, "arg_max", 1, 2)
    x = call.input(0)
    out = call.output()
    # The call's only operands: x against its own type is a check of its sizes.
    checks_int8.operands(call, "arg_max", (x.dtype if 0 < x.dtype <= I32 else I32, I32), 2)
    checks.within(call, "arg_max", _P_KIND, "kind", 0, 1)
    axis = checks.within(call, "arg_max", _P_AXIS, "axis", 0, 2)
    if out.c != (1 if axis == 0 else x.c) or out.h != (1 if axis == 1 else x.h) or out.w != (1 if axis == 2 else x.w):
        raise ModelError(
            "arg_max: the output is %d x %d x %d; along axis %d of %d x %d x %d it must have 1, elsewhere as many"
            % (out.c, out.h, out.w, axis, x.c, x.h, x.w)
        )


def run(call):
    x = call.input(0)
    out = call.output()
    axis = call.int_param(_P_AXIS)
    least = call.int_param(_P_KIND) == 1
    if axis == 1:
        checks.whole(call, "arg_max along h")
        for c in range(x.c):
            for q in range(x.w):
                out.data[out.at(c, 0) + q * out.ps] = _place(x.data, x.at(c, 0) + q * x.ps, x.rs, x.h, least)
        return
    for y in range(call.y0, call.y1):
        if axis == 0:
            for q in range(x.w):
                out.data[out.at(0, y) + q * out.ps] = _place(x.data, x.at(0, y) + q * x.ps, x.cs, x.c, least)
        else:
            for c in range(x.c):
                out.data[out.at(c, y)] = _place(x.data, x.at(c, y), x.ps, x.w, least)


def _place(data, i, step, count, least):
    found = 0
    best = data[i]
    for k in range(1, count):
        i += step
        item = data[i]
        if item < best if least else item > best:
            best = item
            found = k
    return found
