"""Writes small TFLite models: tensors with quantisation, and operators with their options.

    model = TFLiteModel()
    x = model.tensor((1, 4, 4, 3), "INT8", scale=0.5, zero=3)
    y = model.tensor((1, 4, 4, 3), "INT8", scale=0.25, zero=-1)
    model.operator("LOGISTIC", [x], [y])
    content = model.build(inputs=[x], outputs=[y])

Operators, options and their fields have the names of the TFLite schema.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import flatbuffers
import numpy as np
import tflite

# The first version of each operator that takes int8; 1 where it is not named.
_VERSIONS = {
    "ABS": 2,
    "ADD": 2,
    "ARG_MAX": 2,
    "AVERAGE_POOL_2D": 2,
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "DEQUANTIZE": 3,
    "EXP": 2,
    "FULLY_CONNECTED": 4,
    "GELU": 2,
    "L2_NORMALIZATION": 2,
    "LEAKY_RELU": 2,
    "LOG": 2,
    "LOGISTIC": 2,
    "LOG_SOFTMAX": 2,
    "MAXIMUM": 2,
    "MAX_POOL_2D": 2,
    "MEAN": 2,
    "MINIMUM": 2,
    "MUL": 2,
    "QUANTIZE": 2,
    "RELU": 2,
    "RELU6": 2,
    "RSQRT": 2,
    "SOFTMAX": 2,
    "SUB": 2,
    "SUM": 2,
    "TANH": 2,
}


@dataclass
class _Tensor:
    shape: tuple[int, ...]
    dtype: str
    scales: list[float]
    zeros: list[int]
    axis: int
    data: np.ndarray | None


@dataclass
class _Operator:
    name: str
    inputs: list[int]
    outputs: list[int]
    kind: str
    options: dict[str, int | float | bool]


@dataclass
class TFLiteModel:
    tensors: list[_Tensor] = field(default_factory=list)
    operators: list[_Operator] = field(default_factory=list)

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str,
        scale: float | Sequence[float] | None = None,
        zero: int = 0,
        axis: int = 0,
        data: np.ndarray | None = None,
    ) -> int:
        """A tensor's index. Several scales are per channel along `axis`; with `data` it is a constant."""
        scales = [] if scale is None else [float(s) for s in np.atleast_1d(np.asarray(scale))]
        self.tensors.append(_Tensor(tuple(shape), dtype, scales, [int(zero)] * len(scales), axis, data))
        return len(self.tensors) - 1

    def operator(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        kind: str = "",
        **options: int | float | bool,
    ) -> None:
        """An operator; `kind` is the table of its options, such as Conv2DOptions, and -1 an absent input."""
        self.operators.append(_Operator(name, list(inputs), list(outputs), kind, options))

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file's content."""
        b = flatbuffers.Builder(1 << 16)
        buffers = [self._buffer(b, None)]
        tensors = []
        for tensor in self.tensors:
            buffer = 0
            if tensor.data is not None:
                buffers.append(self._buffer(b, tensor.data))
                buffer = len(buffers) - 1
            tensors.append(self._tensor(b, tensor, buffer, len(tensors)))
        codes = sorted({operator.name for operator in self.operators})
        operators = [self._operator(b, operator, codes.index(operator.name)) for operator in self.operators]
        tensors_at = _offsets(b, tensors)
        operators_at = _offsets(b, operators)
        inputs_at, outputs_at = _numbers(b, inputs), _numbers(b, outputs)
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, tensors_at)
        tflite.SubGraphAddInputs(b, inputs_at)
        tflite.SubGraphAddOutputs(b, outputs_at)
        tflite.SubGraphAddOperators(b, operators_at)
        graphs_at = _offsets(b, [tflite.SubGraphEnd(b)])
        codes_at = _offsets(b, [_code(b, name) for name in codes])
        buffers_at = _offsets(b, buffers)
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, 3)
        tflite.ModelAddOperatorCodes(b, codes_at)
        tflite.ModelAddSubgraphs(b, graphs_at)
        tflite.ModelAddBuffers(b, buffers_at)
        b.Finish(tflite.ModelEnd(b), b"TFL3")
        return bytes(b.Output())

    @staticmethod
    def _buffer(b: flatbuffers.Builder, data: np.ndarray | None) -> int:
        at = None
        if data is not None:
            # Readers map constants in place: a vector of bytes would not be aligned for int32.
            content = np.ascontiguousarray(data).tobytes()
            b.StartVector(1, len(content), 16)
            b.head = b.Head() - len(content)
            b.Bytes[b.Head() : b.Head() + len(content)] = content
            at = b.EndVector()
        tflite.BufferStart(b)
        if at is not None:
            tflite.BufferAddData(b, at)
        return tflite.BufferEnd(b)

    @staticmethod
    def _tensor(b: flatbuffers.Builder, tensor: _Tensor, buffer: int, index: int) -> int:
        name = b.CreateString(f"t{index}")
        shape = _numbers(b, tensor.shape)
        quantisation = 0
        if tensor.scales:
            scales = _vector(b, tensor.scales, 4, b.PrependFloat32)
            zeros = _vector(b, tensor.zeros, 8, b.PrependInt64)
            tflite.QuantizationParametersStart(b)
            tflite.QuantizationParametersAddScale(b, scales)
            tflite.QuantizationParametersAddZeroPoint(b, zeros)
            tflite.QuantizationParametersAddQuantizedDimension(b, tensor.axis)
            quantisation = tflite.QuantizationParametersEnd(b)
        tflite.TensorStart(b)
        tflite.TensorAddShape(b, shape)
        tflite.TensorAddType(b, getattr(tflite.TensorType, tensor.dtype))
        tflite.TensorAddBuffer(b, buffer)
        tflite.TensorAddName(b, name)
        if quantisation:
            tflite.TensorAddQuantization(b, quantisation)
        return tflite.TensorEnd(b)

    @staticmethod
    def _operator(b: flatbuffers.Builder, operator: _Operator, code: int) -> int:
        options = 0
        if operator.kind:
            getattr(tflite, operator.kind + "Start")(b)
            for name, value in operator.options.items():
                getattr(tflite, operator.kind + "Add" + name)(b, value)
            options = getattr(tflite, operator.kind + "End")(b)
        inputs, outputs = _numbers(b, operator.inputs), _numbers(b, operator.outputs)
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, code)
        tflite.OperatorAddInputs(b, inputs)
        tflite.OperatorAddOutputs(b, outputs)
        if operator.kind:
            tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, operator.kind))
            tflite.OperatorAddBuiltinOptions(b, options)
        return tflite.OperatorEnd(b)


def _code(b: flatbuffers.Builder, name: str) -> int:
    number = getattr(tflite.BuiltinOperator, name)
    tflite.OperatorCodeStart(b)
    # Numbers that do not fit the older field of one byte stand there as 127.
    tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(number, 127))
    tflite.OperatorCodeAddBuiltinCode(b, number)
    tflite.OperatorCodeAddVersion(b, _VERSIONS.get(name, 1))
    return tflite.OperatorCodeEnd(b)


def _vector(b: flatbuffers.Builder, values: Sequence[float], item_bytes: int, prepend: Callable[[float], None]) -> int:
    b.StartVector(item_bytes, len(values), item_bytes)
    for value in reversed(values):
        prepend(value)
    return b.EndVector()


def _numbers(b: flatbuffers.Builder, values: Sequence[int]) -> int:
    return _vector(b, list(values), 4, b.PrependInt32)


def _offsets(b: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    return _vector(b, list(offsets), 4, b.PrependUOffsetTRelative)
