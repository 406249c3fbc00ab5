"""Depthwise convolution of int8 tensors: what pixels see is told tap by tap. Formula and parameters:
reference/depthwise_int8.py."""

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
_P_DEPTH_MULTIPLIER = const(8)
_P_INPUT_ZERO = const(9)
_P_OUTPUT_ZERO = const(10)
_P_ACTIVATION_MIN = const(11)
_P_ACTIVATION_MAX = const(12)
_P_HALF_UP = const(13)

_Y = const(0)
_Y1 = const(1)
_TOGETHER = const(4)  # pixels whose sums are made together, in a word that is free here
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
_A_CHANNELS = const(2)
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
_A_TAPS = const(22)
_A_TAPS_END = const(23)
_A_X_STEP = const(24)
_A_WORDS = const(32)
_SUMS = const(512)  # words of sums for pixels that are done together; one pixel may have more

_taps = core.taps
_results = core.results
_general = None


def run(call):
    d = record.of(call)
    words = _work_memory(d)
    if not words:
        global _general
        if _general is None:
            from ..viper import depthwise_int8

            _general = depthwise_int8.run
        record.otherwise(call, _general)
        return
    memory = operands.memory(call, words)
    _rows(memory, memory, memory, d)


@micropython.viper
def _work_memory(d: ptr32) -> int:
    """Words for the record, the pixels' addresses in the output and their sums, and the taps; 0 for unusual forms."""
    params = ptr32(d[_PARAMS])
    channels = d[_OUTPUT + _C]
    if params[_P_DEPTH_MULTIPLIER] != 1 or d[_OPERANDS + _CS] != 1 or channels < 4:
        return 0
    together = d[_OUTPUT + _W] * (d[_Y1] - d[_Y])
    if together > _SUMS // channels:
        together = _SUMS // channels
    if together < 1:
        together = 1
    d[_TOGETHER] = together
    return _A_WORDS + together * (1 + channels) + 2 * params[_P_KERNEL_H] * params[_P_KERNEL_W]


@micropython.viper
def _rows(p: ptr32, t: ptr32, memory, d: ptr32):
    """Rows [Y, Y1) of the output, in the work memory. `t` becomes where the next tap is told."""
    params = ptr32(d[_PARAMS])
    kernel_w = params[_P_KERNEL_W]
    stride = params[_P_STRIDE_W]
    dilation = params[_P_DILATION_W]
    width = d[_OPERANDS + _W]
    ps = d[_OPERANDS + _PS]
    channels = d[_OUTPUT + _C]
    together = d[_TOGETHER]
    out_w = d[_OUTPUT + _W]
    start = d[_OPERANDS + _BASE]
    weights = d[_OPERANDS + _OPERAND + _BASE]
    out_start = d[_OUTPUT + _BASE]
    p[_A_CHANNELS] = channels
    p[_A_MINUS] = 0 - params[_P_INPUT_ZERO]
    p[_A_ZERO] = params[_P_OUTPUT_ZERO]
    p[_A_LOW] = params[_P_ACTIVATION_MIN] - params[_P_OUTPUT_ZERO]
    p[_A_HIGH] = params[_P_ACTIVATION_MAX] - params[_P_OUTPUT_ZERO]
    p[_A_STEP] = d[_OUTPUT + _CS]
    p[_A_OFFSET] = 0
    p[_A_AWAY] = params[_P_HALF_UP]
    p[_A_SUM_STEP] = 4 * together
    p[_A_BIAS] = d[_OPERANDS + 2 * _OPERAND + _BASE]
    p[_A_MULTIPLIER] = d[_OPERANDS + 3 * _OPERAND + _BASE]
    p[_A_SHIFT] = d[_OPERANDS + 4 * _OPERAND + _BASE]
    table = int(p) + 4 * _A_WORDS
    sums = table + 4 * together
    p[_A_TABLE] = table
    p[_A_TAPS] = sums + 4 * together * channels
    p[_A_X_STEP] = stride * ps
    i = 0  # pixels whose sums are there
    y = d[_Y]
    while y < d[_Y1]:
        to = out_start + (y + d[_OUTPUT + _PHASE]) % d[_OUTPUT + _ROWS] * d[_OUTPUT + _RS]
        left = 0 - params[_P_PAD_LEFT]
        q = out_w
        while q > 0:
            # Of pixels whose taps are all inside, as many as there is room for.
            count = 1
            if left >= 0:
                count = (width - 1 - (kernel_w - 1) * dilation - left) // stride + 1
                if count > q:
                    count = q
                if count > together - i:
                    count = together - i
                if count < 1:
                    count = 1
            t = ptr32(p[_A_TAPS])
            taps = weights
            row = y * params[_P_STRIDE_H] - params[_P_PAD_TOP]
            k = params[_P_KERNEL_H]
            while k > 0:
                if row >= 0 and row < d[_OPERANDS + _H]:
                    line = row + d[_OPERANDS + _PHASE]
                    if line >= d[_OPERANDS + _ROWS]:
                        line = line % d[_OPERANDS + _ROWS]
                    line = start + line * d[_OPERANDS + _RS]
                    column = left
                    m = kernel_w
                    while m > 0:
                        if column >= 0 and column < width:
                            t[0] = line + column * ps
                            t[1] = taps
                            t = ptr32(int(t) + 8)
                        taps += channels
                        column += dilation
                        m -= 1
                else:
                    taps += channels * kernel_w
                row += params[_P_DILATION_H]
                k -= 1
            p[_A_TAPS_END] = int(t)
            p[_A_SUMS] = sums + 4 * i
            p[_A_COUNT] = count
            _taps(memory)
            left += count * stride
            q -= count
            while count:
                ptr32(table + 4 * i)[0] = to
                to += d[_OUTPUT + _PS]
                i += 1
                count -= 1
            if i == together or (q == 0 and y + 1 == d[_Y1]):
                p[_A_SUMS] = sums
                p[_A_COUNT] = i
                _results(memory)
                i = 0
        y += 1
