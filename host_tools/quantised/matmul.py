"""Parameters of matmul_int8.

Source: the behaviour of LiteRT's BATCH_MATMUL.
"""

from __future__ import annotations

from .multipliers import inner_product_parameters


def matmul_parameters(
    a_scale: float, a_zero: int, b_scale: float, b_zero: int, out_scale: float, out_zero: int
) -> dict[str, int]:
    """All parameters of matmul_int8 but transpose_a and transpose_b; the multiplier is FULLY_CONNECTED's."""
    multipliers, shifts, *_ = inner_product_parameters(a_scale, a_zero, [b_scale], out_scale, out_zero, "NONE")
    return {
        "a_zero": a_zero,
        "b_zero": b_zero,
        "multiplier": int(multipliers[0]),
        "shift": int(shifts[0]),
        "output_zero": out_zero,
    }
