"""A regular part of a tensor, row by row of all channels. Formula and parameters: reference/slice.py."""

from ..port import const
from . import move

_P_START_C = const(0)
_P_START_H = const(1)
_P_START_W = const(2)
_P_STEP_C = const(3)
_P_STEP_H = const(4)
_P_STEP_W = const(5)


def run(call):
    x = call.input(0)
    out = call.output()
    offset = call.int_param(_P_START_W) * x.ps
    # A step between channels or columns of which there is one may be as long as it likes.
    line = call.int_param(_P_STEP_C) * x.cs if out.c > 1 else 0
    step = call.int_param(_P_STEP_W) * x.ps if out.w > 1 else 0
    channel = call.int_param(_P_START_C)
    for y in range(call.y0, call.y1):
        i = x.at(channel, call.int_param(_P_START_H) + y * call.int_param(_P_STEP_H)) + offset
        move.block(x, i, line, step, out, out.at(0, y), out.cs, out.ps, out.c, out.w)
