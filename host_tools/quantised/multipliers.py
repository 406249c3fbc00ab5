"""Real multipliers as integers, and the bounds that a fused activation puts on int8 results.

Source: the behaviour of LiteRT's Prepare functions, found by comparing results at rounding ties.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

INT8_MIN = -128
INT8_MAX = 127

_BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}


def quantised_multiplier(real: float) -> tuple[int, int]:
    """`real` >= 0 as (multiplier, shift): multiplier / 2**31 * 2**shift, multiplier 0 or in [2**30, 2**31).

    What is below 2**-32 becomes 0, as the shift to the right would be longer than a word.
    """
    if not (real >= 0.0 and math.isfinite(real)):
        raise ValueError(f"a multiplier of {real} cannot be quantised: it must be finite and not negative")
    mantissa, shift = math.frexp(real)
    multiplier = math.floor(mantissa * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def activation_bounds(scale: float, zero: int, activation: str) -> tuple[int, int]:
    """The int8 values between which `activation` keeps a result of this scale and zero point."""
    if activation not in _BOUNDS:
        raise ValueError(f"the fused activation {activation} has no int8 form; expected one of {', '.join(_BOUNDS)}")
    low, high = (None if bound is None else _quantise(bound, scale, zero) for bound in _BOUNDS[activation])
    return (
        INT8_MIN if low is None else max(INT8_MIN, low),
        INT8_MAX if high is None else min(INT8_MAX, high),
    )


def pooling_bounds(scale: float, zero: int, activation: str) -> tuple[int, int]:
    """`activation_min` and `activation_max` of pooling_int8, whose input and output have one scale."""
    return activation_bounds(scale, zero, activation)


def _quantise(value: float, scale: float, zero: int) -> int:
    ratio = float(np.float32(value) / np.float32(scale))
    return zero + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))


def _multipliers(reals: Sequence[float], outputs: int | None) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    if outputs is not None and len(reals) not in (1, outputs):
        raise ValueError(f"{len(reals)} weight scales for {outputs} outputs; expected 1 or {outputs}")
    pairs = [quantised_multiplier(real) for real in reals]
    if outputs is not None and len(pairs) == 1:
        pairs *= outputs
    return np.array([p[0] for p in pairs], np.int32), np.array([p[1] for p in pairs], np.int32)


def conv_parameters(
    input_scale: float,
    input_zero: int,
    weight_scales: Sequence[float],
    output_scale: float,
    output_zero: int,
    activation: str,
    outputs: int | None = None,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], int, int]:
    """For convolution_int8 and depthwise_int8: multipliers, shifts, activation_min, activation_max.

    One entry for each weight scale; a single one is repeated `outputs` times. The effective scale is computed in
    double precision. `input_zero` is not needed and stands here so that both operands' quantisation goes in whole.
    """
    scales = np.asarray(weight_scales, np.float32).reshape(-1)
    reals = [float(np.float32(input_scale)) * float(s) / float(np.float32(output_scale)) for s in scales]
    return (*_multipliers(reals, outputs), *activation_bounds(output_scale, output_zero, activation))


def inner_product_parameters(
    input_scale: float,
    input_zero: int,
    weight_scales: Sequence[float],
    output_scale: float,
    output_zero: int,
    activation: str,
    outputs: int | None = None,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], int, int]:
    """For inner_product_int8 (FULLY_CONNECTED): as `conv_parameters`.

    With one weight scale for the whole tensor the product of the two input scales is rounded to single precision;
    with one for each output it is not.
    """
    scales = np.asarray(weight_scales, np.float32).reshape(-1)
    if len(scales) != 1:
        return conv_parameters(input_scale, input_zero, weight_scales, output_scale, output_zero, activation, outputs)
    real = float(np.float32(input_scale) * scales[0]) / float(np.float32(output_scale))
    return (*_multipliers([real], outputs), *activation_bounds(output_scale, output_zero, activation))
