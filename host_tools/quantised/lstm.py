"""Parameters of lstm_int8.

Source: the behaviour of LiteRT's UNIDIRECTIONAL_SEQUENCE_LSTM.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .multipliers import quantised_multiplier

# What a gate's function is taken of has twelve bits behind the point; what comes out has fifteen.
_GATE_SCALE = 2.0**-12
_GATE_RESULT_SCALE = 2.0**-15


def lstm_parameters(
    in_scale: float,
    in_zero: int,
    hidden_scale: float,
    hidden_zero: int,
    weight_scales: Sequence[float],
    recurrent_scales: Sequence[float],
    cell_scale: float,
    cell_clip: float,
    product_scale: float,
    product_zero: int,
) -> tuple[npt.NDArray[np.int32], dict[str, int]]:
    """The operand `scales` of lstm_int8 and its parameters.

    hidden_*: the output's, as a state. weight_scales, recurrent_scales: of input, forget, cell and output gate.
    product_*: of the product of the output gate and the cell (the file's fifth intermediate tensor).
    """
    exponent = math.log2(cell_scale)
    if exponent != int(exponent) or not -15 <= exponent <= -9:
        raise ValueError(f"the cell state's scale is {cell_scale}; a power of two from 2**-15 to 2**-9 is expected")
    words: list[int] = []
    for weight, recurrent in zip(weight_scales, recurrent_scales, strict=True):
        words += quantised_multiplier(float(np.float32(in_scale) * np.float32(weight) / np.float32(_GATE_SCALE)))
        words += quantised_multiplier(float(np.float32(hidden_scale) * np.float32(recurrent) / np.float32(_GATE_SCALE)))
    multiplier, shift = quantised_multiplier(
        float(np.float32(_GATE_RESULT_SCALE**2 / float(np.float32(product_scale))))
    )
    return np.array(words, np.int32), {
        "input_zero": in_zero,
        "hidden_zero": hidden_zero,
        "cell_shift": -int(exponent),
        "cell_clip": int(min(np.float32(cell_clip) / np.float32(cell_scale), 32767.0)) if cell_clip > 0.0 else 0,
        "output_multiplier": multiplier,
        "output_shift": shift,
        "output_zero": product_zero,
    }
