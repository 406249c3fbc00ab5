"""Parameters of binary_int8.

Source: the behaviour of LiteRT's ADD, SUB, MUL, MAXIMUM and MINIMUM.
"""

from __future__ import annotations

import numpy as np

from .multipliers import INT8_MAX, INT8_MIN, activation_bounds, quantised_multiplier

KINDS = {"add": 0, "sub": 1, "mul": 2, "max": 3, "min": 4}

# What MAXIMUM and MINIMUM have no use for.
_UNUSED = (
    "left_shift",
    "a_zero",
    "a_multiplier",
    "a_shift",
    "b_zero",
    "b_multiplier",
    "b_shift",
    "output_zero",
    "output_multiplier",
    "output_shift",
)

# Both inputs are brought to a common scale with this many more bits, so that the sum loses none of theirs.
LEFT_SHIFT = 20


def _sum_parameters(
    kind: str,
    a_scale: float,
    a_zero: int,
    b_scale: float,
    b_zero: int,
    output_scale: float,
    output_zero: int,
    activation: str,
) -> dict[str, int]:
    a, b, out = (float(np.float32(scale)) for scale in (a_scale, b_scale, output_scale))
    common = 2.0 * max(a, b)
    a_multiplier, a_shift = quantised_multiplier(a / common)
    b_multiplier, b_shift = quantised_multiplier(b / common)
    output_multiplier, output_shift = quantised_multiplier(common / (2.0**LEFT_SHIFT * out))
    low, high = activation_bounds(output_scale, output_zero, activation)
    return {
        "kind": KINDS[kind],
        "left_shift": LEFT_SHIFT,
        "a_zero": a_zero,
        "a_multiplier": a_multiplier,
        "a_shift": a_shift,
        "b_zero": b_zero,
        "b_multiplier": b_multiplier,
        "b_shift": b_shift,
        "output_zero": output_zero,
        "output_multiplier": output_multiplier,
        "output_shift": output_shift,
        "activation_min": low,
        "activation_max": high,
    }


def add_parameters(
    a_scale: float,
    a_zero: int,
    b_scale: float,
    b_zero: int,
    output_scale: float,
    output_zero: int,
    activation: str,
) -> dict[str, int]:
    """All parameters of binary_int8 for ADD."""
    return _sum_parameters("add", a_scale, a_zero, b_scale, b_zero, output_scale, output_zero, activation)


def sub_parameters(
    a_scale: float,
    a_zero: int,
    b_scale: float,
    b_zero: int,
    output_scale: float,
    output_zero: int,
    activation: str,
) -> dict[str, int]:
    """All parameters of binary_int8 for SUB (a - b)."""
    return _sum_parameters("sub", a_scale, a_zero, b_scale, b_zero, output_scale, output_zero, activation)


def mul_parameters(
    a_scale: float,
    a_zero: int,
    b_scale: float,
    b_zero: int,
    output_scale: float,
    output_zero: int,
    activation: str,
) -> dict[str, int]:
    """All parameters of binary_int8 for MUL; the inputs' multipliers are not used and 0."""
    # In single precision, unlike the other operators.
    real = np.float32(a_scale) * np.float32(b_scale) / np.float32(output_scale)
    output_multiplier, output_shift = quantised_multiplier(float(real))
    low, high = activation_bounds(output_scale, output_zero, activation)
    return {
        "kind": KINDS["mul"],
        "left_shift": 0,
        "a_zero": a_zero,
        "a_multiplier": 0,
        "a_shift": 0,
        "b_zero": b_zero,
        "b_multiplier": 0,
        "b_shift": 0,
        "output_zero": output_zero,
        "output_multiplier": output_multiplier,
        "output_shift": output_shift,
        "activation_min": low,
        "activation_max": high,
    }


def extremum_parameters(kind: str) -> dict[str, int]:
    """All parameters of binary_int8 for MAXIMUM ("max") and MINIMUM ("min"): the operands have one scale."""
    if kind not in ("max", "min"):
        raise ValueError(f"{kind} is no extremum; expected max or min")
    return {
        "kind": KINDS[kind],
        **dict.fromkeys(_UNUSED, 0),
        "activation_min": INT8_MIN,
        "activation_max": INT8_MAX,
    }
