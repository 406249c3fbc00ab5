"""A rectifier with slopes: y = x where x >= 0, slope * x below; a NaN stays a NaN.

x and y: c x h x w. slope: each of its c, h and w is x's or 1, so it is one number, one for each channel, or any
other such part of x.

Source: ONNX operator PRelu, TFLite operator PRELU.
"""

from ..port import const
from . import broadcast, checks

_IN_PLACE = const(1)


def check(call):
    checks.operands(call, "prelu", 2, 2, 0)
    checks.same_shape("prelu", call.input(0), call.output())
    broadcast.check("prelu", "slope", call.input(1), call.output())


def run(call):
    x = call.input(0)
    slope = call.input(1)
    out = call.output()
    slope_step = broadcast.column_step(slope)
    for c in range(x.c):
        for y in range(call.y0, call.y1):
            i = x.at(c, y)
            k = broadcast.row(slope, c, y)
            j = out.at(c, y)
            for _ in range(x.w):
                value = x.data[i]
                out.data[j] = value * slope.data[k] if value < 0.0 else value
                i += x.ps
                j += out.ps
                k += slope_step
