"""Lines along channels or columns to mean 0 and variance 1, by rows; parameters: reference/normalization.py."""

from ..port import const
from ..reference import normalization as reference
from .array import np, planes, row_start, rows_at_once, table

_P_AXIS = const(0)
_P_CENTRED = const(1)
_P_EPSILON = const(2)

_IN_PLACE = const(1)


def run(call):
    x = call.input(0)
    out = call.output()
    axis = call.int_param(_P_AXIS)
    source = table(x)
    result = table(out)
    if axis == 2 and source is not None and result is not None:
        result[call.y0 : call.y1] = _normalized(call, source[call.y0 : call.y1], 1)
        return
    source = planes(x)
    result = planes(out)
    if source is None or result is None or axis == 1:
        reference.run(call)
        return
    rows = rows_at_once(call) if axis == 0 else 1
    for y in range(call.y0, call.y1, rows):
        width = min(rows, call.y1 - y) * out.w
        i = row_start(x, y)
        j = row_start(out, y)
        result[:, j : j + width] = _normalized(call, source[:, i : i + width], 0 if axis == 0 else 1)


def _normalized(call, x, axis):
    if call.int_param(_P_CENTRED):
        x = x - np.mean(x, axis=axis, keepdims=True)
    variance = np.mean(x * x, axis=axis, keepdims=True)
    return x / np.sqrt(variance + call.float_param(_P_EPSILON))
