"""A regular part of a tensor.

    y[c, p, q] = x[start_c + c * step_c, start_h + p * step_h, start_w + q * step_w]

The part's size is the shape of y. Steps are at least 1.

Source: ONNX operators Slice and Split.
"""

from ..errors import ModelError
from ..port import const
from . import checks

_P_START_C = const(0)
_P_START_H = const(1)
_P_START_W = const(2)
_P_STEP_C = const(3)
_P_STEP_H = const(4)
_P_STEP_W = const(5)


def check(call):
    checks.operands(call, "slice", 1, 1, 6, dtype=0)
    x = call.input(0)
    out = call.output()
    _check_axis(call, "c", _P_START_C, _P_STEP_C, x.c, out.c)
    _check_axis(call, "h", _P_START_H, _P_STEP_H, x.h, out.h)
    _check_axis(call, "w", _P_START_W, _P_STEP_W, x.w, out.w)


def _check_axis(call, axis, start_index, step_index, size, count):
    start = checks.within(call, "slice", start_index, "start_" + axis, 0)
    step = checks.within(call, "slice", step_index, "step_" + axis, 1)
    if start + (count - 1) * step >= size:
        raise ModelError(
            "slice: %d elements from %d by %d along %s reach beyond the %d of the input"
            % (count, start, step, axis, size)
        )


def run(call):
    x = call.input(0)
    data = x.data
    out = call.output()
    results = out.data
    result_step = out.ps
    step_c = call.int_param(_P_STEP_C)
    step_h = call.int_param(_P_STEP_H)
    step = call.int_param(_P_STEP_W) * x.ps
    offset = call.int_param(_P_START_W) * x.ps
    start_h = call.int_param(_P_START_H)
    channel = call.int_param(_P_START_C)
    for c in range(out.c):
        for y in range(call.y0, call.y1):
            i = x.at(channel, start_h + y * step_h) + offset
            j = out.at(c, y)
            for _ in range(out.w):
                results[j] = data[i]
                i += step
                j += result_step
        channel += step_c
