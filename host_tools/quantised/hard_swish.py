"""HARD_SWISH of int8: x * clamp(x + 3, 0, 6) / 6, in fixed point of sixteen bits.

Source: the behaviour of LiteRT's HARD_SWISH. The input is raised by seven bits, as far as a difference of int8 values
leaves room. One copy of it is brought to the output's scale; the other becomes clamp(x / 3, -1, 1), which is then
moved to [0, 1], and the two are multiplied.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .multipliers import INT8_MAX, INT8_MIN, quantised_multiplier

_LOWEST = -(1 << 15)
_HIGHEST = (1 << 15) - 1


def _saturated(value: int) -> int:
    return min(max(value, _LOWEST), _HIGHEST)


def _high_half(a: int, b: int) -> int:
    """The product of two numbers in [-1, 1) stored as sixteen bits, halves up."""
    return _saturated((a * b + (1 << 14)) >> 15)


def _shifted_right(value: int, bits: int) -> int:
    """`value` / 2**bits to the nearest integer, halves away from zero."""
    if bits == 0:
        return value
    return (value - (value < 0) + (1 << bits >> 1)) >> bits


def _sixteen_bits(multiplier: int) -> int:
    """A multiplier of 31 bits cut to 15, to the nearest."""
    return min((multiplier + (1 << 15)) >> 16, _HIGHEST)


def hard_swish(in_scale: float, in_zero: int, out_scale: float, out_zero: int) -> npt.NDArray[np.int8]:
    """The 256 results.

    Where the output's scale is more than some 400 times the input's, all results are the zero point or next to it,
    and LiteRT's may be the one where these are the other: its last shift is longer than its sixteen bits.
    """
    raised = np.float32(in_scale) / np.float32(128.0)
    to_output, output_shift = quantised_multiplier(float(raised / np.float32(out_scale)))
    to_third, third_shift = quantised_multiplier(float(raised / (np.float32(3.0) / np.float32(32768.0))))
    if output_shift > 0:
        raise ValueError(
            f"HARD_SWISH from scale {in_scale} to {out_scale}: the output's must be more than 1/128 of the input's"
        )
    to_output, to_third = _sixteen_bits(to_output), _sixteen_bits(to_third)
    results = []
    for q in range(INT8_MIN, INT8_MAX + 1):
        value = (q - in_zero) * 128
        scaled = _high_half(value, to_output)
        third = value
        if third_shift > 0:
            third = _saturated(third << (third_shift - 1))
        third = _high_half(third, to_third)
        if third_shift > 0:
            third = _saturated(third << 1)
        else:
            third = _shifted_right(third, -third_shift)
        product = math.trunc(((third + (1 << 15)) >> 1) * scaled / (1 << 15))
        results.append(min(max(_shifted_right(product, -output_shift) + out_zero, INT8_MIN), INT8_MAX))
    return np.array(results, np.int8)
