"""Integers to float32: y = scale * (x - zero_point); it crosses layouts by the strides.

Elements are counted in the order of the source (order_int8.py, of x). The first `in_blocks` of them are
x * scale + (-zero_point * scale), the others (x - zero_point) * scale, in single precision with every operation
rounded. LiteRT's vector code takes eight elements at once: count // 8 * 8 in blocks.

x: int8, uint8 or int16, y: float32, both c x h x w.

Source: TFLite operator DEQUANTIZE.
"""

from array import array

from ..port import F32, const
from . import checks_int8
from .fixed_point import single
from .order_int8 import first_and_step

_P_SCALE = const(0)
_P_ZERO_POINT = const(1)
_P_IN_BLOCKS = const(2)


def check(call):
    checks_int8.counts(call, "dequantize", 1, 3)
    dtype = checks_int8.integer_type(call, "dequantize", call.input(0))
    checks_int8.conversion(call, "dequantize", (dtype, F32))


def run(call):
    x = call.input(0)
    out = call.output()
    zero = call.int_param(_P_ZERO_POINT)
    in_blocks = call.int_param(_P_IN_BLOCKS)
    scale = call.float_param(_P_SCALE)
    cell = array("f", (0.0,))
    offset = single(cell, -zero * scale)
    for c in range(x.c):
        for y in range(call.y0, call.y1):
            i = x.at(c, y)
            j = out.at(c, y)
            k, k_step = first_and_step(x, c, y)
            for _ in range(x.w):
                if k < in_blocks:
                    value = single(cell, x.data[i] * scale) + offset
                else:
                    value = (x.data[i] - zero) * scale
                out.data[j] = value
                i += x.ps
                j += out.ps
                k += k_step
