"""What `quantize` and `dequantize` have in common: their elements, one run after the other."""

import micropython

from ..port import const

_X_ZERO_POINT = const(1)  # parameters of both
_X_IN_BLOCKS = const(2)

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
_PHASE = const(8)
_OUTPUT = const(26)  # the words of operand 1

# What the functions in assembler are told.
_R_COUNT = const(0)
_R_X = const(1)
_R_X_STEP = const(2)
_R_OUT = const(3)
_R_OUT_STEP = const(4)
_R_LOW = const(5)
_R_HIGH = const(6)
_R_ZERO = const(7)
_R_PARAMS = const(8)
_R_BLOCKS = const(9)
WORDS = 10


@micropython.viper
def in_blocks(d: ptr32) -> int:
    """2: all elements, 1: some of them, 0: none."""
    some = ptr32(d[_PARAMS])[_X_IN_BLOCKS]
    if some >= d[_OPERANDS + _C] * d[_OPERANDS + _H] * d[_OPERANDS + _W]:
        return 2
    if some:
        return 1
    return 0


@micropython.viper
def rows(p: ptr32, d: ptr32, memory, convert, blocks: int):
    """Rows [Y, Y1) by a function in assembler, in the work memory. `blocks`: what `in_blocks` says."""
    zero = ptr32(d[_PARAMS])[_X_ZERO_POINT]
    p[_R_PARAMS] = d[_PARAMS]
    p[_R_ZERO] = zero
    p[_R_BLOCKS] = blocks
    p[_R_LOW] = 0 - 128 - zero
    p[_R_HIGH] = 127 - zero
    p[_R_X_STEP] = d[_OPERANDS + _PS]
    p[_R_OUT_STEP] = d[_OUTPUT + _PS]
    width = d[_OPERANDS + _W]
    p[_R_COUNT] = width
    y = d[_Y]
    lines = d[_Y1] - y
    # Rows that follow on from each other are one.
    if d[_OPERANDS + _RS] == width * d[_OPERANDS + _PS] and d[_OUTPUT + _RS] == width * d[_OUTPUT + _PS]:
        if d[_OPERANDS + _ROWS] == d[_OPERANDS + _H] and d[_OUTPUT + _ROWS] == d[_OPERANDS + _H]:
            if d[_OPERANDS + _PHASE] == 0 and d[_OUTPUT + _PHASE] == 0:
                p[_R_COUNT] = width * lines
                lines = 1
    while lines:
        x = d[_OPERANDS + _BASE] + (y + d[_OPERANDS + _PHASE]) % d[_OPERANDS + _ROWS] * d[_OPERANDS + _RS]
        out = d[_OUTPUT + _BASE] + (y + d[_OUTPUT + _PHASE]) % d[_OUTPUT + _ROWS] * d[_OUTPUT + _RS]
        c = d[_OPERANDS + _C]
        while c:
            p[_R_X] = x
            p[_R_OUT] = out
            convert(memory)
            x += d[_OPERANDS + _CS]
            out += d[_OUTPUT + _CS]
            c -= 1
        y += 1
        lines -= 1
