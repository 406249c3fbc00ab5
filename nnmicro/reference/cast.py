"""The same numbers as elements of another type; it crosses layouts by the strides.

Floats lose their fraction, towards zero; what is too large or too small for an integer type becomes its highest or
lowest value, a NaN 0. An integer that does not fit into the other integer type keeps its lowest bits.

x, y: c x h x w, of any types.

Source: ONNX operator Cast, TFLite operator CAST.
"""

from ..errors import ModelError
from ..port import F32, I32, ITEM_BYTES, U8
from . import checks, checks_int8


def check(call):
    checks_int8.counts(call, "cast", 1, 0)
    types = (call.input(0).dtype, call.output().dtype)
    for dtype in types:
        if not F32 <= dtype <= I32:
            raise ModelError("cast: a tensor is of unknown type %d, expected 1 to %d" % (dtype, I32))
    checks_int8.operands(call, "cast", types, 0)
    checks.same_shape("cast", call.input(0), call.output())


def run(call):
    x = call.input(0)
    out = call.output()
    to_float = out.dtype == F32
    from_float = x.dtype == F32
    bits = 8 * ITEM_BYTES[out.dtype]
    low = 0 if out.dtype == U8 else -(1 << (bits - 1))
    high = low + (1 << bits) - 1
    for c in range(x.c):
        for y in range(call.y0, call.y1):
            i = x.at(c, y)
            j = out.at(c, y)
            for _ in range(x.w):
                value = x.data[i]
                if to_float:
                    out.data[j] = value
                elif from_float:
                    out.data[j] = _whole(value, low, high)
                else:
                    out.data[j] = ((value - low) & (high - low)) + low
                i += x.ps
                j += out.ps


def _whole(value, low, high):
    if value != value:
        return 0
    if value >= high:
        return high
    return low if value <= low else int(value)
