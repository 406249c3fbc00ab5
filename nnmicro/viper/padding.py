"""A border of one value, row by row. Formula and parameters: reference/padding.py, which does the other modes."""

import micropython

from ..port import F32, ITEM_BYTES, const
from ..reference import padding as reference
from . import move

_P_FRONT = const(0)
_P_TOP = const(1)
_P_LEFT = const(2)
_P_MODE = const(3)
_P_VALUE = const(4)


def run(call):
    if call.int_param(_P_MODE):
        reference.run(call)
        return
    x = call.input(0)
    out = call.output()
    front = call.int_param(_P_FRONT)
    top = call.int_param(_P_TOP)
    left = call.int_param(_P_LEFT)
    item = ITEM_BYTES[out.dtype]
    # As bits: a float would be an object on the heap.
    at = call.first_param + _P_VALUE
    is_float = 1 if out.dtype == F32 else 0
    for y in range(call.y0, call.y1):
        j = out.at(0, y)
        _fill(out.data, call.params, at, is_float, item, j, out.cs, out.ps, out.c, out.w)
        if 0 <= y - top < x.h:
            j += front * out.cs + left * out.ps
            move.block(x, x.at(0, y - top), x.cs, x.ps, out, j, out.cs, out.ps, x.c, x.w)


@micropython.viper
def _fill(
    out: ptr8,
    params: ptr32,
    at: int,
    is_float: int,
    item: int,
    j: int,
    to_line: int,
    to_step: int,
    lines: int,
    count: int,
):
    """The float in parameter word `at`, or the integer from -128 to 127 that it is, in `lines` times `count` places."""
    value = params[at]
    if not is_float:
        # The bits of a float32: eight of the exponent, 24 of the fraction with its hidden one.
        bits = value
        value = 0
        if bits >> 23 & 255 >= 127:
            value = (bits & 0x7FFFFF | 0x800000) >> 150 - (bits >> 23 & 255)
        if bits >> 31:
            value = 0 - value
    to = int(out) + j * item
    to_line *= item
    to_step *= item
    while lines:
        out = ptr8(to)
        n = count
        while n:
            if item == 1:
                out[0] = value
            elif item == 2:
                ptr16(out)[0] = value
            else:
                ptr32(out)[0] = value
            out = ptr8(int(out) + to_step)
            n -= 1
        to += to_line
        lines -= 1
