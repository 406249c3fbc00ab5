"""Calls a function for every line of elements along one axis: what softmax-like layers have in common."""

from . import checks


def check(call, layer, index):
    """Refuse an axis (parameter `index`) that is none of 0 c, 1 h, 2 w, or an output of another shape."""
    checks.same_shape(layer, call.input(0), call.output())
    checks.within(call, layer, index, "axis", 0, 2)


def each(call, layer, axis, line):
    """line(call, first, step, result, result_step, count) for each line of x; along h of whole tensors only."""
    x = call.input(0)
    out = call.output()
    if axis == 1:
        checks.whole(call, layer, " along h")
        for c in range(x.c):
            for q in range(x.w):
                line(call, x.at(c, 0) + q * x.ps, x.rs, out.at(c, 0) + q * out.ps, out.rs, x.h)
        return
    for y in range(call.y0, call.y1):
        if axis == 0:
            for q in range(x.w):
                line(call, x.at(0, y) + q * x.ps, x.cs, out.at(0, y) + q * out.ps, out.cs, x.c)
        else:
            for c in range(x.c):
                line(call, x.at(c, y), x.ps, out.at(c, y), out.ps, x.w)
