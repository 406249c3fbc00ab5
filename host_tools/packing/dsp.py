"""Weights and channels as the kernels for Armv7E-M and Armv8-M with the DSP extension read them, and back.

nnmicro/FORMAT.md has the layout. Two output channels share a halfword: SMLAD multiplies two elements with two such
halfwords and adds, and the sum is that of the first channel and 256 times that of the second.
"""

from __future__ import annotations

import numpy as np

PAIR = 2  # output channels of a convolution that go together
QUAD = 4  # outputs of a fully connected layer
_GROUP = 4  # elements
_ORDER = (0, 2, 1, 3)  # of a group's elements in its two words: their own inverse
_CHANNEL_WORDS = 4
TOO_LARGE = "weights whose sum could be too large to share a word"
_SUM_BELOW = 1 << 23  # of a pair's second channel, which a word holds 256 times
_LONGEST_SHIFT = 22
_LARGEST_BIAS = 1 << 28
_MOST_PRODUCTS = 8223  # less than NN_QUICK_PRODUCTS of firmware/native/requantise.h


def why_not(
    weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, input_zero: int
) -> str | None:
    """Why these weights (outputs x products) and channels cannot be packed, or None if they can."""
    if weights.shape[1] > _MOST_PRODUCTS:
        return f"more than {_MOST_PRODUCTS:,} products in a sum"
    large = np.abs(bias.astype(np.int64)) >= _LARGEST_BIAS
    if (large | (multiplier < 0) | (shift > -1) | (shift < -_LONGEST_SHIFT)).any():
        return "a channel whose bias or scale does not fit"
    first, second = _pairs(weights, PAIR)
    if ((second == -128) & (first < 0)).any():
        return "a weight of -128 beside a negative one"
    wide = second.astype(np.int64)
    positive, negative = np.maximum(wide, 0).sum(1), np.minimum(wide, 0).sum(1)
    least, most = -128 - input_zero, 127 - input_zero
    reach = np.maximum(positive * most + negative * least, -(positive * least + negative * most))
    if (reach >= _SUM_BELOW).any():
        return TOO_LARGE
    return None


def pack_weights(weights: np.ndarray, together: int) -> np.ndarray:
    """Outputs x products, int8, as the bytes (int8) of a packed constant; `together` is PAIR or QUAD."""
    first, second = _pairs(weights, together)
    halves = (first.astype(np.int32) + 256 * second.astype(np.int32)).astype("<i2")
    # Of each group of elements in turn, the words of the pairs that go together.
    groups = halves.reshape(-1, together // PAIR, halves.shape[1] // _GROUP, _GROUP)[..., _ORDER]
    return np.frombuffer(np.ascontiguousarray(groups.transpose(0, 2, 1, 3)).tobytes(), np.int8)


def unpack_weights(packed: np.ndarray, outputs: int, products: int, together: int) -> np.ndarray:
    """The inverse of `pack_weights`. `packed` has `weight_bytes` elements."""
    n_groups = -(-products // _GROUP)
    groups = np.frombuffer(packed.tobytes(), "<i2").reshape(-1, n_groups, together // PAIR, _GROUP)
    halves = groups.transpose(0, 2, 1, 3)[..., _ORDER].reshape(-1, n_groups * _GROUP).astype(np.int32)
    first = halves.astype(np.int8)
    second = ((halves - first) >> 8).astype(np.int8)
    both = np.stack((first, second), 1).reshape(-1, n_groups * _GROUP)
    return np.ascontiguousarray(both[:outputs, :products])


def pack_channels(
    bias: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, output_zero: int, together: int
) -> np.ndarray:
    """What the kernels add to the sum of each channel and scale it by, int32."""
    missing = -bias.size % together
    right = np.pad(-shift.astype(np.int64), (0, missing), constant_values=1)
    columns = (
        np.pad(2 * bias.astype(np.int64), (0, missing)),
        np.pad(multiplier.astype(np.int64), (0, missing)),
        (2 * output_zero + 1) << (right - 1),
        right,
    )
    return np.stack(columns, 1).reshape(-1).astype(np.int32)


def unpack_channels(packed: np.ndarray, outputs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bias, multiplier and shift."""
    double, multiplier, _, right = packed.reshape(-1, _CHANNEL_WORDS)[:outputs].T
    return double >> 1, multiplier.copy(), (-right.astype(np.int64)).astype(np.int32)


def weight_bytes(outputs: int, products: int, together: int) -> int:
    return -(-outputs // together) * together * (-(-products // _GROUP) * _GROUP)


def channel_words(outputs: int, together: int) -> int:
    return -(-outputs // together) * together * _CHANNEL_WORDS


def _pairs(weights: np.ndarray, together: int) -> tuple[np.ndarray, np.ndarray]:
    """The weights of the first and of the second channel of each pair, filled up with zeros."""
    outputs, products = weights.shape
    filled = np.pad(weights, ((0, -outputs % together), (0, -products % _GROUP)))
    return filled[0::2], filled[1::2]
