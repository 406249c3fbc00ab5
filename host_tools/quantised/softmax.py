"""Parameters of softmax_int8 and log_softmax_int8.

Source: the behaviour of LiteRT's SOFTMAX and LOG_SOFTMAX.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def softmax_parameters(
    in_scale: float, beta: float, out_scale: float, out_zero: int
) -> tuple[npt.NDArray[np.float32], dict[str, float | int]]:
    """The table that softmax_int8 takes as its input 1, and its parameters except `axis`.

    Entry 255 - d of the table is exp(-in_scale * beta * d) in single precision: what an element contributes that
    lies d steps below the largest one.
    """
    step = float(-np.float32(in_scale) * np.float32(beta))
    exponents = [float(np.float32(step * (255 - i))) for i in range(256)]
    table = np.array([math.exp(exponent) for exponent in exponents], np.float32)
    return table, {"output_scale": float(np.float32(out_scale)), "output_zero": out_zero}


def log_softmax_parameters(
    in_scale: float, out_scale: float, out_zero: int
) -> tuple[npt.NDArray[np.float32], dict[str, float | int]]:
    """The same for log_softmax_int8, whose table is the one for a beta of 1."""
    table, attrs = softmax_parameters(in_scale, 1.0, out_scale, out_zero)
    return table, {"input_scale": float(np.float32(in_scale)), **attrs}
