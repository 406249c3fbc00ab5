"""Logistic function and hyperbolic tangent of fixed-point numbers of sixteen bits, as TFLite's int8 LSTM takes them.

A number with n integer bits is raw / 2**(15 - n). Results have none: 32767 stands for 1. Both functions come from the
exponential of a negative number, which is that of its part above a multiple of 1/4, by a Taylor series of four terms
around -1/8, times constants for the bits of the rest; and from a division by Newton's method, three steps.

Source: gemmlowp, fixedpoint/fixedpoint.h (the arithmetic that TFLite states for these functions).
"""

from ..port import const

_ONE = const(32767)
_ONE_TWO_BITS = const(8192)  # 1 with two integer bits
_EXP_OF_AN_EIGHTH = const(28918)  # exp(-1/8)
_EIGHTH = const(4096)
_THIRD = const(10923)
_48_OVER_17 = const(23130)  # with two integer bits
_32_OVER_17 = const(15420)
_LARGEST_EXPONENT_BITS = const(5)

# exp(-1/4), exp(-1/2), exp(-1) and so on to exp(-16).
_EXPONENTIALS = (25520, 19875, 12055, 4435, 600, 11, 0)


def _product(a, b):
    """The high half of the doubled product, halves up."""
    return min((a * b + 0x4000) >> 15, _ONE)


def _saturated(value):
    return min(max(value, -32768), _ONE)


def divide_by_power(value, bits):
    """`value` / 2**bits to the nearest integer, halves away from zero; `bits` >= 0."""
    if value < 0:
        value -= 1 if bits else 0
    return (value + (1 << bits >> 1)) >> bits


def _exp(a, integer_bits):
    """exp(a), a <= 0."""
    if a == 0:
        return _ONE
    fraction_bits = 15 - integer_bits
    quarter = 1 << fraction_bits >> 2
    above = (a & (quarter - 1)) - quarter
    x = _saturated(above << integer_bits) + _EIGHTH
    square = _product(x, x)
    cube = _product(square, x)
    fourth = divide_by_power(_product(square, square), 2)
    series = divide_by_power(_product(fourth + cube, _THIRD) + square, 1)
    result = _saturated(_EXP_OF_AN_EIGHTH + _product(_EXP_OF_AN_EIGHTH, x + series))
    rest = above - a
    bit = quarter
    for i in range(min(integer_bits + 2, len(_EXPONENTIALS))):
        if rest & bit:
            result = _product(result, _EXPONENTIALS[i])
        bit <<= 1
    if integer_bits > _LARGEST_EXPONENT_BITS and a < -(1 << 20 - integer_bits):
        return 0
    return result


def _inverse_of_half_sum(a):
    """2 / (1 + a) with two integer bits, 0 <= a <= 1."""
    half = (a + _ONE + 1) >> 1
    x = _48_OVER_17 + _product(half, -_32_OVER_17)
    for _ in range(3):
        x += _saturated(_product(x, _ONE_TWO_BITS - _product(half, x)) << 2)
    return x


def logistic(a):
    """1 / (1 + exp(-a)), a with three integer bits."""
    if a == 0:
        return 16384
    result = _saturated(_inverse_of_half_sum(_exp(a if a < 0 else -a, 3)) << 1)
    return result if a > 0 else _ONE - result


def tanh(a, integer_bits):
    """The hyperbolic tangent of `a`, whose integer bits are 0 to 6."""
    if a == 0:
        return 0
    result = _inverse_of_half_sum(_exp(a if a < 0 else -a, integer_bits + 1))
    result = _saturated((result - _ONE_TWO_BITS) << 2)
    return result if a > 0 else -result
