"""Fully connected layer of int8 tensors. Formula and parameters: reference/inner_product_int8.py."""

import micropython

from ..port import const
from ..reference import checks, order_int8
from ..reference import inner_product_int8 as reference
from . import dot_int8, record, requantise

_P_PER_ROW = const(0)
_P_INPUT_ZERO = const(1)
_P_WEIGHT_ZERO = const(2)
_P_OUTPUT_ZERO = const(3)
_P_ACTIVATION_MIN = const(4)
_P_ACTIVATION_MAX = const(5)

_Y = const(0)
_Q = const(2)
_PIXELS = const(3)
_CHANNEL = const(4)
_CHANNELS = const(5)
_SIZE = const(6)
_WEIGHT_ZERO = const(7)
_VALUES = const(8)
_MULTIPLIER = const(9)
_SHIFT = const(10)
_EACH = const(11)
_HALF_UP = const(12)
_ZERO = const(13)
_LOW = const(14)
_HIGH = const(15)
_OPERANDS = const(17)
_BASE = const(0)
_C = const(1)
_H = const(2)
_W = const(3)
_CS = const(4)
_RS = const(5)
_PS = const(6)

_OUTPUT = const(62)  # the words of operand 5


def run(call):
    if call.reduces:  # takes x some rows a call
        reference.run(call)
        return
    d = record.of(call)
    x = call.input(0)
    out = call.output()
    per_row = call.int_param(_P_PER_ROW)
    size = x.w if per_row else x.count
    memory = record.memory(call, size + 1 + out.w)
    d[_PIXELS] = 1
    d[_CHANNEL] = 0
    d[_CHANNELS] = out.w
    d[_SIZE] = size
    d[_WEIGHT_ZERO] = call.int_param(_P_WEIGHT_ZERO)
    d[_VALUES] = size + 1
    d[_MULTIPLIER] = call.input(3).base
    d[_SHIFT] = call.input(4).base
    d[_EACH] = 1
    d[_HALF_UP] = out.w
    d[_ZERO] = call.int_param(_P_OUTPUT_ZERO)
    d[_LOW] = call.int_param(_P_ACTIVATION_MIN)
    d[_HIGH] = call.int_param(_P_ACTIVATION_MAX)
    # The outputs lie along w: to what stores them they are the channels of one pixel.
    d[_OUTPUT + _CS] = out.ps
    d[_Q] = 0
    zero = call.int_param(_P_INPUT_ZERO)
    if not per_row:
        checks.whole(call, "inner_product_int8")
        d[_Y] = 0
        _take(memory, x.data, d, zero, 1 if order_int8.interleaved(x) else 0)
        _outputs(call, d, memory)
        return
    d[_OPERANDS + _C] = d[_OPERANDS + _H] = 1
    for c in range(x.c):
        d[_OUTPUT + _BASE] = out.base + c * out.cs
        for y in range(call.y0, call.y1):
            d[_Y] = y
            d[_OPERANDS + _BASE] = x.at(c, y)
            _take(memory, x.data, d, zero, 0)
            _outputs(call, d, memory)


def _outputs(call, d, memory):
    dot_int8.sums(memory, call.input(1).data, d, call.input(2).data)
    requantise.scale(memory, 0, d, call.input(3).data, call.input(4).data)
    requantise.store(memory, 0, d, call.output().data, _OUTPUT)


@micropython.viper
def _take(p: ptr32, x: ptr8, d: ptr32, zero: int, channels_last: int):
    """The elements of operand 0 without the zero point, in the source's order, and their sum."""
    zero = zero + 128
    c = d[_OPERANDS + _C]
    c_step = d[_OPERANDS + _CS]
    h = d[_OPERANDS + _H]
    h_step = d[_OPERANDS + _RS]
    width = d[_OPERANDS + _W]
    step = d[_OPERANDS + _PS]
    # Outermost first; the source counts either channels or columns fastest.
    if channels_last:
        i = c
        c = h
        h = width
        width = i
        i = c_step
        c_step = h_step
        h_step = step
        step = i
    plane = int(x) + d[_OPERANDS + _BASE]
    total = 0
    while c:
        line = plane
        j = h
        while j:
            x = ptr8(line)
            i = width
            while i:
                value = (x[0] ^ 128) - zero
                p[0] = value
                total += value
                p = ptr32(int(p) + 4)
                x = ptr8(int(x) + step)
                i -= 1
            line += h_step
            j -= 1
        plane += c_step
        c -= 1
    p[0] = total
