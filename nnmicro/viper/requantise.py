"""From sums to int8, in two passes over int32 values in the work memory: apply multipliers, then clamp and store.

TFLite's two roundings, as reference/fixed_point.py defines them, with the 64-bit product made of 16-bit halves.
"""

import micropython

from ..port import const

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
_ZERO = const(13)
_LOW = const(14)
_HIGH = const(15)
_BASE = const(0)
_CS = const(4)
_RS = const(5)
_PS = const(6)
_ROWS = const(7)
_PHASE = const(8)


@micropython.viper
def scale(v: ptr32, value: int, d: ptr32, multiplier: ptr32, shift: ptr32):
    """Multiply the values from VALUES on in place: CHANNELS of them, PIXELS times.

    Those of a pixel have the multipliers and shifts from elements MULTIPLIER and SHIFT on (EACH 1), or all the same
    (EACH 0). The value of channel CHANNEL + k rounds halves up where that is below HALF_UP, else away from zero.
    `value`: anything; the place of an argument is a register.
    """
    sign = 1
    sign = sign << 31
    v = ptr32(int(v) + 4 * d[_VALUES])
    each = 4 * d[_EACH]
    channels = d[_CHANNELS]
    away = channels + d[_CHANNEL] - d[_HALF_UP]
    pixels = d[_PIXELS]
    while pixels:
        multipliers = int(multiplier) + 4 * d[_MULTIPLIER]
        shifts = int(shift) + 4 * d[_SHIFT]
        left = channels
        while left:
            value = (v[0] ^ sign) - sign
            right = sign - (ptr32(shifts)[0] ^ sign)
            # Few models have any other than 0 to 31.
            if right >> 5:
                if right > 0:
                    right = 31
                else:
                    right = 0 - right
                    if right > 31:
                        right = 31
                    # What does not fit into a word becomes the largest one; its product is clamped in the end.
                    most = sign - 1 >> right
                    if value > most:
                        value = sign - 1
                    elif value < 0 - most - 1:
                        value = 0 - (sign - 1) - 1
                    else:
                        value = value << right
                    right = 0
            low = ptr32(multipliers)[0]
            high = low >> 16
            low = low & 0xFFFF
            # The halves of the value, times the halves of the multiplier; then the 15 bits that carry.
            a = value & 0xFFFF
            value = value >> 16
            b = a * high
            a = low * a >> 16 & 0xFFFF
            low = low * value
            value = value * high * 2 + (low >> 15) + (b >> 15)
            value = ((low & 0x7FFF) + (b & 0x7FFF) + a + 0x4000 >> 15) + value
            if right:
                if value >> 31:
                    if left <= away:
                        value -= 1
                value = value >> right - 1
                value = (value & 1) + (value >> 1)
            v[0] = value
            v = ptr32(int(v) + 4)
            multipliers += each
            shifts += each
            left -= 1
        pixels -= 1


@micropython.viper
def store(v: ptr32, value: int, d: ptr32, out: ptr8, y: int):
    """Add ZERO to the values from VALUES on, keep them between LOW and HIGH, and store them as int8: CHANNELS channels
    from CHANNEL on, for PIXELS pixels from column Q on of row Y, of the operand whose words begin at `y`.

    `value`: as in `scale`.
    """
    sign = 1
    sign = sign << 31
    zero = (d[_ZERO] ^ sign) - sign
    # Compared before the zero point is added: a sum may be as large as a word.
    low = (d[_LOW] ^ sign) - sign - zero
    high = (d[_HIGH] ^ sign) - sign - zero
    v = ptr32(int(v) + 4 * d[_VALUES])
    pixels = d[_PIXELS]
    channels = d[_CHANNELS]
    line = d[_Y]
    first = d[_Q]
    channel = d[_CHANNEL]
    d = ptr32(int(d) + 4 * y)
    step = d[_CS]
    first = int(out) + d[_BASE] + (line + d[_PHASE]) % d[_ROWS] * d[_RS] + first * d[_PS] + channel * step
    while pixels:
        to = first
        i = channels
        while i:
            value = (v[0] ^ sign) - sign
            if value < low:
                value = low
            if value > high:
                value = high
            ptr8(to)[0] = value + zero
            v = ptr32(int(v) + 4)
            to += step
            i -= 1
        first += d[_PS]
        pixels -= 1
