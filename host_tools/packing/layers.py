"""Which layers of a model are packed, and how: a layer's four constants (weight, bias, multiplier, shift) and the two
that it has packed (weight, channels)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nnmicro import ModelError
from nnmicro import format as f
from nnmicro.reference import convolution_int8 as c
from nnmicro.reference import inner_product_int8 as ip

from . import dsp
from .cores import packed_kind, plain_kind
from .parts import Constant, Layer, Parts, run_of

CONVOLUTION, INNER_PRODUCT = "convolution_int8", "inner_product_int8"
KINDS = (CONVOLUTION, INNER_PRODUCT)
_PLAIN_INPUTS, _PACKED_INPUTS = 5, 3


@dataclass(frozen=True)
class _Sizes:
    """What the constants of a layer are made of. `shape` is the source's, of the weights."""

    outputs: int
    shape: list[int]
    together: int
    input_zero: int
    output_zero: int

    @property
    def products(self) -> int:
        return math.prod(self.shape) // self.outputs


def pack_layer(parts: Parts, index: int) -> str | None:
    """Pack a layer of one of `KINDS` if that can be done; why not, or None."""
    layer = parts.layers[index]
    reason = _shape_reason(parts, layer) or ("it takes its input row by row" if index in parts.reductions else None)
    if reason:
        return reason
    sizes = _sizes(parts, layer)
    first = parts.constant(layer.inputs[1])
    if not _are_its_own(parts, layer, first):
        return "another layer has constants in common with it"
    constants = parts.constants[first : first + _PLAIN_INPUTS - 1]
    weights, bias, multiplier, shift = (
        np.frombuffer(constant.data, dtype)
        for constant, dtype in zip(constants, (np.int8, *[np.int32] * 3), strict=True)
    )
    if constants != _plain_constants(sizes, weights, bias, multiplier, shift):
        return "its constants are not a convolution's or a fully connected layer's"
    matrix = weights.reshape(sizes.outputs, sizes.products)
    reason = dsp.why_not(matrix, bias, multiplier, shift, sizes.input_zero)
    if reason:
        return reason
    made = [
        dsp.pack_weights(matrix, sizes.together),
        dsp.pack_channels(bias, multiplier, shift, sizes.output_zero, sizes.together),
    ]
    parts.replace_constants(first, len(constants), [run_of(values, [values.size]) for values in made])
    layer.inputs = [layer.inputs[0], layer.inputs[1], layer.inputs[1] + 1]
    layer.op = packed_kind(layer.op)
    return None


def unpack_layer(parts: Parts, index: int) -> None:
    """Give a packed layer the kind and constants that it had. ModelError where they are not what packing makes."""
    layer = parts.layers[index]
    layer.op = plain_kind(layer.op)
    if layer.op not in KINDS or len(layer.inputs) != _PACKED_INPUTS:
        raise ModelError(f"layer {index} is packed, and no layer that can be: update nnmicro")
    reason = _shape_reason(parts, layer)
    if reason:
        raise ModelError(f"layer {index} is packed, which cannot be: {reason}")
    sizes = _sizes(parts, layer)
    first = parts.constant(layer.inputs[1])
    expected = [
        dsp.weight_bytes(sizes.outputs, sizes.products, sizes.together),
        4 * dsp.channel_words(sizes.outputs, sizes.together),
    ]
    found = [len(constant.data) for constant in parts.constants[first : first + 2]] if first >= 0 else []
    if not _are_its_own(parts, layer, first) or found != expected:
        raise ModelError(f"layer {index} is packed with constants of {found} bytes, expected {expected} of its own")
    weight, channels = (
        np.frombuffer(constant.data, dtype)
        for constant, dtype in zip(parts.constants[first : first + 2], (np.int8, np.int32), strict=True)
    )
    matrix = dsp.unpack_weights(weight, sizes.outputs, sizes.products, sizes.together)
    bias, multiplier, shift = dsp.unpack_channels(channels, sizes.outputs)
    made = _plain_constants(sizes, matrix, bias, multiplier, shift)
    parts.replace_constants(first, 2, made)
    layer.inputs = [layer.inputs[0], *(layer.inputs[1] + i for i in range(len(made)))]


def _plain_constants(
    sizes: _Sizes, weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
) -> list[Constant]:
    return [run_of(weights, sizes.shape), *(run_of(values, [sizes.outputs]) for values in (bias, multiplier, shift))]


def _are_its_own(parts: Parts, layer: Layer, first: int) -> bool:
    """Whether a layer's constants lie one after the other, from number `first` on, and no other layer reads them."""
    count = len(layer.inputs) - 1
    if first < 0 or layer.inputs[1:] != list(range(layer.inputs[1], layer.inputs[1] + count)):
        return False
    readers = sum(i in layer.inputs[1:] for other in parts.layers for i in other.inputs)
    return readers == count


def _sizes(parts: Parts, layer: Layer) -> _Sizes:
    x, y = parts.blob(layer.inputs[0]), parts.blob(layer.output)
    assert x is not None and y is not None
    params = parts.params(layer)
    if layer.op == CONVOLUTION:
        outputs = y[f.B_C]
        shape = [outputs, params[c._P_KERNEL_H], params[c._P_KERNEL_W], x[f.B_C]]
        return _Sizes(outputs, shape, dsp.PAIR, params[c._P_INPUT_ZERO], params[c._P_OUTPUT_ZERO])
    outputs = y[f.B_W]
    shape = [outputs, x[f.B_C] * x[f.B_H] * x[f.B_W]]
    return _Sizes(outputs, shape, dsp.QUAD, params[ip._P_INPUT_ZERO], params[ip._P_OUTPUT_ZERO])


def _shape_reason(parts: Parts, layer: Layer) -> str | None:
    """Why a layer cannot be packed whatever its weights are, or None."""
    x, y, params = parts.blob(layer.inputs[0]), parts.blob(layer.output), parts.params(layer)
    if x is None or y is None:
        return "its input is a constant"
    if layer.op == CONVOLUTION:
        if len(params) != 13:
            return "other parameters than a convolution has"
        if params[c._P_GROUP] != 1:
            return "it has groups"
        if params[c._P_KERNEL_H] < 1 or params[c._P_KERNEL_W] < 1:
            return "it has no kernel"
        if any(blob[f.B_C] > 1 and blob[f.B_CSTEP] != 1 for blob in (x, y)):
            return "its channels do not lie side by side"
        return "its output channels are no pairs" if y[f.B_C] % 2 else None
    if len(params) != 6:
        return "other parameters than a fully connected layer has"
    if params[ip._P_PER_ROW] or y[f.B_C] != 1 or y[f.B_H] != 1:
        return "it works on each row by itself"
    if params[ip._P_WEIGHT_ZERO]:
        return "its weights have a zero point"
    if x[f.B_H] != 1:
        return "its input has several rows"
    return None if _is_a_run(x) and _is_a_run(y) else "its input or output has gaps"


def _is_a_run(blob: list[int]) -> bool:
    """Whether the elements of a blob of one row lie in the source's order without gaps."""
    c, w, cstep, pstep = (blob[word] for word in (f.B_C, f.B_W, f.B_CSTEP, f.B_PSTEP))
    fast, slow = ((c, cstep), (w, pstep)) if cstep < pstep else ((w, pstep), (c, cstep))
    return (fast[0] == 1 or fast[1] == 1) and (slow[0] == 1 or slow[1] == fast[0])
