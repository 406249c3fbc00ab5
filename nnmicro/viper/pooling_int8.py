"""Pooling of int8 tensors. Formula and parameters: reference/pooling_int8.py."""

import micropython

from ..port import const
from ..reference import pooling_int8 as reference
from . import record

_P_KIND = const(0)
_P_KERNEL_H = const(1)
_P_KERNEL_W = const(2)
_P_STRIDE_H = const(3)
_P_STRIDE_W = const(4)
_P_PAD_TOP = const(5)
_P_PAD_LEFT = const(6)
_P_ACTIVATION_MIN = const(7)
_P_ACTIVATION_MAX = const(8)

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


def run(call):
    if call.reduces:  # takes x some rows a call
        reference.run(call)
        return
    _rows(call.input(0).data, 0, record.of(call), call.params, call.output().data)


@micropython.viper
def _rows(x: ptr8, value: int, d: ptr32, params: ptr32, out: ptr8):
    """Rows [Y, Y1). `value`: anything; the place of an argument is a register."""
    params = ptr32(int(params) + 4 * d[_PARAMS])
    sign = 1
    sign = sign << 31
    average = params[_P_KIND]
    low = (params[_P_ACTIVATION_MIN] ^ sign) - sign
    high = (params[_P_ACTIVATION_MAX] ^ sign) - sign
    start = int(x) + d[_OPERANDS + _BASE]
    step = d[_OPERANDS + _PS]
    held = d[_OPERANDS + _ROWS]
    y = d[_Y]
    while y < d[_Y1]:
        top = y * params[_P_STRIDE_H] - params[_P_PAD_TOP]
        bottom = top + params[_P_KERNEL_H]
        if top < 0:
            top = 0
        if bottom > d[_OPERANDS + _H]:
            bottom = d[_OPERANDS + _H]
        result = int(out) + d[_OPERANDS + _OPERAND + _BASE]
        result += (
            (y + d[_OPERANDS + _OPERAND + _PHASE]) % d[_OPERANDS + _OPERAND + _ROWS] * d[_OPERANDS + _OPERAND + _RS]
        )
        first = 0 - params[_P_PAD_LEFT]
        q = d[_OPERANDS + _OPERAND + _W]
        while q:
            left = first
            right = left + params[_P_KERNEL_W]
            if left < 0:
                left = 0
            if right > d[_OPERANDS + _W]:
                right = d[_OPERANDS + _W]
            count = right - left
            if bottom <= top or count < 0:
                count = 0
            corner = start + left * step
            to = result
            c = d[_OPERANDS + _C]
            while c:
                value = 0
                row = top if count else bottom
                while row < bottom:
                    x = ptr8(corner + (row + d[_OPERANDS + _PHASE]) % held * d[_OPERANDS + _RS])
                    i = count
                    if average:
                        while i:
                            value += x[0] ^ 128
                            x = ptr8(int(x) + step)
                            i -= 1
                    else:
                        while i:
                            if (x[0] ^ 128) > value:
                                value = x[0] ^ 128
                            x = ptr8(int(x) + step)
                            i -= 1
                    row += 1
                # A byte stands for 128 less.
                if average:
                    i = count * (bottom - top)
                    if i:
                        value -= 128 * i
                        if value < 0:
                            value = 0 - ((i >> 1) - value) // i
                        else:
                            value = ((i >> 1) + value) // i
                else:
                    value -= 128
                if value < low:
                    value = low
                if value > high:
                    value = high
                ptr8(to)[0] = value
                corner += d[_OPERANDS + _CS]
                to += d[_OPERANDS + _OPERAND + _CS]
                c -= 1
            result += d[_OPERANDS + _OPERAND + _PS]
            first += params[_P_STRIDE_W]
            q -= 1
        y += 1
