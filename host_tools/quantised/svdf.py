"""Parameters of svdf_int8.

Source: the behaviour of LiteRT's SVDF.
"""

from __future__ import annotations

import numpy as np

from .multipliers import INT8_MAX, INT8_MIN, quantised_multiplier


def svdf_parameters(
    in_scale: float,
    in_zero: int,
    feature_scale: float,
    state_scale: float,
    time_scale: float,
    out_scale: float,
    out_zero: int,
) -> dict[str, int]:
    """The parameters of svdf_int8 but `rank`. Both multipliers are computed in single precision."""
    feature = np.float32(in_scale) * np.float32(feature_scale) / np.float32(state_scale)
    out = np.float32(state_scale) * np.float32(time_scale) / np.float32(out_scale)
    feature_multiplier, feature_shift = quantised_multiplier(float(feature))
    output_multiplier, output_shift = quantised_multiplier(float(out))
    return {
        "input_zero": in_zero,
        "feature_multiplier": feature_multiplier,
        "feature_shift": feature_shift,
        "output_multiplier": output_multiplier,
        "output_shift": output_shift,
        "output_zero": out_zero,
        "activation_min": INT8_MIN,
        "activation_max": INT8_MAX,
    }
