"""Bilinear resizing of height and width of an int8 tensor, in fixed point of ten bits; x and y have one scale.

Row (or column) i of y is taken from the coordinate

    half_pixel 0    i * scale                               / 1024
    half_pixel 1    i * scale + scale / 2 (down) - 512

of x, where scale is x's size over y's in 1024ths. With the coordinate's neighbours below (not under 0) and above (not
over the last), the weights are 1024 minus what the coordinate lies above the lower one, and the rest to 1024; the sum
of the four products is divided by 2**20, to the nearest integer, halves away from zero.

x: int8, c x h x w. y: int8, c x any x any.

Source: TFLite operator RESIZE_BILINEAR, int8.
"""

from ..errors import ModelError
from ..port import I8, const
from . import checks, checks_int8
from .fixed_point import divide_away

_P_SCALE_H = const(0)
_P_SCALE_W = const(1)
_P_HALF_PIXEL = const(2)

_ONE = const(1024)


def check(call):
    checks_int8.operands(call, "interp_int8", (I8, I8), 3)
    if call.input(0).c != call.output().c:
        raise ModelError("interp_int8: %d channels cannot become %d" % (call.input(0).c, call.output().c))
    checks.within(call, "interp_int8", _P_SCALE_H, "scale_h", 0)
    checks.within(call, "interp_int8", _P_SCALE_W, "scale_w", 0)
    checks.within(call, "interp_int8", _P_HALF_PIXEL, "half_pixel", 0, 1)


def _find(found, k, i, scale, half_pixel, size):
    """The lower and the upper neighbour of `i` into found[k] and found[k + 1], the upper one's weight behind them."""
    coordinate = i * scale
    if half_pixel:
        coordinate += scale // 2 - _ONE // 2
    # LiteRT lets the lower one pass the end where the rounded scale is too large (1 element to 55, say), and reads
    # what lies there; here the last one stays.
    lower = min(max(coordinate // _ONE, 0), size - 1)
    found[k] = lower
    found[k + 1] = min(max((coordinate + _ONE - 1) // _ONE, 0), size - 1)
    found[k + 2] = min(coordinate - lower * _ONE, _ONE)


def run(call):
    x = call.input(0)
    out = call.output()
    half_pixel = call.int_param(_P_HALF_PIXEL)
    columns = [0] * (3 * out.w)
    for q in range(out.w):
        _find(columns, 3 * q, q, call.int_param(_P_SCALE_W), half_pixel, x.w)
        columns[3 * q] *= x.ps
        columns[3 * q + 1] *= x.ps
    row = [0, 0, 0]
    for y in range(call.y0, call.y1):
        _find(row, 0, y, call.int_param(_P_SCALE_H), half_pixel, x.h)
        for c in range(x.c):
            _row(call, x.at(c, row[0]), x.at(c, row[1]), row[2], columns, out.at(c, y))


def _row(call, above, below, weight, columns, result):
    """One row of a channel between the rows of x at `above` and `below`, stored from index `result` on."""
    data = call.input(0).data
    out = call.output()
    for k in range(0, len(columns), 3):
        left = columns[k]
        right = columns[k + 1]
        part = columns[k + 2]
        top = data[above + left] * (_ONE - part) + data[above + right] * part
        bottom = data[below + left] * (_ONE - part) + data[below + right] * part
        value = divide_away(top * (_ONE - weight) + bottom * weight, _ONE * _ONE)
        out.data[result] = min(max(value, -128), 127)
        result += out.ps
