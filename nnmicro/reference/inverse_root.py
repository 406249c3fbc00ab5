"""The inverse square root of an integer as a quantised multiplier, as TFLite's int8 operators compute it."""

from ..port import const

_LARGEST = const(0x7FFFFFFF)
_HALF_ROOT_OF_2 = const(1518500250)  # sqrt(2) / 2 * 2**31
_ONE = const(0x10000000)  # 1, with three bits before the point
_THREE_HALVES = const(0x18000000)
_ITERATIONS = const(5)


def _product(a, b):
    """The high word of the doubled product, halves up."""
    return (a * b + 0x40000000) >> 31


def _raised(value, bits):
    """`value` * 2**bits, kept within a word."""
    return min(max(value << bits, -_LARGEST - 1), _LARGEST)


def inverse_root(value):
    """1 / sqrt(value) as (multiplier, shift), see fixed_point.py; numbers below 1 count as 1.

    The value is brought to between a quarter and one by an even number of shifts; five steps of Newton's method, from
    1 on, give its inverse root, in fixed point with three bits before the point.
    """
    if value <= 1:
        return _LARGEST, 0
    right = 11
    while value >= 1 << 29:
        value >>= 2
        right += 1
    while value < 1 << 27:
        value <<= 2
        right -= 1
    value >>= 1
    half = (value + 1) >> 1
    x = _ONE
    for _ in range(_ITERATIONS):
        cube = _raised(_product(_product(x, x), x), 6)
        x = _raised(_product(_THREE_HALVES, x) - _product(half, cube), 3)
    x = _product(x, _HALF_ROOT_OF_2)
    if right < 0:
        return x << -right, 0
    return x, -right
