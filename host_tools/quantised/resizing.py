"""Parameters of interp_int8.

Source: the behaviour of LiteRT's RESIZE_BILINEAR.
"""

from __future__ import annotations

_ONE = 1 << 10


def bilinear_scale(before: int, after: int, align_corners: bool) -> int:
    """How far the coordinate in an axis of `before` elements moves for one of `after`, in 1024ths, to the nearest."""
    if align_corners and after > 1:
        before, after = before - 1, after - 1
    return (_ONE * before + after // 2) // after
