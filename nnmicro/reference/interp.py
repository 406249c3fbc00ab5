"""Resizing of height and width.

A row or column `i` of y is taken from the coordinate

    transform 0 half_pixel          (i + 0.5) / scale - 0.5
              1 align_corners       i * (size of x - 1) / (size of y - 1)
              2 asymmetric          i / scale
              3 pytorch_half_pixel  as half_pixel, but 0 where y has size 1

of x, clamped to x; scale_h and scale_w are y's size over x's. Mode 0 (nearest) rounds it: rounding 0 to the
nearest, halves down, 1 to the nearest, halves up, 2 down, 3 up. Mode 1 (bilinear) weighs the two neighbours
in each direction.

Source: ONNX operator Resize.
"""

from array import array
from math import ceil, floor

from ..errors import ModelError
from ..port import F32, const
from . import checks

_P_MODE = const(0)
_P_TRANSFORM = const(1)
_P_ROUNDING = const(2)
_P_SCALE_H = const(3)
_P_SCALE_W = const(4)

_BILINEAR = const(1)

_ALIGN_CORNERS = const(1)
_ASYMMETRIC = const(2)
_PYTORCH_HALF_PIXEL = const(3)

_ROUND_DOWN = const(2)
_ROUND_UP = const(3)

# Coordinates are rounded to float32 here, so an interpreter with doubles takes the same neighbour as a board.
_single = array("f", [0.0])


def check(call):
    # Taking the nearest element means the same in every type.
    checks.operands(call, "interp", 1, 1, 5, F32 if call.n_params and call.int_param(_P_MODE) == _BILINEAR else 0)
    if call.input(0).c != call.output().c:
        raise ModelError("interp: %d channels cannot become %d" % (call.input(0).c, call.output().c))
    checks.within(call, "interp", _P_MODE, "mode", 0, _BILINEAR)
    checks.within(call, "interp", _P_TRANSFORM, "transform", 0, _PYTORCH_HALF_PIXEL)
    checks.within(call, "interp", _P_ROUNDING, "rounding", 0, _ROUND_UP)
    for i in range(_P_SCALE_H, _P_SCALE_W + 1):
        # Written so that a NaN is refused; the bounds keep every coordinate finite.
        if not 1e-9 < call.float_param(i) < 1e9:
            raise ModelError("interp: a scale of %s is not between 1e-9 and 1e9" % call.float_param(i))


def _coordinate(transform, i, scale, size, out_size):
    if transform == _ALIGN_CORNERS:
        _single[0] = i * (size - 1) / (out_size - 1) if out_size > 1 else 0.0
    elif transform == _ASYMMETRIC:
        _single[0] = i / scale
    elif transform == _PYTORCH_HALF_PIXEL and out_size == 1:
        _single[0] = 0.0
    else:
        _single[0] = (i + 0.5) / scale
        _single[0] = _single[0] - 0.5
    return min(max(_single[0], 0.0), size - 1.0)


def _nearest(coordinate, rounding):
    if rounding == _ROUND_DOWN:
        return floor(coordinate)
    if rounding == _ROUND_UP:
        return ceil(coordinate)
    return floor(coordinate + 0.5) if rounding else ceil(coordinate - 0.5)


def run(call):
    x = call.input(0)
    out = call.output()
    transform = call.int_param(_P_TRANSFORM)
    scale_h = call.float_param(_P_SCALE_H)
    scale_w = call.float_param(_P_SCALE_W)
    bilinear = call.int_param(_P_MODE) == _BILINEAR
    rounding = call.int_param(_P_ROUNDING)
    columns = [0] * out.w
    for q in range(out.w):
        column = _coordinate(transform, q, scale_w, x.w, out.w)
        columns[q] = column if bilinear else _nearest(column, rounding) * x.ps
    for y in range(call.y0, call.y1):
        row = _coordinate(transform, y, scale_h, x.h, out.h)
        if bilinear:
            _bilinear_row(x, row, columns, out, y)
        else:
            _nearest_row(x, _nearest(row, rounding), columns, out, y)


def _nearest_row(x, row, columns, out, y):
    for c in range(x.c):
        i = x.at(c, row)
        j = out.at(c, y)
        for column in columns:
            out.data[j] = x.data[i + column]
            j += out.ps


def _bilinear_row(x, row, columns, out, y):
    data = x.data
    upper = int(row)
    lower = min(upper + 1, x.h - 1)
    row -= upper
    for c in range(x.c):
        above = x.at(c, upper)
        below = x.at(c, lower)
        j = out.at(c, y)
        for column in columns:
            left = int(column)
            column -= left
            right = min(left + 1, x.w - 1) * x.ps
            left *= x.ps
            top = (1.0 - column) * data[above + left] + column * data[above + right]
            bottom = (1.0 - column) * data[below + left] + column * data[below + right]
            out.data[j] = (1.0 - row) * top + row * bottom
            j += out.ps
