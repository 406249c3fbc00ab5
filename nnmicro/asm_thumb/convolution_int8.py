"""Convolution of int8 tensors, four pixels at a time. Formula and parameters: reference/convolution_int8.py."""

import micropython

from ..port import const
from ..viper import record as operands
from . import core, record

_P_KERNEL_H = const(0)
_P_KERNEL_W = const(1)
_P_STRIDE_H = const(2)
_P_STRIDE_W = const(3)
_P_DILATION_H = const(4)
_P_DILATION_W = const(5)
_P_PAD_TOP = const(6)
_P_PAD_LEFT = const(7)
_P_GROUP = const(8)
_P_INPUT_ZERO = const(9)
_P_OUTPUT_ZERO = const(10)
_P_ACTIVATION_MIN = const(11)
_P_ACTIVATION_MAX = const(12)

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
_four_pixels = core.four_pixels
_one_pixel = core.one_pixel
_results = core.results
_general = None


def run(call):
    d = record.of(call)
    words = _work_memory(d, core.WIDE)
    if not words:
        global _general
        if _general is None:
            from ..viper import convolution_int8

            _general = convolution_int8.run
        record.otherwise(call, _general)
        return
    memory = operands.memory(call, words)
    _rows(memory, memory, memory, d, core.WIDE)


@micropython.viper
def _work_memory(d: ptr32, wide: int) -> int:
    """Words for the record, 4 addresses in the output, the sums of up to FILTERS channels, widened patches and gathered
    ones; 0 where there is less than a word of weights."""
    params = ptr32(d[_PARAMS])
    group = params[_P_GROUP]
    size = params[_P_KERNEL_H] * params[_P_KERNEL_W] * (d[_OPERANDS + _C] // group)
    if size < 4:
        return 0
    together = d[_OUTPUT + _C] // group
    if together > _FILTERS:
        together = _FILTERS
    return _A_WORDS + 4 + 4 * (together + (wide + 1) * (size + 3 >> 2))


@micropython.viper
def _rows(x: ptr8, b: ptr8, memory, d: ptr32, wide: int):
    """Rows [Y, Y1) of the output, in the work memory.

    The first two arguments are registers: they become where elements are copied from, and to.
    """
    p = ptr32(b)
    params = ptr32(d[_PARAMS])
    group = params[_P_GROUP]
    kernel_w = params[_P_KERNEL_W]
    zero = params[_P_INPUT_ZERO]
    inputs = d[_OPERANDS + _C] // group
    channels = d[_OUTPUT + _C] // group
    size = params[_P_KERNEL_H] * kernel_w * inputs
    width = d[_OPERANDS + _W]
    step = d[_OPERANDS + _CS]
    ps = d[_OPERANDS + _PS]
    out_w = d[_OUTPUT + _W]
    out_start = d[_OUTPUT + _BASE]
    x_start = d[_OPERANDS + _BASE]
    biases = d[_OPERANDS + 2 * _OPERAND + _BASE]
    multipliers = d[_OPERANDS + 3 * _OPERAND + _BASE]
    shifts = d[_OPERANDS + 4 * _OPERAND + _BASE]
    weights = d[_OPERANDS + _OPERAND + _BASE]
    p[_A_SIZE] = size
    p[_A_AWAY] = channels
    p[_A_MINUS] = 0 - zero
    p[_A_STEP] = d[_OUTPUT + _CS]
    p[_A_ZERO] = params[_P_OUTPUT_ZERO]
    p[_A_LOW] = params[_P_ACTIVATION_MIN] - params[_P_OUTPUT_ZERO]
    p[_A_HIGH] = params[_P_ACTIVATION_MAX] - params[_P_OUTPUT_ZERO]
    # Whether taps next to each other are elements next to each other, and whether x itself is the patch.
    dense = 0
    direct = 0
    if step == 1:
        if ps == inputs and params[_P_DILATION_W] == 1:
            dense = 1
        if size == inputs:
            direct = 1
    quads = size + 3 >> 2
    together = channels
    if together > _FILTERS:
        together = _FILTERS
    p[_A_TABLE] = int(p) + 4 * _A_WORDS
    p[_A_SUMS] = int(p) + 4 * _A_WORDS + 16
    p[_A_WIDE] = p[_A_SUMS] + 16 * together
    patches = p[_A_WIDE] + 16 * wide * quads
    first = 0
    while first < d[_OUTPUT + _C]:
        start = x_start + first // channels * inputs * step
        i = 0
        y = d[_Y]
        while y < d[_Y1]:
            to = out_start + (y + d[_OUTPUT + _PHASE]) % d[_OUTPUT + _ROWS] * d[_OUTPUT + _RS]
            left = 0 - params[_P_PAD_LEFT]
            q = out_w
            while q > 0:
                patch = patches + 4 * quads * i
                p[_A_PATCH + i] = patch
                b = ptr8(patch)
                row = y * params[_P_STRIDE_H] - params[_P_PAD_TOP]
                k = params[_P_KERNEL_H]
                while k > 0:
                    line = start
                    inside = 0
                    if row >= 0:
                        if row < d[_OPERANDS + _H]:
                            inside = width
                            n = row + d[_OPERANDS + _PHASE]
                            if n >= d[_OPERANDS + _ROWS]:
                                n = n % d[_OPERANDS + _ROWS]
                            line += n * d[_OPERANDS + _RS]
                    column = left
                    m = kernel_w
                    while m > 0:
                        n = inputs
                        if column < 0 or column >= inside:
                            while n:
                                b[0] = zero
                                b = ptr8(int(b) + 1)
                                n -= 1
                            column += params[_P_DILATION_W]
                            m -= 1
                        elif direct:
                            p[_A_PATCH + i] = line + column * ps
                            m = 0
                        else:
                            x = ptr8(line + column * ps)
                            taps = 1
                            if dense:
                                taps = inside - column
                                if taps > m:
                                    taps = m
                            n = inputs * taps
                            column += taps * params[_P_DILATION_W]
                            m -= taps
                            if step == 1:
                                if (int(x) | int(b)) & 3 == 0:
                                    taps = n >> 4
                                    while taps:
                                        ptr32(b)[0] = ptr32(x)[0]
                                        ptr32(b)[1] = ptr32(x)[1]
                                        ptr32(b)[2] = ptr32(x)[2]
                                        ptr32(b)[3] = ptr32(x)[3]
                                        x = ptr8(int(x) + 16)
                                        b = ptr8(int(b) + 16)
                                        taps -= 1
                                    n = n & 15
                                taps = n >> 2
                                while taps:
                                    b[0] = x[0]
                                    b[1] = x[1]
                                    b[2] = x[2]
                                    b[3] = x[3]
                                    x = ptr8(int(x) + 4)
                                    b = ptr8(int(b) + 4)
                                    taps -= 1
                                n = n & 3
                            while n:
                                b[0] = x[0]
                                x = ptr8(int(x) + step)
                                b = ptr8(int(b) + 1)
                                n -= 1
                    row += params[_P_DILATION_H]
                    k -= 1
                p[_A_WORDS + i] = to
                to += d[_OUTPUT + _PS]
                left += params[_P_STRIDE_W]
                i += 1
                q -= 1
                if i == 4 or (q == 0 and y + 1 == d[_Y1]):
                    p[_A_COUNT] = i
                    p[_A_SUM_STEP] = 16
                    if i == 1:
                        p[_A_SUM_STEP] = 4
                    m = i
                    while m < 4:
                        p[_A_PATCH + m] = p[_A_PATCH]
                        m += 1
                    if wide:
                        _widen(memory)
                    m = first
                    n = first + channels
                    while m < n:
                        taps = n - m
                        if taps > together:
                            taps = together
                        p[_A_CHANNELS] = taps
                        p[_A_WEIGHTS] = weights + m * size
                        p[_A_BIAS] = biases + 4 * m
                        p[_A_MULTIPLIER] = multipliers + 4 * m
                        p[_A_SHIFT] = shifts + 4 * m
                        p[_A_OFFSET] = m * p[_A_STEP]
                        if i == 1:
                            _one_pixel(memory)
                        else:
                            _four_pixels(memory)
                        _results(memory)
                        m += taps
                    i = 0
            y += 1
        first += channels
