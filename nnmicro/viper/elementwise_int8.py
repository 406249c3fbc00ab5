"""Pixels of int8 operands as int32 values in the work memory, and two rows of values made one.

For layers that take operands element by element, one of which may be broadcast: a piece of PIXELS pixels and all
channels is loaded, rescaled, combined and stored (requantise.py).
"""

import micropython

from ..port import const
from . import record, requantise

_Y = const(0)
_Q = const(2)
_PIXELS = const(3)
_CHANNEL = const(4)
_CHANNELS = const(5)
_VALUES = const(8)
_MULTIPLIER = const(9)
_SHIFT = const(10)
_EACH = const(11)
_HALF_UP = const(12)
_BASE = const(0)
_C = const(1)
_H = const(2)
_W = const(3)
_CS = const(4)
_RS = const(5)
_PS = const(6)
_ROWS = const(7)
_PHASE = const(8)

_TOGETHER = const(256)  # values that are done together; one pixel may have more

_SUB = const(1)
_MUL = const(2)
_MAX = const(3)
_MIN = const(4)


def each(call, piece):
    """Calls piece(call, d, memory, n) for every piece of the output's rows. The memory has room for two times the
    piece's n values, and rescaling is set to one multiplier for all and halves away from zero."""
    d = record.of(call)
    out = call.output()
    together = max(1, min(out.w, _TOGETHER // out.c))
    memory = record.memory(call, 2 * together * out.c)
    d[_CHANNEL] = 0
    d[_CHANNELS] = out.c
    d[_EACH] = 0
    d[_HALF_UP] = 0
    for y in range(call.y0, call.y1):
        d[_Y] = y
        q = 0
        while q < out.w:
            pixels = min(together, out.w - q)
            d[_Q] = q
            d[_PIXELS] = pixels
            piece(call, d, memory, pixels * out.c)
            q += together


def rescale(call, d, memory, multiplier):
    """Apply the multiplier in that parameter, and the shift in the next one, to the values from VALUES on."""
    d[_MULTIPLIER] = call.first_param + multiplier
    d[_SHIFT] = call.first_param + multiplier + 1
    requantise.scale(memory, 0, d, call.params, call.params)


@micropython.viper
def load(v: ptr32, x: ptr8, d: ptr32, at: int, zero: int, left: int):
    """(x - zero) << left, to VALUES, for the piece of the operand whose words begin at `at`."""
    zero = zero + 128
    v = ptr32(int(v) + 4 * d[_VALUES])
    channels = d[_CHANNELS]
    pixels = d[_PIXELS]
    line = d[_Y]
    first = d[_Q]
    d = ptr32(int(d) + 4 * at)
    step = d[_CS]
    pixel_step = d[_PS]
    if d[_C] == 1:
        step = 0
    if d[_H] == 1:
        line = 0
    if d[_W] == 1:
        pixel_step = 0
    first = int(x) + d[_BASE] + (line + d[_PHASE]) % d[_ROWS] * d[_RS] + first * pixel_step
    while pixels:
        x = ptr8(first)
        i = channels
        while i:
            v[0] = (x[0] ^ 128) - zero << left
            v = ptr32(int(v) + 4)
            x = ptr8(int(x) + step)
            i -= 1
        first += pixel_step
        pixels -= 1


@micropython.viper
def combine(v: ptr32, w: ptr32, n: int, kind: int):
    """The first n values and the next n become one: the first ones.

    `kind`: 0 sum, 1 difference, 2 product, 3 the larger, 4 the smaller. 5 keeps two of which one is 0: the first value
    where it is not below 0, and where it is, its product with the other. `w`: anything; the place of an argument is a
    register.
    """
    sign = 1
    sign = sign << 31
    w = ptr32(int(v) + 4 * n)
    while n:
        a = (v[0] ^ sign) - sign
        b = (w[0] ^ sign) - sign
        if kind == 0:
            a += b
        elif kind == _SUB:
            a -= b
        elif kind == _MUL:
            a *= b
        elif kind == _MAX:
            if b > a:
                a = b
        elif kind == _MIN:
            if b < a:
                a = b
        elif a < 0:
            w[0] = a * b
            a = 0
        else:
            w[0] = 0
        v[0] = a
        v = ptr32(int(v) + 4)
        w = ptr32(int(w) + 4)
        n -= 1
