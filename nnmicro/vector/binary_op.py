"""Two operands by rows of all channels; formula and parameters: reference/binary_op.py."""

from ..port import const
from ..reference import binary_op as reference
from .array import activated, np, planes, quiet, row_start, rows_at_once, table

_P_KIND = const(0)
_P_ACTIVATION = const(1)
_P_ACTIVATION_A = const(2)
_P_ACTIVATION_B = const(3)

_IN_PLACE = const(1)

_ADD = const(0)
_SUB = const(1)
_MUL = const(2)
_DIV = const(3)
_MAX = const(4)
_MIN = const(5)
_POW = const(6)
_REVERSE_SUB = const(7)


def run(call):
    a = call.input(0)
    b = call.input(1)
    out = call.output()
    kind = call.int_param(_P_KIND)
    activation = call.int_param(_P_ACTIVATION)
    low = call.float_param(_P_ACTIVATION_A)
    high = call.float_param(_P_ACTIVATION_B)
    left = table(a)
    right = table(b)
    result = table(out)
    if left is not None and right is not None and result is not None:
        with quiet():
            value = _combined(kind, _rows(call, a, left), _rows(call, b, right))
            result[call.y0 : call.y1] = activated(activation, low, high, value)
        return
    left = planes(a)
    right = planes(b)
    result = planes(out)
    if left is None or right is None or result is None:
        reference.run(call)
        return
    rows = rows_at_once(call) if _in_one_piece(a, out) and _in_one_piece(b, out) else 1
    with quiet():
        for y in range(call.y0, call.y1, rows):
            width = min(rows, call.y1 - y) * out.w
            j = row_start(out, y)
            value = _combined(kind, _part(a, out, left, y, width), _part(b, out, right, y, width))
            result[:, j : j + width] = activated(activation, low, high, value)


def _rows(call, x, matrix):
    """Of an operand of one channel the rows that are asked for, or the one that stands for all of them."""
    return matrix[call.y0 : call.y1] if x.h > 1 else matrix


def _in_one_piece(x, out):
    return x.h == x.w == 1 or (x.h == out.h and x.w == out.w and x.rows == x.h and x.rs == x.w)


def _part(x, out, plane, y, width):
    """`width` columns from row `y` on, or what stands for them: a row for every row, a column for all columns."""
    start = row_start(x, y if x.h > 1 else 0)
    stands_for_all = x.w == 1 and (
        x.h == 1 or out.w > 1
    )  # columns of one element may be several rows of the operand's own
    return plane[:, start : start + (1 if stands_for_all else width)]


def _combined(kind, a, b):
    if kind == _ADD:
        return a + b
    if kind == _SUB:
        return a - b
    if kind == _MUL:
        return a * b
    if kind == _DIV:
        return a / b
    if kind == _MAX:
        return np.maximum(a, b)
    if kind == _MIN:
        return np.minimum(a, b)
    if kind == _POW:
        return a**b
    if kind == _REVERSE_SUB:
        return b - a
    return b / a
