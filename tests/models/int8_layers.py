"""One TFLite model of many int8 operators that have nothing to do with each other, on random shapes and scales.

A third of the scales are powers of two and a third decimal fractions: their quotients put results on exact halves,
where LiteRT's ways of rounding differ.
"""

from __future__ import annotations

import numpy as np

from tests.models.tflite_builder import TFLiteModel

ACTIVATION_NUMBERS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}


class Layers:
    """Collects operators, and random values of their inputs."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.model = TFLiteModel()
        self.inputs: dict[int, np.ndarray] = {}
        self.outputs: list[int] = []

    def build(self) -> bytes:
        return self.model.build(list(self.inputs), self.outputs)

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high))

    def zero(self) -> int:
        return int(self.rng.choice([-128, 0, 127, self.number(-128, 128)]))

    def scale(self, around: float = 0.05) -> np.float32:
        kind = self.number(0, 3)
        if kind == 0:
            return np.float32(2.0 ** np.round(np.log2(around) + self.rng.integers(-2, 3)))
        if kind == 1:
            return np.float32(round(around * self.rng.choice([0.2, 0.3, 0.6, 1, 1.5, 2, 3, 5]), 6))
        return np.float32(around * 2.0 ** self.rng.uniform(-3, 3))

    def integers(self, shape: tuple[int, ...]) -> np.ndarray:
        """Values over the whole range, or close to one value, or the extremes."""
        kind = self.number(0, 4)
        if kind == 0:
            return self.rng.choice(np.array([-128, -127, 0, 126, 127], np.int8), shape)
        if kind == 1:
            near = self.rng.normal(self.number(-100, 100), 5, shape)
            return np.clip(near, -128, 127).astype(np.int8)
        return self.rng.integers(-128, 128, shape).astype(np.int8)

    def input(self, shape: tuple[int, ...], scale: float, zero: int) -> int:
        tensor = self.model.tensor(shape, "INT8", scale, zero)
        self.inputs[tensor] = self.integers(shape)
        return tensor

    def output(self, shape: tuple[int, ...], scale: float, zero: int) -> int:
        tensor = self.model.tensor(shape, "INT8", scale, zero)
        self.outputs.append(tensor)
        return tensor


def _same(size: int, kernel: int, stride: int, dilation: int, valid: bool) -> int:
    return (size - (kernel - 1) * dilation - 1) // stride + 1 if valid else -(-size // stride)


def _rescaled(
    layers: Layers, reads: int, outputs: int, per_channel: bool
) -> tuple[np.float32, np.ndarray, np.float32, np.ndarray]:
    """Scales of input, weights and output that use the output's range, and a bias."""
    in_scale = layers.scale()
    weight_scales = np.array([layers.scale(0.01) for _ in range(outputs if per_channel else 1)], np.float32)
    spread = 60.0 * 60.0 * reads**0.5
    out_scale = layers.scale(float(in_scale) * float(weight_scales.mean()) * spread / 60.0)
    bias = layers.rng.normal(0, spread, outputs).astype(np.int32)
    return in_scale, weight_scales, out_scale, bias


def convolution(layers: Layers, kind: str) -> None:
    """`kind`: full, pointwise, depthwise."""
    depthwise = kind == "depthwise"
    channels, h, w = layers.number(1, 20), layers.number(1, 9), layers.number(1, 9)
    multiplier = int(layers.rng.choice([1, 1, 1, 2, 3, 8])) if depthwise else 1
    outputs = channels * multiplier if depthwise else layers.number(1, 20)
    kernel = (1, 1) if kind == "pointwise" else (layers.number(1, 5), layers.number(1, 5))
    kernel = (3, 3) if depthwise and layers.number(0, 2) else kernel
    stride, dilation = (layers.number(1, 4), layers.number(1, 4)), (1, 1)
    if layers.number(0, 3) == 0:
        stride, dilation = (1, 1), (layers.number(1, 3), layers.number(1, 3))
    if depthwise:  # LiteRT takes one stride for both axes
        stride = (stride[0], stride[0])
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    valid = bool(layers.number(0, 2)) and extents[0] <= h and extents[1] <= w
    shape = (1, h, w, channels)
    out_shape = (
        1,
        _same(h, kernel[0], stride[0], dilation[0], valid),
        _same(w, kernel[1], stride[1], dilation[1], valid),
        outputs,
    )
    per_channel = depthwise or bool(layers.number(0, 3))
    reads = kernel[0] * kernel[1] * (1 if depthwise else channels)
    in_scale, weight_scales, out_scale, bias = _rescaled(layers, reads, outputs, per_channel)
    weight_shape = (1, *kernel, outputs) if depthwise else (outputs, *kernel, channels)
    x = layers.input(shape, in_scale, layers.zero())
    y = layers.output(out_shape, out_scale, layers.number(-40, 40))
    weight = layers.model.tensor(
        weight_shape, "INT8", weight_scales, axis=3 if depthwise else 0, data=layers.integers(weight_shape)
    )
    constants = [weight, layers.model.tensor((outputs,), "INT32", in_scale * weight_scales, data=bias)]
    name, table = ("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions") if depthwise else ("CONV_2D", "Conv2DOptions")
    options = {"Padding": int(valid), "StrideH": stride[0], "StrideW": stride[1]}
    options |= {"DilationHFactor": dilation[0], "DilationWFactor": dilation[1]}
    options |= {"FusedActivationFunction": layers.number(0, 4)}
    if depthwise:
        options["DepthMultiplier"] = multiplier
    layers.model.operator(name, [x, *constants], [y], table, **options)


def fully_connected(layers: Layers, rows: int = 0) -> None:
    size, outputs = layers.number(1, 60), layers.number(1, 40)
    rows = rows or int(layers.rng.choice([1, 1, 2, 5]))
    per_channel = layers.number(0, 3) == 0
    in_scale, weight_scales, out_scale, bias = _rescaled(layers, size, outputs, per_channel)
    _fully_connected(layers, rows, size, in_scale, weight_scales, out_scale, bias)


def _fully_connected(
    layers: Layers,
    rows: int,
    size: int,
    in_scale: np.float32,
    weight_scales: np.ndarray,
    out_scale: np.float32,
    bias: np.ndarray,
) -> int:
    outputs = len(bias)
    x = layers.input((rows, size), in_scale, layers.zero())
    weight = layers.model.tensor((outputs, size), "INT8", weight_scales, data=layers.integers((outputs, size)))
    b = layers.model.tensor((outputs,), "INT32", in_scale * weight_scales, data=bias)
    y = layers.output((rows, outputs), out_scale, layers.number(-40, 40))
    options = {"FusedActivationFunction": layers.number(0, 4)}
    layers.model.operator("FULLY_CONNECTED", [x, weight, b], [y], "FullyConnectedOptions", **options)
    return x


def pooling(layers: Layers, name: str) -> None:
    h, w, channels = layers.number(1, 12), layers.number(1, 12), layers.number(1, 24)
    kernel = (h, w) if layers.number(0, 4) == 0 else (layers.number(1, 5), layers.number(1, 5))
    stride = (layers.number(1, 4), layers.number(1, 4))
    valid = bool(layers.number(0, 2)) and kernel[0] <= h and kernel[1] <= w
    scale, zero = layers.scale(), layers.zero()
    out_shape = (1, *(_same(n, k, s, 1, valid) for n, k, s in zip((h, w), kernel, stride, strict=True)), channels)
    x, y = layers.input((1, h, w, channels), scale, zero), layers.output(out_shape, scale, zero)
    options = {"Padding": int(valid), "StrideH": stride[0], "StrideW": stride[1]}
    options |= {"FilterHeight": kernel[0], "FilterWidth": kernel[1]}
    options |= {"FusedActivationFunction": layers.number(0, 4)}
    layers.model.operator(name, [x], [y], "Pool2DOptions", **options)


def binary(layers: Layers, name: str) -> None:
    h, w, channels = layers.number(1, 5), layers.number(1, 5), layers.number(1, 40)
    full = (1, h, w, channels)
    shapes = [(full, full), (full, (1, 1, 1, channels)), ((1, 1, 1, channels), full), (full, (1, 1, w, channels))]
    shapes += [((1, 7 * channels), (1, 7 * channels)), ((1, 7 * channels), (1, 1)), ((1, 1), (1, 7 * channels))]
    a_shape, b_shape = shapes[layers.number(0, len(shapes))]
    a_scale, b_scale, out_scale = layers.scale(), layers.scale(), layers.scale(0.1)
    a_zero, b_zero, out_zero = layers.zero(), layers.zero(), layers.number(-40, 40)
    if name == "MUL":
        out_scale = layers.scale(float(a_scale) * float(b_scale) * 64)
    extremum = name in ("MAXIMUM", "MINIMUM")
    if extremum:
        b_scale = out_scale = a_scale
        b_zero = out_zero = a_zero
    a, b = layers.input(a_shape, a_scale, a_zero), layers.input(b_shape, b_scale, b_zero)
    y = layers.output(np.broadcast_shapes(a_shape, b_shape), out_scale, out_zero)
    if extremum:
        layers.model.operator(name, [a, b], [y], "MaximumMinimumOptions")
    else:
        options = {"FusedActivationFunction": layers.number(0, 4)}
        layers.model.operator(name, [a, b], [y], name.capitalize() + "Options", **options)


_OPTIONS = {
    "ABS": "AbsOptions",
    "EXP": "ExpOptions",
    "GELU": "GeluOptions",
    "HARD_SWISH": "HardSwishOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "NEG": "NegOptions",
    "QUANTIZE": "QuantizeOptions",
}


def unary(layers: Layers, name: str) -> None:
    """All 256 values, in an order of their own."""
    in_scale, in_zero = layers.scale(0.1), layers.zero()
    out_scale, out_zero = layers.scale(0.1), layers.number(-128, 128)
    if name == "LOGISTIC":
        out_scale, out_zero = np.float32(1 / 256), -128
    elif name == "TANH":
        out_scale, out_zero = np.float32(1 / 128), 0
    elif name in ("LOG", "SQRT"):
        in_zero = -128
    elif name == "NEG":
        in_zero, out_scale, out_zero = 0, in_scale, 0
    # One of two, as QUANTIZE of few elements rounds otherwise.
    few = name == "QUANTIZE" and layers.number(0, 2) == 1
    options: dict[str, float | bool] = {}
    if name == "LEAKY_RELU":
        options["Alpha"] = float(layers.rng.choice([0.1, 0.2, 0.25, 0.3, 1.5, -0.5, layers.rng.normal()]))
    elif name == "GELU":
        options["Approximate"] = bool(layers.number(0, 2))
    for values in layers.rng.permutation(np.arange(-128, 128)).astype(np.int8).reshape(32 if few else 1, -1):
        shape = (1, 8) if few else (1, 4, 4, 16)
        x = layers.input(shape, in_scale, in_zero)
        layers.inputs[x] = values.reshape(shape)
        y = layers.output(shape, out_scale, out_zero)
        layers.model.operator(name, [x], [y], _OPTIONS.get(name, ""), **options)


def softmax(layers: Layers) -> None:
    shape = (layers.number(1, 4), layers.number(1, 40)) if layers.number(0, 2) else (1, 3, 2, layers.number(1, 300))
    x = layers.input(shape, layers.scale(), layers.zero())
    y = layers.output(shape, 1 / 256, -128)
    layers.model.operator("SOFTMAX", [x], [y], "SoftmaxOptions", Beta=float(layers.rng.choice([1.0, 0.5, 2.3])))


def reduction(layers: Layers, name: str) -> None:
    rank = 4 if layers.number(0, 4) else layers.number(1, 4)
    size = layers.number(16, 60) if layers.number(0, 3) == 0 else layers.number(1, 10)
    shape = (*(layers.number(1, 9) for _ in range(rank - 1)), size)
    shape = (1, *shape[1:]) if rank == 4 else shape
    axes = sorted(layers.rng.choice(rank, layers.number(1, rank + 1), replace=False).tolist())
    if rank == 4 and layers.number(0, 2):
        axes = [1, 2]
    keep_dims = bool(layers.number(0, 2))
    count = int(np.prod([shape[axis] for axis in axes]))
    scale, zero = layers.scale(), layers.zero()
    out_scale, out_zero = layers.scale(float(scale) * (0.5 if name == "MEAN" else count**0.5)), layers.number(-30, 30)
    if layers.number(0, 4) == 0:
        out_scale, out_zero = scale, zero
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
    out_shape = kept if keep_dims else tuple(n for i, n in enumerate(shape) if i not in axes)
    x, y = layers.input(shape, scale, zero), layers.output(out_shape, out_scale, out_zero)
    given = [axis - rank for axis in axes] if layers.number(0, 2) else axes
    axis = layers.model.tensor((len(axes),), "INT32", data=np.array(given, np.int32))
    layers.model.operator(name, [x, axis], [y], "ReducerOptions", KeepDims=keep_dims)


def conversion(layers: Layers) -> None:
    """A QUANTIZE and a DEQUANTIZE of what it gave."""
    dtype = str(layers.rng.choice(["INT8", "UINT8", "INT16"]))
    channels = layers.number(1, 12)
    shape = (1, layers.number(1, 6), layers.number(1, 6), channels) if layers.number(0, 2) else (3, channels)
    scale = layers.scale()
    zero = {"INT8": layers.number(-128, 128), "UINT8": layers.number(0, 256), "INT16": 0}[dtype]
    x = layers.model.tensor(shape, "FLOAT32")
    halves = (layers.rng.integers(-300, 300, shape) + 0.5) * scale
    values = np.where(layers.rng.random(shape) < 0.5, halves, layers.rng.normal(0, 100 * scale, shape))
    extremes = layers.rng.choice([0.0, -0.0, 1e-40, 1e6, -1e6], shape)
    layers.inputs[x] = np.where(layers.rng.random(shape) < 0.05, extremes, values).astype(np.float32)
    q = layers.model.tensor(shape, dtype, scale, zero)
    y = layers.model.tensor(shape, "FLOAT32")
    layers.outputs += [q, y]
    layers.model.operator("QUANTIZE", [x], [q], "QuantizeOptions")
    layers.model.operator("DEQUANTIZE", [q], [y], "DequantizeOptions")
