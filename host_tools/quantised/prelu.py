"""Parameters of prelu_int8.

Source: the behaviour of LiteRT's PRELU.
"""

from __future__ import annotations

import numpy as np

from .multipliers import quantised_multiplier


def prelu_parameters(
    in_scale: float, in_zero: int, slope_scale: float, slope_zero: int, out_scale: float, out_zero: int
) -> dict[str, int]:
    """All parameters of prelu_int8. Both multipliers are computed in single precision."""
    single_in, single_out = np.float32(in_scale), np.float32(out_scale)
    positive, positive_shift = quantised_multiplier(float(single_in / single_out))
    negative, negative_shift = quantised_multiplier(float(single_in * np.float32(slope_scale) / single_out))
    return {
        "input_zero": in_zero,
        "slope_zero": slope_zero,
        "positive_multiplier": positive,
        "positive_shift": positive_shift,
        "negative_multiplier": negative,
        "negative_shift": negative_shift,
        "output_zero": out_zero,
    }
