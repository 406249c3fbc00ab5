"""Fully connected layer of int8 tensors. Formula and parameters: reference/inner_product_int8.py."""

import micropython

from ..port import const
from ..reference import checks
from ..viper import record as operands
from . import core, record

_P_PER_ROW = const(0)
_P_INPUT_ZERO = const(1)
_P_WEIGHT_ZERO = const(2)
_P_OUTPUT_ZERO = const(3)
_P_ACTIVATION_MIN = const(4)
_P_ACTIVATION_MAX = const(5)

_Y = const(0)
_Y1 = const(1)
_PARAMS = const(16)
_OPERANDS = const(17)
_OPERAND = const(9)
_BASE = const(0)
_C = const(1)
_H = const(2)
_W = const(3)
_CS = const(4)
_RS = const(5)
_PS = const(6)
_ROWS = const(7)
_PHASE = const(8)
_OUTPUT = const(62)  # the words of operand 5

_A_COUNT = const(0)
_A_SIZE = const(1)
_A_CHANNELS = const(2)
_A_WEIGHTS = const(3)
_A_BIAS = const(4)
_A_MULTIPLIER = const(5)
_A_SHIFT = const(6)
_A_MINUS = const(7)
_A_ZERO = const(8)
_A_LOW = const(9)
_A_HIGH = const(10)
_A_STEP = const(11)
_A_OFFSET = const(12)
_A_AWAY = const(13)
_A_TABLE = const(14)
_A_SUMS = const(15)
_A_SUM_STEP = const(16)
_A_WIDE = const(17)
_A_PATCH = const(18)
_A_WORDS = const(32)
_FILTERS = const(64)

_widen = core.widen
_one_pixel = core.one_pixel
_results = core.results
_general = None


def run(call):
    d = record.of(call)
    words = 0 if call.reduces else _work_memory(d, core.WIDE)
    if not words:
        global _general
        if _general is None:
            from ..viper import inner_product_int8

            _general = inner_product_int8.run
        record.otherwise(call, _general)
        return
    if call.layers is None and not call.int_param(_P_PER_ROW):
        x = call.input(0)
        if call.y0 or call.y1 != call.output().h or x.rows != x.h:
            checks.whole(call, "inner_product_int8")
    memory = operands.memory(call, words)
    _rows(memory, memory, memory, d, core.WIDE)


@micropython.viper
def _work_memory(d: ptr32, wide: int) -> int:
    """Words for the record, an address in the output, the sums of up to FILTERS outputs, and a patch, widened and
    gathered; 0 for weights with a zero point, and less than a word of them."""
    params = ptr32(d[_PARAMS])
    size = d[_OPERANDS + _W]
    if params[_P_PER_ROW] == 0:
        size = size * d[_OPERANDS + _C] * d[_OPERANDS + _H]
    if params[_P_WEIGHT_ZERO] or size < 4:
        return 0
    together = d[_OUTPUT + _W]
    if together > _FILTERS:
        together = _FILTERS
    return _A_WORDS + 4 + together + (wide + 1) * (size + 3 >> 2)


@micropython.viper
def _rows(b: ptr8, p: ptr32, memory, d: ptr32, wide: int):
    """All outputs: of each row [Y, Y1) of each channel, or of all of x. `b` becomes where elements are copied to."""
    params = ptr32(d[_PARAMS])
    outputs = d[_OUTPUT + _W]
    p[_A_COUNT] = 1
    p[_A_SUM_STEP] = 4
    p[_A_AWAY] = outputs
    p[_A_MINUS] = 0 - params[_P_INPUT_ZERO]
    p[_A_ZERO] = params[_P_OUTPUT_ZERO]
    p[_A_LOW] = params[_P_ACTIVATION_MIN] - params[_P_OUTPUT_ZERO]
    p[_A_HIGH] = params[_P_ACTIVATION_MAX] - params[_P_OUTPUT_ZERO]
    # The outputs lie along w: to what stores them they are the channels of one pixel.
    p[_A_STEP] = d[_OUTPUT + _PS]
    # Outermost first; the source counts either channels or columns fastest.
    c = d[_OPERANDS + _C]
    c_step = d[_OPERANDS + _CS]
    h = d[_OPERANDS + _H]
    h_step = d[_OPERANDS + _RS]
    width = d[_OPERANDS + _W]
    step = d[_OPERANDS + _PS]
    channels = 1
    y = d[_Y]
    if params[_P_PER_ROW]:
        channels = c
        c = 1
        h = 1
    elif c_step < step:
        c = h
        h = width
        width = d[_OPERANDS + _C]
        c_step = h_step
        h_step = step
        step = d[_OPERANDS + _CS]
    size = c * h * width
    p[_A_SIZE] = size
    together = outputs
    if together > _FILTERS:
        together = _FILTERS
    p[_A_TABLE] = int(p) + 4 * _A_WORDS
    p[_A_SUMS] = int(p) + 4 * _A_WORDS + 16
    p[_A_WIDE] = p[_A_SUMS] + 4 * together
    while channels > 0:
        plane = d[_OPERANDS + _BASE]
        to = d[_OUTPUT + _BASE]
        if params[_P_PER_ROW]:
            n = d[_OPERANDS + _C] - channels
            plane += n * d[_OPERANDS + _CS]
            plane += (y + d[_OPERANDS + _PHASE]) % d[_OPERANDS + _ROWS] * d[_OPERANDS + _RS]
            to += n * d[_OUTPUT + _CS] + (y + d[_OUTPUT + _PHASE]) % d[_OUTPUT + _ROWS] * d[_OUTPUT + _RS]
        p[_A_WORDS] = to
        p[_A_PATCH] = p[_A_WIDE] + 4 * wide * (size + 3 >> 2)
        if step == 1 and (h == 1 or h_step == width) and (c == 1 or c_step == h * width):
            p[_A_PATCH] = plane
        else:
            b = ptr8(p[_A_PATCH])
            k = c
            while k > 0:
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
                k -= 1
        if wide:
            _widen(memory)
        p[_A_WEIGHTS] = d[_OPERANDS + _OPERAND + _BASE]
        p[_A_BIAS] = d[_OPERANDS + 2 * _OPERAND + _BASE]
        p[_A_MULTIPLIER] = d[_OPERANDS + 3 * _OPERAND + _BASE]
        p[_A_SHIFT] = d[_OPERANDS + 4 * _OPERAND + _BASE]
        p[_A_OFFSET] = 0
        left = outputs
        while left > 0:
            p[_A_CHANNELS] = together
            if together > left:
                p[_A_CHANNELS] = left
            _one_pixel(memory)
            _results(memory)
            p[_A_WEIGHTS] += together * size
            p[_A_BIAS] += 4 * together
            p[_A_MULTIPLIER] += 4 * together
            p[_A_SHIFT] += 4 * together
            p[_A_OFFSET] += together * p[_A_STEP]
            left -= together
        y += 1
        if y >= d[_Y1]:
            y = d[_Y]
            channels -= 1
        elif params[_P_PER_ROW] == 0:
            channels = 0
