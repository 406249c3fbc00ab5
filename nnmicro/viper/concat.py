"""Concatenation, row by row of all channels. Parameters: reference/concat.py."""

from ..port import const
from . import move

_P_AXIS = const(0)


def run(call):
    axis = call.int_param(_P_AXIS)
    out = call.output()
    start = 0
    for i in range(call.n_in):
        x = call.input(i)
        c = start if axis == 0 else 0
        q = start if axis == 2 else 0
        there = x.lies_at(out.base + start * (out.cs if axis == 0 else out.rs if axis == 1 else out.ps), out)
        for y in range(call.y0, 0 if there else call.y1):
            row = y - start if axis == 1 else y
            if 0 <= row < x.h:
                move.block(x, x.at(0, row), x.cs, x.ps, out, out.at(c, y) + q * out.ps, out.cs, out.ps, x.c, x.w)
        start += x.c if axis == 0 else x.h if axis == 1 else x.w
