"""TFLite models of many layers that have nothing to do with each other, int8 or float32, on random shapes and scales.

Of the operators that most small networks do without: transposed convolution, PRELU, bilinear resizing, and so on.
"""

from __future__ import annotations

from typing import Any
from unittest import mock

import flatbuffers
import numpy as np
import tflite

from tests.models.int8_layers import Layers
from tests.models.tflite_builder import TFLiteModel


class _Model(TFLiteModel):
    """Whose tensors may be variables, and whose operators may state scales of intermediate results."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[int] = set()
        self.intermediates: dict[int, list[int]] = {}  # of some operators, by their number

    def _tensor(self, b: flatbuffers.Builder, tensor: Any, buffer: int, index: int) -> int:  # type: ignore[override]
        if index not in self.variables:
            return TFLiteModel._tensor(b, tensor, buffer, index)
        tensor_end = tflite.TensorEnd

        def marked(builder: flatbuffers.Builder) -> int:
            tflite.TensorAddIsVariable(builder, True)
            return tensor_end(builder)

        with mock.patch.object(tflite, "TensorEnd", marked):
            return TFLiteModel._tensor(b, tensor, buffer, index)

    def _operator(self, b: flatbuffers.Builder, operator: Any, code: int) -> int:  # type: ignore[override]
        between = self.intermediates.get(self.operators.index(operator))
        if not between:
            return TFLiteModel._operator(b, operator, code)
        b.StartVector(4, len(between), 4)
        for tensor in reversed(between):
            b.PrependInt32(tensor)
        at, operator_end = b.EndVector(), tflite.OperatorEnd

        def extended(builder: flatbuffers.Builder) -> int:
            tflite.OperatorAddIntermediates(builder, at)
            return operator_end(builder)

        with mock.patch.object(tflite, "OperatorEnd", extended):
            return TFLiteModel._operator(b, operator, code)


class MoreLayers(Layers):
    """Collects operators in one type."""

    def __init__(self, seed: int, dtype: str):
        super().__init__(seed)
        self.dtype = dtype
        self.model: _Model = _Model()

    def variable(self, shape: tuple[int, ...], dtype: str, scale: float | None = None, zero: int = 0) -> int:
        tensor = self.model.tensor(shape, dtype, scale, zero)
        self.model.variables.add(tensor)
        return tensor

    @property
    def int8(self) -> bool:
        return self.dtype == "INT8"

    def given(self, shape: tuple[int, ...], scale: float = 1.0, zero: int = 0) -> int:
        """An input of the model."""
        if self.int8:
            return self.input(shape, scale, zero)
        tensor = self.model.tensor(shape, "FLOAT32")
        self.inputs[tensor] = self.rng.normal(0, 2, shape).astype(np.float32)
        return tensor

    def constant(self, shape: tuple[int, ...], scale: float | np.ndarray = 1.0, zero: int = 0, axis: int = 0) -> int:
        if self.int8:
            return self.model.tensor(shape, "INT8", scale, zero, axis, self.integers(shape))
        return self.model.tensor(shape, "FLOAT32", data=self.rng.normal(0, 1, shape).astype(np.float32))

    def result(self, shape: tuple[int, ...], scale: float = 1.0, zero: int = 0) -> int:
        if self.int8:
            return self.output(shape, scale, zero)
        self.outputs.append(self.model.tensor(shape, "FLOAT32"))
        return self.outputs[-1]

    def ints(self, *values: int) -> int:
        return self.model.tensor((len(values),), "INT32", data=np.array(values, np.int32))

    def more_inputs(self) -> dict[int, np.ndarray]:
        """Other values for all inputs."""
        if self.int8:
            return {t: self.integers(x.shape) for t, x in self.inputs.items()}
        return {t: self.rng.normal(0, 2, x.shape).astype(np.float32) for t, x in self.inputs.items()}

    def chance(self, of: int = 2) -> bool:
        return self.number(0, of) == 0


def transpose_conv(layers: MoreLayers) -> None:
    channels, outputs = layers.number(1, 12), layers.number(1, 20)
    size, kernel = (layers.number(1, 6), layers.number(1, 6)), (layers.number(1, 5), layers.number(1, 5))
    stride, same = (layers.number(1, 4), layers.number(1, 4)), layers.chance()
    axes = list(zip(size, kernel, stride, strict=True))
    if same:  # several sizes shrink to the same one
        out = [n * s - layers.number(0, s) for n, _, s in axes]
    else:
        out = [(n - 1) * s + k + layers.number(0, s) for n, k, s in axes]
    in_scale, out_zero = layers.scale(), layers.number(-40, 40)
    per_channel = bool(layers.number(0, 3))
    scales = np.array([layers.scale(0.01) for _ in range(outputs if per_channel else 1)], np.float32)
    spread = 60.0 * 60.0 * (channels * kernel[0] * kernel[1] / stride[0] / stride[1]) ** 0.5
    out_scale = layers.scale(float(in_scale) * float(scales.mean()) * spread / 60.0)
    x = layers.given((1, *size, channels), in_scale, layers.zero())
    weight = layers.constant((outputs, *kernel, channels), scales)
    operands = [layers.ints(1, *out, outputs), weight, x]
    if layers.chance():
        if layers.int8:
            data = layers.rng.normal(0, spread, outputs).astype(np.int32)
            operands.append(layers.model.tensor((outputs,), "INT32", in_scale * scales, data=data))
        else:
            operands.append(layers.constant((outputs,)))
    y = layers.result((1, *out, outputs), out_scale, out_zero)
    options = {"Padding": 0 if same else 1, "StrideH": stride[0], "StrideW": stride[1]}
    options["FusedActivationFunction"] = layers.number(0, 4)
    layers.model.operator("TRANSPOSE_CONV", operands, [y], "TransposeConvOptions", **options)


def prelu(layers: MoreLayers) -> None:
    h, w, channels = layers.number(1, 5), layers.number(1, 5), layers.number(1, 20)
    shape = (1, h, w, channels)
    slope = [(1, 1, channels), (channels,), (h, w, channels), (1, 1, 1, 1), (1, w, 1)][layers.number(0, 5)]
    in_scale, slope_scale = layers.scale(), layers.scale(0.01)
    out_scale = in_scale if layers.chance() else layers.scale(float(in_scale))
    x = layers.given(shape, in_scale, layers.zero())
    y = layers.result(shape, out_scale, layers.zero())
    layers.model.operator("PRELU", [x, layers.constant(slope, slope_scale, layers.number(-20, 20))], [y])


def resize_bilinear(layers: MoreLayers) -> None:
    channels, scale, zero = layers.number(1, 12), layers.scale(), layers.zero()
    size = layers.number(1, 9), layers.number(1, 9)
    out = layers.number(1, 20), layers.number(1, 20)
    if layers.chance():
        out = size[0] * layers.number(1, 4), size[1] * layers.number(1, 4)
    how = {0: {}, 1: {"AlignCorners": True}, 2: {"HalfPixelCenters": True}}[layers.number(0, 3)]
    x = layers.given((1, *size, channels), scale, zero)
    y = layers.result((1, *out, channels), scale, zero)
    layers.model.operator("RESIZE_BILINEAR", [x, layers.ints(*out)], [y], "ResizeBilinearOptions", **how)


def _lines(layers: MoreLayers) -> tuple[int, ...]:
    """A shape with as many axes as may be."""
    count = layers.number(1, 300) if layers.chance(4) else layers.number(1, 20)
    return [(layers.number(1, 5), count), (count,), (1, 3, 2, count), (2, 3, count)][layers.number(0, 4)]


def log_softmax(layers: MoreLayers) -> None:
    shape = _lines(layers)
    x = layers.given(shape, layers.scale(), layers.zero())
    y = layers.result(shape, 16 / 256, 127)
    layers.model.operator("LOG_SOFTMAX", [x], [y], "LogSoftmaxOptions")


def l2_normalization(layers: MoreLayers) -> None:
    shape = _lines(layers)
    x = layers.given(shape, layers.scale(), layers.zero())
    y = layers.result(shape, 1 / 128, 0)
    layers.model.operator("L2_NORMALIZATION", [x], [y], "L2NormOptions")


def cast(layers: MoreLayers) -> None:
    """Of each type to another one; small numbers fit into all of them."""
    shape = (1, layers.number(1, 9), layers.number(1, 9), layers.number(1, 9))
    x = layers.given(shape, 0.1, 0)
    target = ("INT32", "INT16", "FLOAT32" if layers.int8 else "INT8")[layers.number(0, 3)]
    y = layers.model.tensor(shape, target, 0.5 if target == "INT8" else None)
    layers.outputs.append(y)
    layers.model.operator("CAST", [x], [y], "CastOptions")


def arg_extremum(layers: MoreLayers, name: str) -> None:
    rank = layers.number(1, 5)
    shape = tuple(layers.number(1, 9) for _ in range(rank))
    shape = (1, *shape[1:]) if rank == 4 else shape
    axis = layers.number(0, rank)
    x = layers.given(shape, 0.1, layers.zero())
    wide = layers.chance()
    y = layers.model.tensor(shape[:axis] + shape[axis + 1 :], "INT64" if wide else "INT32")
    layers.outputs.append(y)
    given = layers.model.tensor((), "INT32", data=np.array(axis - (rank if layers.chance() else 0), np.int32))
    kind = "ArgMaxOptions" if name == "ARG_MAX" else "ArgMinOptions"
    layers.model.operator(name, [x, given], [y], kind, OutputType=4 if wide else 2)


def batch_matmul(layers: MoreLayers) -> None:
    m, depth, n = layers.number(1, 9), layers.number(1, 30), layers.number(1, 9)
    outer = [(), (3,), (1, 4), (2, 3)][layers.number(0, 4)]
    a_outer, b_outer = (outer, (), outer), (outer, outer, ())
    way = layers.number(0, 3) if outer else 0
    flip_a, flip_b = layers.chance(), layers.chance()
    a_shape = (*a_outer[way], *((depth, m) if flip_a else (m, depth)))
    b_shape = (*b_outer[way], *((n, depth) if flip_b else (depth, n)))
    a_scale, b_scale = layers.scale(), layers.scale()
    out_scale = layers.scale(float(a_scale) * float(b_scale) * 60.0 * depth**0.5)
    a = layers.given(a_shape, a_scale, layers.zero())
    b = (layers.constant if layers.chance() else layers.given)(b_shape, b_scale, layers.zero())
    y = layers.result((*outer, m, n), out_scale, layers.number(-40, 40))
    layers.model.operator("BATCH_MATMUL", [a, b], [y], "BatchMatMulOptions", AdjX=flip_a, AdjY=flip_b)


def svdf(layers: MoreLayers) -> None:
    length, outputs, rank, memory = (layers.number(1, n) for n in (24, 9, 4, 9))
    filters = outputs * rank
    activation = layers.number(0, 2)
    if not layers.int8:
        x = layers.given((1, length))
        constants = [layers.constant((filters, length)), layers.constant((filters, memory))]
        constants.append(layers.constant((outputs,)) if layers.chance() else -1)
        state = layers.variable((1, filters * memory), "FLOAT32")
        y = layers.result((1, outputs))
    else:
        activation = 1
        in_scale, feature_scale, time_scale = layers.scale(), layers.scale(0.01), layers.scale(1e-4)
        state_scale = layers.scale(float(in_scale) * float(feature_scale) / 4)
        out_scale = layers.scale(float(state_scale) * float(time_scale) * 60.0**4 * (length * rank * memory) ** 0.5)
        x = layers.given((1, length), in_scale, layers.zero())
        times = layers.rng.normal(0, 3000, (filters, memory)).astype(np.int16)
        constants = [
            layers.constant((filters, length), feature_scale),
            layers.model.tensor((filters, memory), "INT16", time_scale, data=times),
        ]
        data = layers.rng.normal(0, 1e7, outputs).astype(np.int32)
        scale = state_scale * time_scale
        constants.append(layers.model.tensor((outputs,), "INT32", scale, data=data) if layers.chance() else -1)
        state = layers.variable((1, filters * memory), "INT16", state_scale)
        y = layers.result((1, outputs), out_scale, layers.number(-128, 128))
    options = {"Rank": rank, "FusedActivationFunction": activation}
    layers.model.operator("SVDF", [x, *constants, state], [y], "SVDFOptions", **options)


def lstm(layers: MoreLayers) -> None:
    steps, length, cells = layers.number(1, 5), layers.number(1, 12), layers.number(1, 12)
    time_major = layers.chance()
    lead = (steps, 1) if time_major else (1, steps)
    in_scale, hidden_scale, hidden_zero = layers.scale(), layers.scale(1 / 128), layers.number(-20, 20)
    x = layers.given((*lead, length), in_scale, layers.zero())
    weights = [layers.constant((cells, length), layers.scale(0.01)) for _ in range(4)]
    weights += [layers.constant((cells, cells), layers.scale(0.01)) for _ in range(4)]
    if layers.int8:
        summands = layers.rng.normal(0, 3000, (4, cells)).astype(np.int32)
        biases = [layers.model.tensor((cells,), "INT32", 1e-4, data=data) for data in summands]
        cell_scale = 2.0 ** -layers.number(9, 16)
        states = [layers.variable((1, cells), "INT8", hidden_scale, hidden_zero)]
        states.append(layers.variable((1, cells), "INT16", cell_scale))
        between = [layers.model.tensor((), "INT16", 2.0**-12) for _ in range(4)]
        between.append(layers.model.tensor((), "INT8", hidden_scale, hidden_zero))
        layers.model.intermediates[len(layers.model.operators)] = between
    else:
        biases = [layers.constant((cells,)) for _ in range(4)]
        states = [layers.variable((1, cells), "FLOAT32") for _ in range(2)]
    y = layers.result((*lead, cells), hidden_scale, hidden_zero)
    operands = [x, *weights, -1, -1, -1, *biases, -1, -1, *states, -1, -1, -1, -1]
    options = {"FusedActivationFunction": 4, "TimeMajor": time_major, "CellClip": [0.0, 1.5][layers.number(0, 2)]}
    kind = "UnidirectionalSequenceLSTMOptions"
    layers.model.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", operands, [y], kind, **options)


RECURRENT = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm,
    "SVDF": svdf,
}

OPERATORS = {
    "TRANSPOSE_CONV": transpose_conv,
    "PRELU": prelu,
    "RESIZE_BILINEAR": resize_bilinear,
    "LOG_SOFTMAX": log_softmax,
    "L2_NORMALIZATION": l2_normalization,
    "ARG_MAX": lambda layers: arg_extremum(layers, "ARG_MAX"),
    "ARG_MIN": lambda layers: arg_extremum(layers, "ARG_MIN"),
    "BATCH_MATMUL": batch_matmul,
    "CAST": cast,
}

ALL_OPERATORS = OPERATORS | RECURRENT
