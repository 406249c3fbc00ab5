"""Two operands, element by element: y = ACT(a op b).

`kind`: 0 a + b, 1 a - b, 2 a * b, 3 a / b, 4 max, 5 min, 6 a to the power b, 7 b - a, 8 b / a. Each of c, h
and w of an operand equals the output's or is 1 (and is then used for all of them). Division by zero and
powers outside the reals give infinities and NaNs, as in IEEE 754, and no exception.

In place only where the shape of a is the output's.

Source: ONNX operators Add, Sub, Mul, Div, Max, Min, Pow.
"""

from math import copysign, floor, isnan
from math import pow as power

from ..port import const
from . import activate, broadcast, checks

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
_REVERSE_DIV = const(8)


def check(call):
    checks.operands(call, "binary_op", 2, 2, 4)
    checks.within(call, "binary_op", _P_KIND, "kind", 0, _REVERSE_DIV)
    activate.check(call, "binary_op", _P_ACTIVATION)
    broadcast.check_pair(call, "binary_op")


def run(call):
    a = call.input(0)
    b = call.input(1)
    out = call.output()
    for c in range(out.c):
        for y in range(call.y0, call.y1):
            i = broadcast.row(a, c, y)
            j = broadcast.row(b, c, y)
            _row(call, i, broadcast.column_step(a), j, broadcast.column_step(b), out.at(c, y))


def _row(call, i, i_step, j, j_step, result):
    left = call.input(0).data
    right = call.input(1).data
    out = call.output()
    results = out.data
    step = out.ps
    kind = call.int_param(_P_KIND)
    activation = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    for _ in range(out.w):
        if kind == _ADD:
            value = left[i] + right[j]
        elif kind == _MUL:
            value = left[i] * right[j]
        else:
            value = combine(kind, left[i], right[j])
        results[result] = activate.apply(activation, a, b, value) if activation else value
        i += i_step
        j += j_step
        result += step


def combine(kind, a, b):
    """The value of one of the rarer kinds."""
    if kind == _SUB:
        return a - b
    if kind == _REVERSE_SUB:
        return b - a
    if kind == _DIV:
        return _divide(a, b)
    if kind == _REVERSE_DIV:
        return _divide(b, a)
    if kind == _POW:
        return _power(a, b)
    # A NaN on either side is the result, as in ONNX.
    if kind == _MAX:
        return a if a > b or isnan(a) else b
    return a if a < b or isnan(a) else b


def _divide(a, b):
    if b != 0.0:
        return a / b
    if a == 0.0 or isnan(a):
        return float("nan")
    return copysign(float("inf"), a) * copysign(1.0, b)


def _power(a, b):
    try:
        return power(a, b)
    except (ValueError, OverflowError, ZeroDivisionError):
        # Python raises where C's pow gives an infinity or a NaN. Here b is finite.
        whole = b == floor(b)
        if a < 0.0 and not whole:
            return float("nan")
        infinity = float("inf")
        return copysign(infinity, a) if whole and b % 2.0 == 1.0 else infinity
