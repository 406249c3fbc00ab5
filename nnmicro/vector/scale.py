"""A factor and a term for each channel, by rows; formula and parameters: reference/scale.py."""

from ..port import const
from ..reference import scale as reference
from .array import activated, constant, planes, row_start, rows_at_once

_P_AXIS = const(0)
_P_ACTIVATION = const(1)
_P_ACTIVATION_A = const(2)
_P_ACTIVATION_B = const(3)

_IN_PLACE = const(1)


def run(call):
    x = call.input(0)
    out = call.output()
    source = planes(x)
    result = planes(out)
    if source is None or result is None or call.int_param(_P_AXIS) != 0:
        reference.run(call)
        return
    factors = constant(call.input(1)).reshape((x.c, 1))
    terms = constant(call.input(2)).reshape((x.c, 1))
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    rows = rows_at_once(call)
    for y in range(call.y0, call.y1, rows):
        width = min(rows, call.y1 - y) * out.w
        i = row_start(x, y)
        j = row_start(out, y)
        result[:, j : j + width] = activated(kind, a, b, source[:, i : i + width] * factors + terms)
