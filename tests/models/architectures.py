"""Well-known architectures with random weights at small sizes, as ONNX models: name -> a function that makes one."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

IMAGE = (1, 3, 32, 32)


class Sketch:
    """A model while it is written: each method adds nodes and returns the name of their result."""

    def __init__(self, shape: tuple[int, ...], seed: int = 1, kind: int = TensorProto.FLOAT) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list = []
        self.constants: dict[str, np.ndarray] = {}
        self.input = helper.make_tensor_value_info("input", kind, shape)
        self.channels: dict[str, int] = {"input": shape[1] if len(shape) > 1 else 0}

    def op(self, op: str, *inputs: str, channels: int = 0, outputs: int = 1, **attributes: object) -> str:
        name = f"{op}{len(self.nodes)}"
        names = [name] + [f"{name}_{i}" for i in range(1, outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name, **attributes))
        for made in names:
            self.channels[made] = channels or self.channels.get(inputs[0], 0)
        return name

    def constant(self, values: object) -> str:
        name = f"constant{len(self.constants)}"
        self.constants[name] = np.asarray(values)
        return name

    def weight(self, *shape: int) -> str:
        """Of a size that keeps what goes through as large as it is."""
        scale = np.sqrt(2 / max(1, prod(shape[1:])))
        return self.constant((self.rng.standard_normal(shape) * scale).astype(np.float32))

    def vector(self, count: int, around: float = 0.0) -> str:
        return self.constant((around + self.rng.uniform(-0.1, 0.1, count)).astype(np.float32))

    def activation(self, x: str, kind: str) -> str:
        if kind == "Relu6":
            return self.op("Clip", x, self.constant(np.float32(0)), self.constant(np.float32(6)))
        return self.op(kind, x) if kind else x

    def conv(self, x: str, count: int, kernel: int = 3, stride: int = 1, group: int = 1, act: str = "Relu") -> str:
        """A convolution with padding, batch normalisation and an activation."""
        of = self.channels[x]
        weight, pads = self.weight(count, of // group, kernel, kernel), [kernel // 2] * 4
        y = self.op("Conv", x, weight, channels=count, strides=[stride] * 2, pads=pads, group=group)
        numbers = [self.vector(count, 1.0), self.vector(count), self.vector(count), self.vector(count, 1.0)]
        return self.activation(self.op("BatchNormalization", y, *numbers), act)

    def dense(self, x: str, of: int, count: int, act: str = "") -> str:
        y = self.op("Gemm", x, self.weight(count, of), self.vector(count), channels=count, transB=1)
        return self.activation(y, act)

    def linear(self, x: str, of: int, count: int) -> str:
        """Of each row of a sequence."""
        weight = self.constant((self.rng.standard_normal((of, count)) / np.sqrt(of)).astype(np.float32))
        return self.op("Add", self.op("MatMul", x, weight), self.vector(count))

    def classifier(self, x: str, classes: int = 10) -> str:
        flat = self.op("Flatten", self.op("GlobalAveragePool", x))
        return self.op("Softmax", self.dense(flat, self.channels[x], classes), axis=1)

    def reshape(self, x: str, *shape: int) -> str:
        return self.op("Reshape", x, self.constant(np.array(shape, np.int64)))

    def norm(self, x: str, width: int) -> str:
        return self.op("LayerNormalization", x, self.vector(width, 1.0), self.vector(width), axis=-1)

    def attention(self, x: str, steps: int, width: int, heads: int, causal: bool) -> str:
        """Written out, as exporters do."""
        parts = []
        for _ in range(3):
            rows = self.reshape(self.linear(x, width, width), 1, steps, heads, width // heads)
            parts.append(self.op("Transpose", rows, perm=[0, 2, 1, 3]))
        keys = self.op("Transpose", parts[1], perm=[0, 1, 3, 2])
        root = self.constant(np.float32(np.sqrt(width // heads)))
        scores = self.op("Div", self.op("MatMul", parts[0], keys), root)
        if causal:
            seen = self.constant(np.tril(np.ones((steps, steps), bool)))
            scores = self.op("Where", seen, scores, self.constant(np.float32(-np.inf)))
        mixed = self.op("MatMul", self.op("Softmax", scores, axis=-1), parts[2])
        rows = self.reshape(self.op("Transpose", mixed, perm=[0, 2, 1, 3]), 1, steps, width)
        return self.linear(rows, width, width)

    def transformer(self, x: str, steps: int, width: int, heads: int, layers: int, causal: bool = False) -> str:
        for _ in range(layers):
            x = self.op("Add", x, self.attention(self.norm(x, width), steps, width, heads, causal))
            wide = self.op("Gelu", self.linear(self.norm(x, width), width, 4 * width))
            x = self.op("Add", x, self.linear(wide, 4 * width, width))
        return self.norm(x, width)

    def model(self, output: str) -> ModelProto:
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        stored = [numpy_helper.from_array(data, name) for name, data in self.constants.items()]
        graph = helper.make_graph(self.nodes, "architecture", [self.input], [result], stored)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)

    @property
    def parameters(self) -> int:
        return sum(data.size for data in self.constants.values() if data.dtype == np.float32)


def mobilenet_v1() -> ModelProto:
    s = Sketch(IMAGE)
    x = s.conv("input", 8, stride=2)
    for count, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1)):
        x = s.conv(s.conv(x, s.channels[x], 3, stride, group=s.channels[x]), count, 1)
    return s.model(s.classifier(x))


def _inverted(s: Sketch, x: str, count: int, stride: int, kernel: int, act: str, expand: int, squeeze: bool) -> str:
    wide = s.conv(x, expand * s.channels[x], 1, act=act)
    y = s.conv(wide, s.channels[wide], kernel, stride, group=s.channels[wide], act=act)
    if squeeze:
        mean = s.op("GlobalAveragePool", y)
        few = s.activation(s.op("Conv", mean, s.weight(4, s.channels[y], 1, 1), channels=4), "Relu")
        gate = s.op("Conv", few, s.weight(s.channels[y], 4, 1, 1), channels=s.channels[y])
        y = s.op("Mul", y, s.op("HardSigmoid", gate, alpha=1 / 6, beta=0.5))
    y = s.conv(y, count, 1, act="")
    return s.op("Add", x, y) if stride == 1 and count == s.channels[x] else y


def mobilenet_v2() -> ModelProto:
    s = Sketch(IMAGE)
    x = s.conv("input", 8, stride=2, act="Relu6")
    for count, stride in ((8, 1), (16, 2), (16, 1), (24, 2), (24, 1)):
        x = _inverted(s, x, count, stride, 3, "Relu6", 4, False)
    return s.model(s.classifier(s.conv(x, 64, 1, act="Relu6")))


def mobilenet_v3() -> ModelProto:
    s = Sketch(IMAGE)
    x = s.conv("input", 8, stride=2, act="HardSwish")
    for count, stride, kernel, act in ((8, 1, 3, "Relu"), (16, 2, 5, "HardSwish"), (16, 1, 5, "HardSwish")):
        x = _inverted(s, x, count, stride, kernel, act, 3, True)
    return s.model(s.classifier(s.conv(x, 48, 1, act="HardSwish")))


def efficientnet_lite() -> ModelProto:
    s = Sketch(IMAGE)
    x = s.conv("input", 8, stride=2, act="Relu6")
    for count, stride, kernel in ((8, 1, 3), (12, 2, 3), (20, 2, 5), (20, 1, 5)):
        x = _inverted(s, x, count, stride, kernel, "Relu6", 6, False)
    return s.model(s.classifier(s.conv(x, 64, 1, act="Relu6")))


def squeezenet() -> ModelProto:
    s = Sketch(IMAGE)
    x = s.op("MaxPool", s.conv("input", 16, stride=2), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    for squeeze, count in ((8, 16), (8, 16), (16, 32)):
        few = s.conv(x, squeeze, 1)
        x = s.op("Concat", s.conv(few, count, 1), s.conv(few, count, 3), channels=2 * count, axis=1)
    return s.model(s.classifier(x))


def shufflenet_v2() -> ModelProto:
    s = Sketch(IMAGE)
    x = s.op("MaxPool", s.conv("input", 16, stride=2), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for _ in range(3):
        left = s.op("Split", x, s.constant(np.array([8, 8])), channels=8, outputs=2, axis=1)
        y = s.conv(s.conv(s.conv(f"{left}_1", 8, 1), 8, 3, group=8, act=""), 8, 1)
        both = s.op("Concat", left, y, channels=16, axis=1)
        groups = s.op("Transpose", s.reshape(both, 1, 2, 8, 8, 8), perm=[0, 2, 1, 3, 4])
        x = s.reshape(groups, 1, 16, 8, 8)
        s.channels[x] = 16
    return s.model(s.classifier(x))


def _resnet(widths: tuple[int, ...], blocks: int) -> ModelProto:
    s = Sketch(IMAGE)
    x = s.conv("input", widths[0])
    for i, count in enumerate(widths):
        for block in range(blocks):
            stride = 2 if i and not block else 1
            y = s.conv(s.conv(x, count, 3, stride), count, 3, act="")
            kept = x if stride == 1 and s.channels[x] == count else s.conv(x, count, 1, stride, act="")
            x = s.op("Relu", s.op("Add", y, kept))
    return s.model(s.classifier(x))


def resnet_8() -> ModelProto:
    return _resnet((8, 16, 32), 1)


def resnet_18() -> ModelProto:
    return _resnet((8, 12, 16, 24), 2)


def u_net() -> ModelProto:
    s = Sketch((1, 1, 16, 16))
    kept, x = [], "input"
    for count in (6, 12):
        x = s.conv(s.conv(x, count), count)
        kept.append(x)
        x = s.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = s.conv(x, 24)
    for count, bridge in zip((12, 6), reversed(kept), strict=True):
        x = s.op("ConvTranspose", x, s.weight(s.channels[x], count, 2, 2), channels=count, strides=[2, 2])
        x = s.conv(s.op("Concat", x, bridge, channels=2 * count, axis=1), count)
    return s.model(s.op("Sigmoid", s.op("Conv", x, s.weight(1, 6, 1, 1))))


def accelerometer() -> ModelProto:
    """Three axes, 128 samples."""
    s = Sketch((1, 3, 128))
    x = "input"
    for of, count in ((3, 8), (8, 16), (16, 24)):
        x = s.op("Relu", s.op("Conv", x, s.weight(count, of, 5), s.vector(count), strides=[2], pads=[2, 2]))
        s.channels[x] = count
    return s.model(s.classifier(s.op("MaxPool", x, kernel_shape=[2], strides=[2]), 6))


def gru_keywords() -> ModelProto:
    """40 frames of 10 features."""
    s, cells = Sketch((40, 1, 10)), 32
    weights = [
        s.weight(1, 3 * cells, 10),
        s.weight(1, 3 * cells, cells),
        s.constant(np.zeros((1, 6 * cells), np.float32)),
    ]
    rows = s.op("GRU", "input", *weights, outputs=2, hidden_size=cells, linear_before_reset=1)
    return s.model(s.op("Softmax", s.dense(s.reshape(f"{rows}_1", 1, cells), cells, 12), axis=1))


def autoencoder() -> ModelProto:
    s = Sketch((1, 128))
    x, of = "input", 128
    for count in (64, 64, 8, 64, 64):
        x, of = s.dense(x, of, count, "Relu"), count
    return s.model(s.dense(x, of, 128))


def vision_transformer() -> ModelProto:
    """16 patches of 8 x 8, about 200,000 parameters."""
    s, width = Sketch(IMAGE), 64
    patches = s.op("Conv", "input", s.weight(width, 3, 8, 8), strides=[8, 8])
    rows = s.op("Transpose", s.reshape(patches, 1, width, 16), perm=[0, 2, 1])
    first = s.constant(s.rng.standard_normal((1, 1, width)).astype(np.float32))
    x = s.op("Concat", first, rows, axis=1)
    x = s.op("Add", x, s.constant(s.rng.standard_normal((1, 17, width)).astype(np.float32)))
    x = s.transformer(x, 17, width, 4, 4)
    chosen = s.op("Gather", x, s.constant(np.int64(0)), axis=1)
    return s.model(s.op("Softmax", s.dense(chosen, width, 10), axis=1))


def characters() -> ModelProto:
    """A language model over 64 characters, about 100,000 parameters; its input are 24 of them."""
    s, width, steps = Sketch((1, 24), kind=TensorProto.INT64), 48, 24
    table = s.constant(s.rng.standard_normal((64, width)).astype(np.float32))
    x = s.op("Gather", table, "input")
    x = s.op("Add", x, s.constant(s.rng.standard_normal((1, steps, width)).astype(np.float32)))
    return s.model(s.linear(s.transformer(x, steps, width, 4, 3, causal=True), width, 64))


ARCHITECTURES: dict[str, Callable[[], ModelProto]] = {
    made.__name__: made
    for made in (
        mobilenet_v1, mobilenet_v2, mobilenet_v3, efficientnet_lite, squeezenet, shufflenet_v2, resnet_8, resnet_18,
        u_net, accelerometer, gru_keywords, autoencoder, vision_transformer, characters,
    )
}  # fmt: skip
