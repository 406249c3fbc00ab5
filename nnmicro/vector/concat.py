"""Concatenation by rows of all channels; parameters: reference/concat.py."""

from ..port import const
from ..reference import concat as reference
from .array import planes, row_start

_P_AXIS = const(0)


def run(call):
    out = call.output()
    result = planes(out)
    axis = call.int_param(_P_AXIS)
    if result is None:
        reference.run(call)
        return
    for i in range(call.n_in):
        if planes(call.input(i)) is None:
            reference.run(call)
            return
    start = 0
    for i in range(call.n_in):
        x = call.input(i)
        source = planes(x)
        channel = start if axis == 0 else 0
        column = start if axis == 2 else 0
        for y in range(call.y0, call.y1 if reference.moves(x, out, axis, start) else 0):
            row = y - start if axis == 1 else y
            if 0 <= row < x.h:
                k = row_start(x, row)
                j = row_start(out, y) + column
                result[channel : channel + x.c, j : j + x.w] = source[:, k : k + x.w]
        start += (x.c, x.h, x.w)[axis]
