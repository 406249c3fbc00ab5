"""A factor and a term for each channel, or each column, by rows; formula and parameters: reference/scale.py."""

from ..port import const
from ..reference import scale as reference
from .array import activated, constant, planes, row_start, rows_at_once, table

_P_AXIS = const(0)
_P_ACTIVATION = const(1)
_P_ACTIVATION_A = const(2)
_P_ACTIVATION_B = const(3)

_IN_PLACE = const(1)


def run(call):
    x = call.input(0)
    out = call.output()
    axis = call.int_param(_P_AXIS)
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    factors = constant(call.input(1))
    terms = constant(call.input(2))
    source = table(x)
    result = table(out)
    if axis == 2 and source is not None and result is not None:
        part = source[call.y0 : call.y1]
        result[call.y0 : call.y1] = activated(kind, a, b, part * factors + terms)
        return
    source = planes(x)
    result = planes(out)
    if source is None or result is None or axis == 1:
        reference.run(call)
        return
    rows = 1
    if axis == 0:
        factors = factors.reshape((x.c, 1))
        terms = terms.reshape((x.c, 1))
        rows = rows_at_once(call)
    for y in range(call.y0, call.y1, rows):
        width = min(rows, call.y1 - y) * out.w
        i = row_start(x, y)
        j = row_start(out, y)
        result[:, j : j + width] = activated(kind, a, b, source[:, i : i + width] * factors + terms)
