"""Fully connected layer of int8 tensors. Formula and parameters: reference/inner_product_int8.py."""

import micropython

from ..port import const
from ..reference import checks, order_int8
from . import core, record

_P_PER_ROW = const(0)
_P_INPUT_ZERO = const(1)
_P_WEIGHT_ZERO = const(2)
_P_OUTPUT_ZERO = const(3)
_P_ACTIVATION_MIN = const(4)
_P_ACTIVATION_MAX = const(5)

_A_COUNT = const(0)
_A_SIZE = const(1)
_A_CHANNELS = const(2)
_A_WEIGHTS = const(3)
_A_BIAS = const(4)
_A_MULTIPLIER = const(5)
_A_SHIFT = const(6)
_A_STEP = const(11)
_A_OFFSET = const(12)
_A_TABLE = const(14)
_A_SUMS = const(15)
_A_SUM_STEP = const(16)
_A_WIDE = const(17)
_A_PATCH = const(18)
_A_WORDS = const(32)
_FILTERS = const(64)

_general = None


def run(call):
    operands = call._pool
    x = operands[0]
    out = operands[5]
    params = call.params
    at = call.first_param
    per_row = params[at + _P_PER_ROW]
    size = x.w if per_row else x.c * x.h * x.w
    # What takes x some rows a call, what has weights with a zero point, and what is less than a word of weights.
    if call.reduces or params[at + _P_WEIGHT_ZERO] or size < 4:
        _run_in_viper(call)
        return
    p = record.dots(call, size, out.w, 1)
    record.bounds(call, p, _P_INPUT_ZERO, _P_OUTPUT_ZERO, _P_ACTIVATION_MIN)
    p[_A_COUNT] = 1
    p[_A_SUM_STEP] = 4
    # The outputs lie along w: to what stores them they are the channels of one pixel.
    p[_A_STEP] = out.ps
    if per_row:
        for c in range(x.c):
            for y in range(call.y0, call.y1):
                _take(p, 0, x.data, x.at(c, y), 1, 0, 1, 0, size, x.ps, core.WIDE, out.w)
                _outputs(operands, p, out.at(c, y))
        return
    if call.y0 or call.y1 != out.h or x.rows != x.h:
        checks.whole(call, "inner_product_int8")
    # Outermost first; the source counts either channels or columns fastest.
    if order_int8.interleaved(x):
        _take(p, 0, x.data, x.base, x.h, x.rs, x.w, x.ps, x.c, x.cs, core.WIDE, out.w)
    else:
        _take(p, 0, x.data, x.base, x.c, x.cs, x.h, x.rs, x.w, x.ps, core.WIDE, out.w)
    _outputs(operands, p, out.base)


def _run_in_viper(call):
    global _general
    if _general is None:
        from ..viper import inner_product_int8

        _general = inner_product_int8.run
    _general(call)


@micropython.viper
def _take(
    p: ptr32,
    b: ptr8,
    x: ptr8,
    base: int,
    c: int,
    c_step: int,
    h: int,
    h_step: int,
    width: int,
    step: int,
    wide: int,
    channels: int,
):
    """c x h x width elements of x from `base` on as a patch, and the addresses of what lies in the work memory.

    `b`: anything; the place of an argument is a register.
    """
    if channels > _FILTERS:
        channels = _FILTERS
    plane = int(x) + base
    p[_A_TABLE] = int(p) + 4 * _A_WORDS
    p[_A_SUMS] = int(p) + 4 * _A_WORDS + 16
    p[_A_WIDE] = p[_A_SUMS] + 4 * channels
    p[_A_PATCH] = p[_A_WIDE] + 4 * wide * (p[_A_SIZE] + 3 >> 2)
    if step == 1 and (h == 1 or h_step == width) and (c == 1 or c_step == h * width):
        p[_A_PATCH] = plane
        c = 0
    b = ptr8(p[_A_PATCH])
    while c > 0:
        line = plane
        j = h
        while j > 0:
            at = line
            i = width
            while i > 0:
                b[0] = ptr8(at)[0]
                b = ptr8(int(b) + 1)
                at += step
                i -= 1
            line += h_step
            j -= 1
        plane += c_step
        c -= 1


def _outputs(operands, p, to):
    """All outputs for the patch, the first one at index `to`."""
    out = operands[5]
    p[_A_WEIGHTS] = operands[1].base
    p[_A_BIAS] = operands[2].base
    p[_A_MULTIPLIER] = operands[3].base
    p[_A_SHIFT] = operands[4].base
    p[_A_OFFSET] = 0
    left = out.w
    _addresses(p, operands[1].data, operands[2].data, operands[3].data, operands[4].data, out.data, to)
    if core.WIDE:
        core.widen(p)
    while True:
        p[_A_CHANNELS] = min(left, _FILTERS)
        core.one_pixel(p)
        core.results(p)
        left -= _FILTERS
        if left <= 0:
            return
        _next(p)


@micropython.viper
def _addresses(p: ptr32, w: ptr8, bias: ptr32, multiplier: ptr32, shift: ptr32, out: ptr8, to: int):
    """Indices become addresses."""
    p[_A_WEIGHTS] += int(w)
    p[_A_BIAS] = int(bias) + 4 * p[_A_BIAS]
    p[_A_MULTIPLIER] = int(multiplier) + 4 * p[_A_MULTIPLIER]
    p[_A_SHIFT] = int(shift) + 4 * p[_A_SHIFT]
    p[_A_WORDS] = int(out) + to


@micropython.viper
def _next(p: ptr32):
    """The next FILTERS outputs."""
    p[_A_WEIGHTS] += _FILTERS * p[_A_SIZE]
    p[_A_BIAS] += 4 * _FILTERS
    p[_A_MULTIPLIER] += 4 * _FILTERS
    p[_A_SHIFT] += 4 * _FILTERS
    p[_A_OFFSET] += _FILTERS * p[_A_STEP]
