"""A border around a tensor, on the channels' axis too.

    y[c, p, q] = x[c - front, p - top, q - left] where that lies inside x, otherwise
        mode 0 (constant)  value
        mode 1 (edge)      the nearest element of x
        mode 2 (reflect)   the element mirrored at the first or last one, which is not repeated
        mode 3 (symmetric) the element mirrored at the edge, so that the first or last one is repeated

What is added behind, below and to the right follows from the shape of y. An integer blob's value is an integer from
-128 to 127, given as a float all the same.

Source: ONNX operator Pad.
"""

from ..errors import ModelError
from ..port import F32, const
from . import checks

_P_FRONT = const(0)
_P_TOP = const(1)
_P_LEFT = const(2)
_P_MODE = const(3)
_P_VALUE = const(4)

_CONSTANT = const(0)
_EDGE = const(1)
_REFLECT = const(2)
_SYMMETRIC = const(3)


def check(call):
    checks.operands(call, "padding", 1, 1, 5, 0)
    value = call.float_param(_P_VALUE)
    if call.output().dtype != F32 and not (-128 <= value <= 127 and value == int(value)):
        raise ModelError("padding: %s is no value of an integer blob" % value)
    mode = checks.within(call, "padding", _P_MODE, "mode", 0, _SYMMETRIC)
    x = call.input(0)
    out = call.output()
    _check_axis(mode, checks.within(call, "padding", _P_FRONT, "front", 0), x.c, out.c, "c")
    _check_axis(mode, checks.within(call, "padding", _P_TOP, "top", 0), x.h, out.h, "h")
    _check_axis(mode, checks.within(call, "padding", _P_LEFT, "left", 0), x.w, out.w, "w")


def _check_axis(mode, before, size, padded, axis):
    after = padded - before - size
    if after < 0:
        raise ModelError(
            "padding: %d along %s with %d before it do not fit into the output's %d" % (size, axis, before, padded)
        )
    most = size - 1 if mode == _REFLECT else size
    if mode >= _REFLECT and max(before, after) > most:
        raise ModelError(
            "padding: %d along %s can be mirrored into at most %d, not %d" % (size, axis, most, max(before, after))
        )


def _source(i, size, mode):
    """Index in x for index `i` counted from x's first element, or -1 for the constant."""
    if 0 <= i < size:
        return i
    if mode == _CONSTANT:
        return -1
    if mode == _EDGE:
        return 0 if i < 0 else size - 1
    if mode == _SYMMETRIC:
        return -1 - i if i < 0 else 2 * size - 1 - i
    return -i if i < 0 else 2 * (size - 1) - i


def run(call):
    x = call.input(0)
    out = call.output()
    front = call.int_param(_P_FRONT)
    top = call.int_param(_P_TOP)
    left = call.int_param(_P_LEFT)
    mode = call.int_param(_P_MODE)
    value = call.float_param(_P_VALUE)
    if out.dtype != F32:
        value = int(value)
    columns = [0] * out.w
    for q in range(out.w):
        columns[q] = _source(q - left, x.w, mode)
    for c in range(out.c):
        channel = _source(c - front, x.c, mode)
        for y in range(call.y0, call.y1):
            row = _source(y - top, x.h, mode)
            j = out.at(c, y)
            i = x.at(channel, row) if channel >= 0 and row >= 0 else -1
            for column in columns:
                out.data[j] = value if i < 0 or column < 0 else x.data[i + column * x.ps]
                j += out.ps
