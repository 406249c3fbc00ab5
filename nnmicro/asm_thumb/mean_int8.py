"""Mean of an int8 tensor over its height and width. Formula and parameters: reference/mean_int8.py."""

import micropython

from ..port import const
from ..viper import record as operands
from . import core, record

_P_KIND = const(0)
_P_OVER_H = const(1)
_P_OVER_W = const(2)
_P_OVER_C = const(3)
_P_SUM_ZERO = const(4)
_P_MULTIPLIER = const(5)
_P_SHIFT = const(6)
_P_OUTPUT_ZERO = const(7)
_P_HALF_UP = const(8)

_Y = const(0)
_Y1 = const(1)
_PARAMS = const(16)
_OPERANDS = const(17)
_BASE = const(0)
_C = const(1)
_H = const(2)
_W = const(3)
_CS = const(4)
_RS = const(5)
_PS = const(6)
_ROWS = const(7)
_OUTPUT = const(26)  # the words of operand 1

_A_COUNT = const(0)
_A_CHANNELS = const(2)
_A_MULTIPLIER = const(5)
_A_SHIFT = const(6)
_A_ZERO = const(8)
_A_LOW = const(9)
_A_HIGH = const(10)
_A_STEP = const(11)
_A_OFFSET = const(12)
_A_AWAY = const(13)
_A_TABLE = const(14)
_A_SUMS = const(15)
_A_SUM_STEP = const(16)
_A_WORDS = const(32)

_results = core.results
_general = None


def run(call):
    d = record.of(call)
    words = 0 if call.reduces else _work_memory(d)
    if not words:
        global _general
        if _general is None:
            from ..viper import mean_int8

            _general = mean_int8.run
        record.otherwise(call, _general)
        return
    memory = operands.memory(call, words)
    _means(memory, memory, memory, d)


@micropython.viper
def _work_memory(d: ptr32) -> int:
    """Words for the record, the output's address, and of each channel the sum, multiplier and shift; 0 for unusual
    forms: other axes, kind 1, channels that do not lie side by side, not all rows."""
    params = ptr32(d[_PARAMS])
    channels = d[_OPERANDS + _C]
    if params[_P_KIND] or params[_P_OVER_H] == 0 or params[_P_OVER_W] == 0 or params[_P_OVER_C]:
        return 0
    if d[_OPERANDS + _CS] != 1 or d[_OPERANDS + _ROWS] != d[_OPERANDS + _H]:
        return 0
    if d[_Y] or d[_Y1] != d[_OUTPUT + _H] or d[_OUTPUT + _ROWS] != d[_OUTPUT + _H]:
        return 0
    # All outputs on one axis.
    if d[_OUTPUT + _C] != channels and d[_OUTPUT + _W] != channels and d[_OUTPUT + _H] != channels:
        return 0
    return _A_WORDS + 1 + 3 * channels


@micropython.viper
def _means(x: ptr8, v: ptr32, memory, d: ptr32):
    """All outputs, in the work memory. `x` becomes where elements are read, `v` where a channel's sum goes."""
    p = ptr32(v)
    params = ptr32(d[_PARAMS])
    channels = d[_OPERANDS + _C]
    p[_A_COUNT] = 1
    p[_A_CHANNELS] = channels
    p[_A_SUM_STEP] = 4
    p[_A_OFFSET] = 0
    p[_A_AWAY] = params[_P_HALF_UP]
    p[_A_ZERO] = params[_P_OUTPUT_ZERO]
    p[_A_LOW] = 0 - 128 - params[_P_OUTPUT_ZERO]
    p[_A_HIGH] = 127 - params[_P_OUTPUT_ZERO]
    p[_A_STEP] = d[_OUTPUT + _CS]
    if d[_OUTPUT + _C] != channels:
        p[_A_STEP] = d[_OUTPUT + _PS]
        if d[_OUTPUT + _W] != channels:
            p[_A_STEP] = d[_OUTPUT + _RS]
    p[_A_TABLE] = int(p) + 4 * _A_WORDS
    p[_A_WORDS] = d[_OUTPUT + _BASE]
    p[_A_SUMS] = p[_A_TABLE] + 4
    p[_A_MULTIPLIER] = p[_A_SUMS] + 4 * channels
    p[_A_SHIFT] = p[_A_MULTIPLIER] + 4 * channels
    multipliers = channels
    shifts = 2 * channels
    ps = d[_OPERANDS + _PS]
    rs = d[_OPERANDS + _RS]
    first = d[_OPERANDS + _BASE]
    h = d[_OPERANDS + _H]
    w = d[_OPERANDS + _W]
    zero = params[_P_SUM_ZERO] + 128 * h * w
    multiplier = params[_P_MULTIPLIER]
    shift = params[_P_SHIFT]
    v = ptr32(p[_A_SUMS])
    i = channels
    while i:
        total = 0 - zero
        row = first
        j = h
        while j:
            x = ptr8(row)
            k = w
            while k:
                total += x[0] ^ 128
                x = ptr8(int(x) + ps)
                k -= 1
            row += rs
            j -= 1
        v[0] = total
        v[multipliers] = multiplier
        v[shifts] = shift
        v = ptr32(int(v) + 4)
        first += 1
        i -= 1
    _results(memory)
