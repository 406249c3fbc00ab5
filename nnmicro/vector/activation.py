"""An activation by rows of all channels; formula and parameters: reference/activation.py."""

from ..port import const
from ..reference import activation as reference
from .array import activated, planes, row_start, rows_at_once

_P_ACTIVATION = const(0)
_P_ACTIVATION_A = const(1)
_P_ACTIVATION_B = const(2)

_IN_PLACE = const(1)


def run(call):
    x = call.input(0)
    out = call.output()
    source = planes(x)
    result = planes(out)
    if source is None or result is None:
        reference.run(call)
        return
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    rows = rows_at_once(call)
    for y in range(call.y0, call.y1, rows):
        width = min(rows, call.y1 - y) * out.w
        i = row_start(x, y)
        j = row_start(out, y)
        result[:, j : j + width] = activated(kind, a, b, source[:, i : i + width])
