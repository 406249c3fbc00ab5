"""Softmax along channels or columns, by rows; formula and parameters: reference/softmax.py."""

from ..port import const
from ..reference import softmax as reference
from .array import np, planes, row_start, rows_at_once

_P_AXIS = const(0)

_IN_PLACE = const(1)


def run(call):
    x = call.input(0)
    out = call.output()
    source = planes(x)
    result = planes(out)
    axis = call.int_param(_P_AXIS)
    if source is None or result is None or axis == 1:
        reference.run(call)
        return
    rows = rows_at_once(call) if axis == 0 else 1
    for y in range(call.y0, call.y1, rows):
        width = min(rows, call.y1 - y) * out.w
        i = row_start(x, y)
        j = row_start(out, y)
        row = source[:, i : i + width]
        if axis == 0:
            row = np.exp(row - np.max(row, axis=0).reshape((1, width)))
            row = row / np.sum(row, axis=0).reshape((1, width))
        else:
            row = np.exp(row - np.max(row, axis=1).reshape((x.c, 1)))
            row = row / np.sum(row, axis=1).reshape((x.c, 1))
        result[:, j : j + width] = row
