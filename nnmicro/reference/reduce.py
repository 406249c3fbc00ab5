"""One number for each line along an axis; `kind` says which.

| kind | y |
|---|---|
| 0 sum, 1 mean, 2 max, 3 min, 4 product | of x |
| 5 | sum of abs(x) |
| 6 | root of the sum of x * x |
| 7 | logarithm of the sum |
| 8 | logarithm of the sum of exp(x) |
| 9 | sum of x * x |

x: c x h x w. y: x's shape with 1 along `axis`: 0 c, 1 h (whole tensors only), 2 w. A NaN on a line is its maximum and
its minimum.

Source: ONNX operators ReduceSum .. ReduceSumSquare, ncnn layer Reduction; several axes are done one after the other.
"""

from ..errors import ModelError
from ..port import const
from . import checks
from . import functions as f

_P_KIND = const(0)
_P_AXIS = const(1)

_SUM = const(0)
_MEAN = const(1)
_MAX = const(2)
_MIN = const(3)
_PRODUCT = const(4)
_ABSOLUTE = const(5)
_LENGTH = const(6)
_LOG_SUM = const(7)
_LOG_SUM_EXP = const(8)
_SQUARES = const(9)


def check(call):
    checks.operands(call, "reduce", 1, 1, 2)
    x = call.input(0)
    out = call.output()
    checks.within(call, "reduce", _P_KIND, "kind", 0, _SQUARES)
    axis = checks.within(call, "reduce", _P_AXIS, "axis", 0, 2)
    if out.c != (1 if axis == 0 else x.c) or out.h != (1 if axis == 1 else x.h) or out.w != (1 if axis == 2 else x.w):
        raise ModelError(
            "reduce: the output is %d x %d x %d; along axis %d of %d x %d x %d it must have 1, elsewhere as many"
            % (out.c, out.h, out.w, axis, x.c, x.h, x.w)
        )


def run(call):
    x = call.input(0)
    out = call.output()
    axis = call.int_param(_P_AXIS)
    kind = call.int_param(_P_KIND)
    if axis == 1:
        checks.whole(call, "reduce", " along h")
        for c in range(x.c):
            for q in range(x.w):
                out.data[out.at(c, 0) + q * out.ps] = _reduced(kind, x.data, x.at(c, 0) + q * x.ps, x.rs, x.h)
        return
    for y in range(call.y0, call.y1):
        if axis == 0:
            for q in range(x.w):
                out.data[out.at(0, y) + q * out.ps] = _reduced(kind, x.data, x.at(0, y) + q * x.ps, x.cs, x.c)
        else:
            for c in range(x.c):
                out.data[out.at(c, y)] = _reduced(kind, x.data, x.at(c, y), x.ps, x.w)


def _reduced(kind, data, i, step, count):
    if kind == _MAX or kind == _MIN:
        return _extreme(kind, data, i, step, count)
    largest = 0.0
    if kind == _LOG_SUM_EXP:
        largest = _extreme(_MAX, data, i, step, count)
        if largest - largest != 0.0:  # an infinity, or no number
            return largest
    value = 1.0 if kind == _PRODUCT else 0.0
    for _ in range(count):
        item = data[i]
        if kind == _PRODUCT:
            value *= item
        elif kind == _ABSOLUTE:
            value += -item if item < 0.0 else item
        elif kind == _LENGTH or kind == _SQUARES:
            value += item * item
        elif kind == _LOG_SUM_EXP:
            value += f.exponential(item - largest, 0.0, 0.0)
        else:
            value += item
        i += step
    if kind == _MEAN:
        return value / count
    if kind == _LENGTH:
        return f.root(value, 0.0, 0.0)
    if kind == _LOG_SUM or kind == _LOG_SUM_EXP:
        return f.logarithm(value, 0.0, 0.0) + largest
    return value


def _extreme(kind, data, i, step, count):
    found = data[i]
    for _ in range(count):
        item = data[i]
        if item != item or (item > found if kind == _MAX else item < found):
            found = item
            if item != item:
                break
        i += step
    return found
