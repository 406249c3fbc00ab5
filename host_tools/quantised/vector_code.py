"""Where LiteRT's vector code ends: the elements after it are rounded otherwise, by the code for single elements."""

from __future__ import annotations

_AT_ONCE = 8


def depthwise_half_up(outputs: int) -> int:
    """`half_up` of depthwise_int8: how many output channels are computed eight at once."""
    return outputs // _AT_ONCE * _AT_ONCE


def conversion_in_blocks(count: int) -> int:
    """`in_blocks` of quantize and dequantize: how many of `count` elements are converted eight at once."""
    return count // _AT_ONCE * _AT_ONCE


def transposed_half_up(outputs: int) -> int:
    """`half_up` of deconvolution_int8."""
    return outputs // _AT_ONCE * _AT_ONCE
