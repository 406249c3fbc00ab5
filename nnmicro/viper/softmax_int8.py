"""Softmax along one axis of an int8 tensor. Formula and parameters: reference/softmax_int8.py.

Its floats are positive, so IEEE 754 single precision is done here on their bits: the same on a board without an FPU,
without float objects on the heap. A float is m * 2 ** (e - 150), with 24 bits of m.
"""

from array import array

import micropython

from ..port import const
from ..reference import along_axis
from ..reference import softmax_int8 as reference

_P_AXIS = const(0)
_P_OUTPUT_SCALE = const(1)
_P_OUTPUT_ZERO = const(2)

_ONE = const(0x3F800000)  # the bits of 1.0
_HIDDEN = const(0x800000)  # the highest bit of m, which is not stored
_FRACTION = const(0x7FFFFF)
_LEAST_EXPONENT = const(97)  # of the output's scale: 2 ** -30
_MOST_EXPONENT = const(157)
_NOTHING = const(63)  # an exponent, 2 ** -64, of a table's element that cannot make a result but 0


def run(call):
    along_axis.each(call, "softmax_int8", call.int_param(_P_AXIS), _line)


def _line(call, first, step, result, result_step, count):
    table = call.input(1)
    at = call.first_param + _P_OUTPUT_SCALE
    zero = call.int_param(_P_OUTPUT_ZERO)
    x = call.input(0).data
    results = call.output().data
    if _softmax(x, results, table.data, call.params, table.base, first, step, result, result_step, count, at, zero):
        reference._softmax(call, array("f", (0.0,)), first, step, result, result_step, count)


@micropython.viper
def _softmax(
    x: ptr8,
    out: ptr8,
    table: ptr32,
    params: ptr32,
    base: int,
    first: int,
    step: int,
    result: int,
    result_step: int,
    count: int,
    at: int,
    zero: int,
) -> int:
    """1, and nothing done, for a scale or a table that no converter makes: an element below 0 or above 1, or no 1 for
    the largest."""
    scale = params[at]
    if scale >> 23 < _LEAST_EXPONENT or scale >> 23 > _MOST_EXPONENT:
        return 1
    first += int(x)
    result += int(out)
    largest = 0
    x = ptr8(first)
    i = count
    while i:
        if (x[0] ^ 128) > largest:
            largest = x[0] ^ 128
        x = ptr8(int(x) + step)
        i -= 1
    table = ptr32(int(table) + 4 * (base + 255 - largest))

    # The sum.
    total = 0
    x = ptr8(first)
    i = count
    while i:
        b = table[x[0] ^ 128]
        if b < 0 or b > _ONE:
            return 1
        a = total
        if b > a:
            a = b
            b = total
        e = a >> 23
        less = b >> 23
        a = a & _FRACTION
        b = b & _FRACTION
        # Without the hidden bit a float has the exponent 1.
        if e:
            a += _HIDDEN
        else:
            e = 1
        if less:
            b += _HIDDEN
        else:
            less = 1
        # Three more bits decide how the sum is rounded; the last one stands for all that was shifted out.
        a = a << 3
        b = b << 3
        less = e - less
        if less > 27:
            less = 27
        lost = b & (1 << less) - 1
        b = b >> less
        if lost:
            b = b | 1
        a += b
        if a >> 27:
            a = (a >> 1) | (a & 1)
            e += 1
        rest = a & 7
        a = a >> 3
        if rest > 4:
            a += 1
        elif rest == 4:
            a += a & 1
        total = (e - 1 << 23) + a
        x = ptr8(int(x) + step)
        i -= 1
    if total < _ONE:
        return 1

    # The sum times the scale, then its inverse, then each element times that: the first and the last are one piece of
    # code, whose first round makes the inverse.
    e = (total >> 23) - 127
    a = total & _FRACTION | _HIDDEN
    f = scale
    x = ptr8(first)
    i = count
    inverse = 0
    while i >= 0:
        if inverse:
            f = table[x[0] ^ 128]
            a = inverse & _FRACTION | _HIDDEN
            e = (inverse >> 23) - 127
        b = f & _FRACTION | _HIDDEN
        e += f >> 23
        # 24 times 24 bits, by halves of 12: `a` becomes the upper 24 bits of 48, `rest` the lower ones.
        rest = (a & 0xFFF) * (b & 0xFFF)
        middle = (a >> 12) * (b & 0xFFF) + (a & 0xFFF) * (b >> 12) + (rest >> 12)
        a = (a >> 12) * (b >> 12) + (middle >> 12)
        rest = (middle & 0xFFF) << 12 | rest & 0xFFF
        if a & _HIDDEN:
            e += 1
        else:
            a = a << 1 | rest >> 23
            rest = rest << 1 & 0xFFFFFF
        if rest > _HIDDEN:
            a += 1
        elif rest == _HIDDEN:
            a += a & 1
        if a >> 24:
            a = a >> 1
            e += 1
        if inverse:
            value = 0
            if f >> 23 > _NOTHING:
                e = 150 - e
                if e < 8:
                    value = 255
                elif e < 25:
                    value = a + (1 << e - 1) >> e
            value += zero
            if value > 127:
                value = 127
            ptr8(result)[0] = value
            result += result_step
            x = ptr8(int(x) + step)
        elif a == _HIDDEN:
            inverse = 254 - e << 23
        else:
            # 2 ** 47 / a, bit by bit; what is left decides the rounding, and is never a half.
            rest = _HIDDEN
            b = 0
            k = 24
            while k:
                rest = rest << 1
                b = b << 1
                if rest >= a:
                    rest -= a
                    b += 1
                k -= 1
            if rest << 1 > a:
                b += 1
            inverse = (252 - e << 23) + b
        i -= 1
    return 0
