"""A regular part of a tensor by rows of all channels; formula and parameters: reference/slice.py."""

from ..port import const
from ..reference import slice as reference
from .array import planes, row_start

_P_START_C = const(0)
_P_START_H = const(1)
_P_START_W = const(2)
_P_STEP_C = const(3)
_P_STEP_H = const(4)
_P_STEP_W = const(5)


def run(call):
    x = call.input(0)
    out = call.output()
    source = planes(x)
    result = planes(out)
    if source is None or result is None:
        reference.run(call)
        return
    first = call.int_param(_P_START_C)
    step_c = call.int_param(_P_STEP_C)
    end = first + (out.c - 1) * step_c + 1
    step = call.int_param(_P_STEP_W)
    width = (out.w - 1) * step + 1
    for y in range(call.y0, call.y1):
        i = row_start(x, call.int_param(_P_START_H) + y * call.int_param(_P_STEP_H)) + call.int_param(_P_START_W)
        j = row_start(out, y)
        result[:, j : j + out.w] = source[first:end:step_c, i : i + width : step]
