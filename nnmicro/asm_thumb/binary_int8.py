"""Sums and differences of two int8 operands of one shape, by tables of what each of 256 bytes stands for. Formula and
parameters: reference/binary_int8.py."""

import micropython

from ..port import const
from ..viper import record as operands
from ..viper import requantise
from . import core, record

_P_KIND = const(0)
_P_LEFT_SHIFT = const(1)
_P_A_ZERO = const(2)
_P_A_MULTIPLIER = const(3)
_P_B_ZERO = const(5)
_P_B_MULTIPLIER = const(6)
_P_OUTPUT_ZERO = const(8)
_P_OUTPUT_MULTIPLIER = const(9)
_P_ACTIVATION_MIN = const(11)

_MUL = const(2)

_Y = const(0)
_Y1 = const(1)
_PIXELS = const(3)
_CHANNEL = const(4)
_CHANNELS = const(5)
_VALUES = const(8)
_MULTIPLIER = const(9)
_SHIFT = const(10)
_EACH = const(11)
_HALF_UP = const(12)
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
_OUTPUT = const(35)  # the words of operand 2

_A_COUNT = const(0)
_A_CHANNELS = const(2)
_A_MULTIPLIER = const(5)
_A_SHIFT = const(6)
_A_ZERO = const(8)
_A_LOW = const(9)
_A_HIGH = const(10)
_A_OFFSET = const(12)
_A_AWAY = const(13)
_A_TABLE = const(14)
_A_SUMS = const(15)
_A_WORDS = const(32)

_BYTES = const(256)
_TOGETHER = const(64)  # sums that are made and written together

# What `sums` is told, behind the record: of B the four words from MINUS on are five words further.
_S_A = const(32)
_S_B = const(33)
_S_OUT = const(34)
_S_COUNT = const(35)
_S_SUMS = const(36)
_S_TABLE = const(37)
_S_LEFT = const(38)
_S_MINUS = const(39)
_S_MULTIPLIER = const(40)
_S_RIGHT = const(41)
_S_AWAY = const(42)
_S_SIGN = const(43)
_S_END = const(48)
_S_WORDS = const(48 + 2 * 64)

_sums = core.sums
_results = core.results
_general = None


def run(call):
    d = record.of(call)
    if core.sums:
        memory = operands.memory(call, _S_WORDS)
        if _runs(memory, d, memory):
            return
    record.otherwise(call, _by_tables)


@micropython.viper
def _runs(p: ptr32, d: ptr32, memory) -> int:
    """Rows [Y, Y1) of the output, where they and both operands are one run each. Returns 0, with nothing done, where
    they are not, and for other kinds and shifts."""
    params = ptr32(d[_PARAMS])
    kind = params[_P_KIND]
    a_right = 0 - params[_P_A_MULTIPLIER + 1]
    b_right = 0 - params[_P_B_MULTIPLIER + 1]
    if kind >= _MUL or a_right < 0 or a_right > 31 or b_right < 0 or b_right > 31:
        return 0
    c = d[_OUTPUT + _C]
    w = d[_OUTPUT + _W]
    line = c * w
    i = 0
    while i < 3:
        o = ptr32(int(d) + 4 * (_OPERANDS + _OPERAND * i))
        if o[_C] != c or o[_H] != d[_OUTPUT + _H] or o[_W] != w:
            return 0
        if o[_PS] != c or (c != 1 and o[_CS] != 1) or o[_RS] != line or o[_ROWS] != o[_H] or o[_PHASE]:
            return 0
        i += 1
    p[_A_CHANNELS] = 1
    p[_A_OFFSET] = 0
    p[_A_AWAY] = 0
    p[_A_ZERO] = params[_P_OUTPUT_ZERO]
    p[_A_LOW] = params[_P_ACTIVATION_MIN] - params[_P_OUTPUT_ZERO]
    p[_A_HIGH] = params[_P_ACTIVATION_MIN + 1] - params[_P_OUTPUT_ZERO]
    p[_A_MULTIPLIER] = int(params) + 4 * _P_OUTPUT_MULTIPLIER
    p[_A_SHIFT] = int(params) + 4 * _P_OUTPUT_MULTIPLIER + 4
    p[_A_SUMS] = int(p) + 4 * _S_END
    p[_A_TABLE] = p[_A_SUMS] + 4 * _TOGETHER
    first = d[_Y] * line
    p[_S_A] = d[_OPERANDS + _BASE] + first
    p[_S_B] = d[_OPERANDS + _OPERAND + _BASE] + first
    p[_S_OUT] = d[_OUTPUT + _BASE] + first
    p[_S_SUMS] = p[_A_SUMS]
    p[_S_TABLE] = p[_A_TABLE]
    p[_S_LEFT] = params[_P_LEFT_SHIFT]
    p[_S_MINUS] = 0 - params[_P_A_ZERO]
    p[_S_MULTIPLIER] = params[_P_A_MULTIPLIER]
    p[_S_RIGHT] = a_right
    p[_S_AWAY] = 0 - int(a_right > 0)
    p[_S_SIGN] = 0 - kind
    p[_S_MINUS + 5] = 0 - params[_P_B_ZERO]
    p[_S_MULTIPLIER + 5] = params[_P_B_MULTIPLIER]
    p[_S_RIGHT + 5] = b_right
    p[_S_AWAY + 5] = 0 - int(b_right > 0)
    left = (d[_Y1] - d[_Y]) * line
    while left > 0:
        n = _TOGETHER
        if n > left:
            n = left
        p[_S_COUNT] = n
        p[_A_COUNT] = n
        _sums(memory)
        _results(memory)
        p[_S_A] += n
        p[_S_B] += n
        p[_S_OUT] += n
        left -= n
    return 1


def _by_tables(call):
    x = call.input(0)
    out = call.output()
    kind = call.int_param(_P_KIND)
    alike = x.same_shape(out) and call.input(1).same_shape(out)
    # Tables cost as much as some 400 elements do without.
    if kind >= _MUL or not alike or out.c * out.w * (call.y1 - call.y0) < 2 * _BYTES:
        _run_in_viper(call)
        return
    d = operands.of(call)
    memory = operands.memory(call, _A_WORDS + 2 * _BYTES + 2 * _TOGETHER)
    _tables(memory, d, call.params)
    d[_PIXELS] = 1
    d[_CHANNEL] = 0
    d[_CHANNELS] = _BYTES
    d[_EACH] = 0
    d[_HALF_UP] = 0
    for multiplier, values in ((_P_A_MULTIPLIER, _A_WORDS), (_P_B_MULTIPLIER, _A_WORDS + _BYTES)):
        d[_VALUES] = values
        d[_MULTIPLIER] = call.first_param + multiplier
        d[_SHIFT] = call.first_param + multiplier + 1
        requantise.scale(memory, 0, d, call.params, call.params)
    params = call.params
    at = call.first_param
    zero = params[at + _P_OUTPUT_ZERO]
    memory[_A_ZERO] = zero
    memory[_A_LOW] = params[at + _P_ACTIVATION_MIN] - zero
    memory[_A_HIGH] = params[at + _P_ACTIVATION_MIN + 1] - zero
    memory[_A_CHANNELS] = 1
    memory[_A_OFFSET] = 0
    memory[_A_AWAY] = 0
    _rows(x.data, call.input(1).data, memory, memory, d, call.params, out.data, kind)


def _run_in_viper(call):
    global _general
    if _general is None:
        from ..viper import binary_int8

        _general = binary_int8.run
    _general(call)


@micropython.viper
def _tables(p: ptr32, d: ptr32, params: ptr32):
    """What each byte stands for, (value - zero) << left, first of operand 0, then of operand 1."""
    params = ptr32(int(params) + 4 * d[_PARAMS])
    sign = 1
    sign = sign << 31
    left = params[_P_LEFT_SHIFT]
    zero = (params[_P_A_ZERO] ^ sign) - sign
    i = 0
    p = ptr32(int(p) + 4 * _A_WORDS)
    while i < 2 * _BYTES:
        if i == _BYTES:
            zero = (params[_P_B_ZERO] ^ sign) - sign
        p[0] = ((i & 255) ^ 128) - 128 - zero << left
        p = ptr32(int(p) + 4)
        i += 1


@micropython.viper
def _rows(x: ptr8, b: ptr8, memory, p: ptr32, d: ptr32, params: ptr32, out: ptr8, kind: int):
    """Rows [Y, Y1) of the output."""
    params = ptr32(int(params) + 4 * (d[_PARAMS] + _P_OUTPUT_MULTIPLIER))
    p[_A_MULTIPLIER] = int(params)
    p[_A_SHIFT] = int(params) + 4
    x_table = int(p) + 4 * _A_WORDS
    b_table = x_table + 4 * _BYTES
    sums = b_table + 4 * _BYTES
    p[_A_SUMS] = sums
    p[_A_TABLE] = sums + 4 * _TOGETHER
    x_start = int(x) + d[_OPERANDS + _BASE]
    b_start = int(b) + d[_OPERANDS + _OPERAND + _BASE]
    out_start = int(out) + d[_OUTPUT + _BASE]
    s = ptr32(sums)
    n = _TOGETHER
    y = d[_Y]
    while y < d[_Y1]:
        x_line = x_start + (y + d[_OPERANDS + _PHASE]) % d[_OPERANDS + _ROWS] * d[_OPERANDS + _RS]
        b_line = (y + d[_OPERANDS + _OPERAND + _PHASE]) % d[_OPERANDS + _OPERAND + _ROWS]
        b_line = b_start + b_line * d[_OPERANDS + _OPERAND + _RS]
        line = out_start + (y + d[_OUTPUT + _PHASE]) % d[_OUTPUT + _ROWS] * d[_OUTPUT + _RS]
        q = d[_OUTPUT + _W]
        while q > 0:
            x = ptr8(x_line)
            b = ptr8(b_line)
            to = line
            i = d[_OUTPUT + _C]
            while i > 0:
                value = ptr32(b_table + (b[0] << 2))[0]
                if kind:
                    value = 0 - value
                s[0] = ptr32(x_table + (x[0] << 2))[0] + value
                s[_TOGETHER] = to
                s = ptr32(int(s) + 4)
                x = ptr8(int(x) + d[_OPERANDS + _CS])
                b = ptr8(int(b) + d[_OPERANDS + _OPERAND + _CS])
                to += d[_OUTPUT + _CS]
                n -= 1
                i -= 1
                if n == 0 or (i == 0 and q == 1 and y + 1 == d[_Y1]):
                    p[_A_COUNT] = _TOGETHER - n
                    _results(memory)
                    s = ptr32(sums)
                    n = _TOGETHER
            x_line += d[_OPERANDS + _PS]
            b_line += d[_OPERANDS + _OPERAND + _PS]
            line += d[_OUTPUT + _PS]
            q -= 1
        y += 1
