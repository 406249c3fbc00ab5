"""Parameters of mean_int8.

Source: the behaviour of LiteRT's MEAN and SUM. MEAN has two forms: over height and width of a tensor of rank 4 with
keep_dims, and the general one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .multipliers import quantised_multiplier

# LiteRT's mean over height and width has vector code for this many channels, which rounds otherwise than the rest.
_CHANNELS_AT_ONCE = 16


def _reduced(shape: Sequence[int], axes: Sequence[int]) -> tuple[list[int], int]:
    """The axes counted from 0, each once, and the number of elements that make one result."""
    counted = sorted({axis % len(shape) for axis in axes})
    return counted, math.prod(shape[axis] for axis in counted)


def mean_parameters(
    in_scale: float,
    in_zero: int,
    out_scale: float,
    out_zero: int,
    shape: Sequence[int],
    axes: Sequence[int],
    keep_dims: bool,
) -> dict[str, int | float]:
    """The parameters of mean_int8 for MEAN, except over_h, over_w and over_c. `shape` and `axes` are the source's."""
    reduced, count = _reduced(shape, axes)
    if len(shape) == 4 and reduced == [1, 2] and keep_dims:
        return _over_height_and_width(in_scale, in_zero, out_scale, out_zero, shape[3], count)
    multiplier, shift = quantised_multiplier(float(np.float32(in_scale)) / float(np.float32(out_scale)))
    # The division by count goes into the multiplier, with as many more bits as it can take.
    more = min(count.bit_length() - 1, 32, 31 + shift)
    return {
        "kind": 0,
        "sum_zero": in_zero * count,
        "multiplier": (multiplier << more) // count,
        "shift": shift - more,
        "output_zero": out_zero,
        "half_up": 0,
        "scale": 0.0,
        "bias": 0.0,
    }


def _over_height_and_width(
    in_scale: float, in_zero: int, out_scale: float, out_zero: int, channels: int, count: int
) -> dict[str, int | float]:
    single_in, single_out = np.float32(in_scale), np.float32(out_scale)
    # The input's zero point is taken off after the multiplication, rounded to a step of the output.
    zero = np.float32(in_zero) * single_in / single_out
    rounded_zero = int(zero + np.float32(0.5)) if zero > 0 else int(zero - np.float32(0.5))
    multiplier, shift = quantised_multiplier(float(single_in / (np.float32(count) * single_out)))
    return {
        "kind": 0,
        "sum_zero": 0,
        "multiplier": multiplier,
        "shift": shift,
        "output_zero": out_zero - rounded_zero,
        "half_up": channels // _CHANNELS_AT_ONCE * _CHANNELS_AT_ONCE,
        "scale": 0.0,
        "bias": 0.0,
    }


def sum_parameters(
    in_scale: float,
    in_zero: int,
    out_scale: float,
    out_zero: int,
    shape: Sequence[int],
    axes: Sequence[int],
    keep_dims: bool,
) -> dict[str, int | float]:
    """The same for SUM, which is computed in single precision. `keep_dims` makes no difference."""
    _, count = _reduced(shape, axes)
    scale = np.float32(in_scale) / np.float32(out_scale)
    return {
        "kind": 1,
        "sum_zero": 0,
        "multiplier": 0,
        "shift": 0,
        "output_zero": out_zero,
        "half_up": 0,
        "scale": float(scale),
        "bias": float(np.float32(-in_zero) * scale * np.float32(count)),
    }
