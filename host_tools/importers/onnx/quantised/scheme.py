"""What a quantised number stands for, and ONNX's arithmetic between float32 and int8.

The engine computes in int8 alone. ONNX has uint8 too: such numbers, and their zero points, are taken 128
lower everywhere, which changes nothing of what they stand for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from onnx import AttributeProto, NodeProto, TensorProto, helper

from host_tools.graph import Quantisation
from host_tools.importers.refusals import Unsupported

INT8 = np.dtype(np.int8)
_LOW, _HIGH = -128, 127
_EIGHT_BITS = (np.dtype(np.int8), np.dtype(np.uint8))


@dataclass(frozen=True)
class Scheme:
    """An int8 value q of a blob stands for `scale * (q - zero)`."""

    scale: float  # a float32
    zero: int

    def quantise(self, values: np.ndarray) -> np.ndarray:
        """As QuantizeLinear: a division in float32, rounded half to even, clamped."""
        with np.errstate(all="ignore"):
            steps = np.rint(np.asarray(values, np.float32) / np.float32(self.scale)).astype(np.float64)
        numbers: np.ndarray = np.clip(np.nan_to_num(steps) + self.zero, _LOW, _HIGH).astype(INT8)
        return numbers

    def dequantise(self, values: np.ndarray) -> np.ndarray:
        """As DequantizeLinear."""
        real: np.ndarray = (values.astype(np.int32) - self.zero).astype(np.float32) * np.float32(self.scale)
        return real

    def quantisation(self) -> Quantisation:
        """The same for a tensor of the graph."""
        return Quantisation(np.array([self.scale], np.float32), np.array([self.zero], np.int32))


@dataclass(frozen=True)
class Scaled:
    """Constant integers (int8 or int32) and what they stand for: scales[i] * (data - zeros[i])."""

    data: np.ndarray
    scales: np.ndarray  # float32, one for all or one for each index of `axis`
    zeros: np.ndarray  # int32, as many
    axis: int = 0

    def single(self) -> Scheme:
        """The one scheme of all numbers."""
        if self.scales.size != 1:
            raise Unsupported(f"a constant has {self.scales.size} scales where one is expected")
        return Scheme(float(self.scales[0]), int(self.zeros[0]))

    def dequantised(self) -> np.ndarray:
        shape = [1] * self.data.ndim
        if self.scales.size > 1:
            shape[self.axis] = self.scales.size
        steps = self.data.astype(np.int64) - self.zeros.reshape(shape)
        result: np.ndarray = steps.astype(np.float32) * self.scales.reshape(shape)
        return result


def signed(values: np.ndarray) -> np.ndarray:
    """int8 as it is, uint8 taken 128 lower."""
    if values.dtype == np.uint8:
        return (values.astype(np.int16) - 128).astype(INT8)
    return values


def blob_scheme(node: NodeProto, constants: Mapping[str, np.ndarray], source_type: int) -> Scheme:
    """The scheme that a QuantizeLinear or DequantizeLinear between two blobs states.

    source_type: ONNX's type of the first input. Raises Unsupported for other types than int8 and uint8 and
    for more than one scale.
    """
    scales, zeros, _ = _stated(node, constants, source_type)
    if scales.size != 1:
        raise Unsupported(f"it has {scales.size} scales, one for each index of an axis; blobs have one scale")
    return Scheme(float(scales[0]), int(zeros[0]))


def scaled_constant(node: NodeProto, constants: Mapping[str, np.ndarray]) -> Scaled:
    """What a DequantizeLinear makes of a constant, or a QuantizeLinear of one of float32.

    Raises Unsupported for other types than int8, uint8 and int32, and where the operands do not fit.
    """
    data = constants[node.input[0]]
    source_type = TensorProto.INT8 if data.dtype == np.float32 else helper.np_dtype_to_tensor_dtype(data.dtype)
    scales, zeros, axis = _stated(node, constants, source_type)
    if scales.size != 1:
        if not -data.ndim <= axis < data.ndim or data.shape[axis] != scales.size:
            raise Unsupported(f"{scales.size} scales do not fit axis {axis} of a constant of shape {data.shape}")
        axis %= data.ndim
    if node.op_type == "QuantizeLinear":
        shape = [1] * data.ndim
        if scales.size > 1:
            shape[axis] = scales.size
        with np.errstate(all="ignore"):
            steps = np.nan_to_num(np.rint(data.astype(np.float32) / scales.reshape(shape)).astype(np.float64))
        data = np.clip(steps + zeros.reshape(shape), _LOW, _HIGH).astype(INT8)
    return Scaled(signed(data), scales, zeros, axis if scales.size > 1 else 0)


def _stated(
    node: NodeProto, constants: Mapping[str, np.ndarray], source_type: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Scales, zero points of int8 (or of int32, which are 0) and the axis."""
    operands = [*node.input, "", ""][:3]
    attributes = {a.name: a for a in node.attribute}
    if _integer(attributes, "block_size", 0):
        raise Unsupported("it has scales for blocks of an axis")
    for name, what in zip(operands[1:], ("scale", "zero point"), strict=True):
        if name and name not in constants:
            raise Unsupported(f"its {what} {name!r} is computed at run time; it must be a constant")
    if not operands[1]:
        raise Unsupported("it has no scale")
    scales = constants[operands[1]].reshape(-1).astype(np.float32)
    if not scales.size or not (np.isfinite(scales).all() and (scales > 0).all()):
        raise Unsupported("its scale is not a positive number")
    dtype, given = _integer_type(node, operands[2], constants, source_type, attributes)
    zeros = given.reshape(-1).astype(np.int64)
    if zeros.size not in (1, scales.size):
        raise Unsupported(f"it has {scales.size} scales and {zeros.size} zero points")
    if dtype == np.int32:
        if zeros.any():
            raise Unsupported("it has int32 numbers with a zero point")
    elif dtype not in _EIGHT_BITS:
        raise Unsupported(f"it is quantised to {dtype}; int8 and uint8 are supported")
    zeros = zeros - (128 if dtype == np.uint8 else 0)
    return scales, np.broadcast_to(zeros.astype(np.int32), scales.shape), _integer(attributes, "axis", 1)


def _integer_type(
    node: NodeProto,
    zero_point: str,
    constants: Mapping[str, np.ndarray],
    source_type: int,
    attributes: Mapping[str, AttributeProto],
) -> tuple[np.dtype, np.ndarray]:
    """The integer type of the quantised side, and the zero points in it."""
    if node.op_type == "DequantizeLinear":
        stated = source_type
    else:
        stated = _integer(attributes, "output_dtype", 0) or int(TensorProto.UINT8)
    if zero_point:
        given = constants[zero_point]
        if given.dtype.kind not in "iu":
            raise Unsupported(f"it is quantised to {given.dtype}; int8 and uint8 are supported")
        return (np.dtype(np.int32) if stated == TensorProto.INT32 else given.dtype), given
    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(stated))
    except KeyError:
        raise Unsupported(f"it is quantised to the unknown type {stated}") from None
    return dtype, np.zeros(1, np.int64)


def _integer(attributes: Mapping[str, AttributeProto], name: str, default: int) -> int:
    return int(attributes[name].i) if name in attributes else default
