"""float32 to integers: y = clamp(x / scale + zero_point), to the nearest integer; it crosses layouts by the strides.

Elements are counted in the order of the source (order_int8.py, of y). The first `in_blocks` of them are multiplied
in single precision by the reciprocal of the scale, with halves to the even integer; the others are the integer nearest
to the exact quotient, with halves away from zero. LiteRT's vector code takes eight elements at once: count // 8 * 8 in
blocks. What is too large or too small for the type becomes its highest or lowest value, a NaN its lowest.

x: float32, y: int8, uint8 or int16, both c x h x w.

Source: TFLite operator QUANTIZE.
"""

from array import array

from ..port import F32, const
from . import checks_int8
from .fixed_point import round_even, round_quotient, single
from .order_int8 import first_and_step

_P_SCALE = const(0)
_P_ZERO_POINT = const(1)
_P_IN_BLOCKS = const(2)


def check(call):
    checks_int8.counts(call, "quantize", 1, 3)
    dtype = checks_int8.integer_type(call, "quantize", call.output())
    checks_int8.conversion(call, "quantize", (F32, dtype))


def run(call):
    x = call.input(0)
    out = call.output()
    zero = call.int_param(_P_ZERO_POINT)
    low = checks_int8.LOWEST[out.dtype] - zero
    high = checks_int8.HIGHEST[out.dtype] - zero
    in_blocks = call.int_param(_P_IN_BLOCKS)
    scale = call.float_param(_P_SCALE)
    cell = array("f", (0.0,))
    inverse = single(cell, 1.0 / scale)
    for c in range(x.c):
        for y in range(call.y0, call.y1):
            i = x.at(c, y)
            j = out.at(c, y)
            k, k_step = first_and_step(out, c, y)
            for _ in range(x.w):
                if k < in_blocks:
                    value = round_even(single(cell, x.data[i] * inverse), low, high)
                else:
                    value = round_quotient(x.data[i], scale, low, high)
                out.data[j] = value + zero
                i += x.ps
                j += out.ps
                k += k_step
