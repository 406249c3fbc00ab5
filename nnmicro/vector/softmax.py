"""Softmax along channels or columns, by rows; formula and parameters: reference/softmax.py."""

from ..port import const
from ..reference import softmax as reference
from .array import np, planes, row_start, rows_at_once, table

_P_AXIS = const(0)

_IN_PLACE = const(1)


def run(call):
    x = call.input(0)
    out = call.output()
    axis = call.int_param(_P_AXIS)
    source = table(x)
    result = table(out)
    if axis == 2 and source is not None and result is not None:
        result[call.y0 : call.y1] = _softmax(source[call.y0 : call.y1], 1)
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
        row = source[:, i : i + width]
        result[:, j : j + width] = _softmax(row, 0 if axis == 0 else 1)


def _softmax(x, axis):
    x = np.exp(x - np.max(x, axis=axis, keepdims=True))
    x /= np.sum(x, axis=axis, keepdims=True)
    return x
