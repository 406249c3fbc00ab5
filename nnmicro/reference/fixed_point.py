"""The integer and single-precision arithmetic that the int8 layers share.

A real multiplier M is stored as an integer q in [2**30, 2**31) and a shift: M = q / 2**31 * 2**shift. Applying it is
two steps, each with its own rounding: the high word of the doubled product, where halves go up, then a shift to the
right of what is left. LiteRT's second step sends halves up in its vector code, and away from zero in the code for the
elements that do not fill a vector; the result differs by one at exact halves below zero. So both are here, and a
layer says which of its results take which.

Source: TFLite's quantisation specification for the scheme; for every rounding, results of LiteRT compared at ties.
"""

from math import frexp, ldexp

# Longer shifts than a word's only come from damaged files; they must not make integers of any length.
_LONGEST = 31


def multiply_up(value, multiplier, shift):
    """`value` times a quantised multiplier; halves go up in the second step."""
    if shift > 0:
        return ((value << min(shift, _LONGEST)) * multiplier + 0x40000000) >> 31
    right = min(-shift, _LONGEST)
    return ((value * multiplier + 0x40000000 >> 31) + (1 << right >> 1)) >> right


def multiply_away(value, multiplier, shift):
    """`value` times a quantised multiplier; halves go away from zero in the second step."""
    if shift >= 0:
        return ((value << min(shift, _LONGEST)) * multiplier + 0x40000000) >> 31
    right = min(-shift, _LONGEST)
    value = value * multiplier + 0x40000000 >> 31
    if value < 0:
        value -= 1
    return (value + (1 << right >> 1)) >> right


def wrapped(value):
    """`value` as far as an int32 holds it: sums of real models fit, what a damaged file makes must be the same in C."""
    return (value + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def divide_away(value, count):
    """`value` / `count` to the nearest integer, halves away from zero; `count` >= 1."""
    if value < 0:
        return -((count // 2 - value) // count)
    return (value + count // 2) // count


def single(cell, value):
    """`value` rounded to single precision, through a one-element array("f") of the caller's.

    One sum, product or quotient of two singles, computed in double precision and rounded by this, is what the
    operation in single precision gives, so the layers compute alike whatever a port's floats are.
    """
    cell[0] = value
    return cell[0]


def round_away(value, low, high):
    """The integer nearest to a float, halves away from zero, kept between `low` and `high`; NaN gives `low`."""
    if not value > low - 1:
        return low
    if value >= high + 1:
        return high
    whole = int(value)
    rest = value - whole
    if rest >= 0.5:
        whole += 1
    elif rest <= -0.5:
        whole -= 1
    return min(max(whole, low), high)


def round_even(value, low, high):
    """The integer nearest to a float, halves to the even one, kept between `low` and `high`; NaN gives `low`."""
    if not value > low - 1:
        return low
    if value >= high + 1:
        return high
    whole = int(value)
    rest = value - whole
    if rest > 0.5 or (rest == 0.5 and whole & 1):
        whole += 1
    elif rest < -0.5 or (rest == -0.5 and whole & 1):
        whole -= 1
    return min(max(whole, low), high)


def round_quotient(value, scale, low, high):
    """The integer nearest to the quotient of two singles, halves away from zero, kept between `low` and `high`.

    `scale` > 0; NaN gives `low`. By integers, as what is nearest must be decided on the exact quotient, which is
    longer than a single.
    """
    infinity = float("inf")
    if not value > -infinity:
        return low
    if value == infinity:
        return high
    if value == 0.0:
        return min(max(0, low), high)
    numerator, exponent = frexp(value)
    denominator, scale_exponent = frexp(scale)
    numerator = int(ldexp(numerator, 24))
    denominator = int(ldexp(denominator, 24))
    exponent -= scale_exponent
    if exponent > 32:
        return high if value > 0.0 else low
    if exponent < -1:
        return min(max(0, low), high)
    if exponent > 0:
        numerator <<= exponent
    elif exponent < 0:
        denominator <<= 1
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return min(max(quotient if numerator > 0 else -quotient, low), high)
