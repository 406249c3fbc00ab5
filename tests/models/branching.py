"""Small networks in the shape of those that concatenate and cut most: as ONNX in float32, and as TFLite in int8.

dense      every layer reads all earlier ones side by side (DenseNet)
inception  four branches of different depth, side by side
shuffle    one half of the channels passes by, then channels change places (ShuffleNet V2)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from onnx import ModelProto, NodeProto

from tests.host.onnx_models import ints, model, node
from tests.models.tflite_builder import TFLiteModel

_SIZE = 12


class Network(Protocol):
    """A network of square maps written layer by layer; blobs are numbers."""

    def conv(self, x: int, outputs: int, kernel: int = 1, depthwise: bool = False) -> int:
        """With padding and ReLU; depthwise has as many outputs as inputs."""

    def pool(self, x: int) -> int:
        """The largest of 3 x 3, maps stay as large."""

    def concat(self, parts: list[int]) -> int:
        """Channels side by side."""

    def halves(self, x: int) -> tuple[int, int]:
        """The first half of the channels, and the second."""

    def shuffle(self, x: int) -> int:
        """Channels of the two halves, one from each in turn."""


def dense(net: Network, x: int) -> int:
    for _ in range(2):
        features = [net.conv(x, 8)]
        for _ in range(4):
            read = net.concat(features) if len(features) > 1 else features[0]
            features.append(net.conv(net.conv(read, 8), 4, 3))
        x = net.concat(features)
    return net.conv(x, 8)


def inception(net: Network, x: int) -> int:
    x = net.conv(x, 12, 3)
    for _ in range(2):
        middle, deep = net.conv(net.conv(x, 6), 8, 3), net.conv(net.conv(net.conv(x, 4), 6, 3), 6, 3)
        x = net.concat([net.conv(x, 8), middle, deep, net.conv(net.pool(x), 4)])
    return net.conv(x, 8)


def shuffle(net: Network, x: int) -> int:
    x = net.conv(x, 16, 3)
    for _ in range(2):
        passing, worked = net.halves(x)
        worked = net.conv(net.conv(net.conv(worked, 8), 8, 3, depthwise=True), 8)
        x = net.shuffle(net.concat([passing, worked]))
    return net.conv(x, 8)


NETWORKS: dict[str, Callable[[Network, int], int]] = {"dense": dense, "inception": inception, "shuffle": shuffle}


def onnx_model(name: str) -> ModelProto:
    """The network in float32; input `b0` is 1 x 3 x 12 x 12."""
    net = _Onnx()
    last = NETWORKS[name](net, 0)
    for number, one in enumerate(net.nodes):
        one.name = f"{one.op_type}{number}"
    return model(net.nodes, {"b0": (1, 3, _SIZE, _SIZE)}, net.constants, outputs=[f"b{last}"])


def tflite_model(name: str) -> bytes:
    """The network in int8; its input is 1 x 12 x 12 x 3."""
    net = _TFLite()
    return net.made.build([0], [NETWORKS[name](net, 0)])


class _Onnx:
    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.channels = [3]
        self.random = np.random.default_rng(1)

    def _blob(self, channels: int) -> int:
        self.channels.append(channels)
        return len(self.channels) - 1

    def _constant(self, data: np.ndarray) -> str:
        self.constants[f"k{len(self.constants)}"] = data
        return f"k{len(self.constants) - 1}"

    def _node(self, op: str, inputs: str, channels: int, **attributes: object) -> int:
        y = self._blob(channels)
        self.nodes.append(node(op, inputs, f"b{y}", **attributes))
        return y

    def conv(self, x: int, outputs: int, kernel: int = 1, depthwise: bool = False) -> int:
        inputs = self.channels[x]
        shape = (outputs, 1 if depthwise else inputs, kernel, kernel)
        weight = self._constant(self.random.normal(0, 0.4, shape).astype(np.float32))
        bias = self._constant(self.random.normal(0, 0.2, outputs).astype(np.float32))
        group = inputs if depthwise else 1
        y = self._node("Conv", f"b{x} {weight} {bias}", outputs, pads=[kernel // 2] * 4, group=group)
        return self._node("Relu", f"b{y}", outputs)

    def pool(self, x: int) -> int:
        return self._node("MaxPool", f"b{x}", self.channels[x], kernel_shape=[3, 3], pads=[1] * 4)

    def concat(self, parts: list[int]) -> int:
        names = " ".join(f"b{part}" for part in parts)
        return self._node("Concat", names, sum(self.channels[part] for part in parts), axis=1)

    def halves(self, x: int) -> tuple[int, int]:
        half = self.channels[x] // 2
        first, second = self._blob(half), self._blob(half)
        sizes = self._constant(ints(half, half))
        self.nodes.append(node("Split", f"b{x} {sizes}", f"b{first} b{second}", axis=1))
        return first, second

    def shuffle(self, x: int) -> int:
        c = self.channels[x]
        apart = self._constant(ints(1, 2, c // 2, _SIZE, _SIZE))
        x = self._node("Reshape", f"b{x} {apart}", c)
        x = self._node("Transpose", f"b{x}", c, perm=[0, 2, 1, 3, 4])
        return self._node("Reshape", f"b{x} {self._constant(ints(1, c, _SIZE, _SIZE))}", c)


class _TFLite:
    _SCALE, _ZERO = 0.04, -20  # of every blob: a concatenation takes no others

    def __init__(self) -> None:
        self.made = TFLiteModel()
        self.random = np.random.default_rng(1)
        self._blob((1, _SIZE, _SIZE, 3))

    def _blob(self, shape: tuple[int, ...]) -> int:
        return self.made.tensor(shape, "INT8", self._SCALE, self._ZERO)

    def _channels(self, x: int) -> int:
        return self.made.tensors[x].shape[-1]

    def _map(self, channels: int) -> int:
        return self._blob((1, _SIZE, _SIZE, channels))

    def conv(self, x: int, outputs: int, kernel: int = 1, depthwise: bool = False) -> int:
        inputs = self._channels(x)
        shape = (1, kernel, kernel, outputs) if depthwise else (outputs, kernel, kernel, inputs)
        data = self.random.integers(-127, 128, shape).astype(np.int8)
        scale = 0.4 / 64 / kernel
        weight = self.made.tensor(shape, "INT8", [scale] * outputs, 0, 3 if depthwise else 0, data)
        sums = self.random.integers(-500, 500, outputs).astype(np.int32)
        bias = self.made.tensor((outputs,), "INT32", [scale * self._SCALE] * outputs, 0, 0, sums)
        y = self._map(outputs)
        options = {"Padding": 0, "StrideH": 1, "StrideW": 1, "FusedActivationFunction": 1}
        options |= {"DilationHFactor": 1, "DilationWFactor": 1} | ({"DepthMultiplier": 1} if depthwise else {})
        kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        self.made.operator(kind, [x, weight, bias], [y], f"{'Depthwise' * depthwise}Conv2DOptions", **options)
        return y

    def pool(self, x: int) -> int:
        y = self._map(self._channels(x))
        options = {"Padding": 0, "StrideH": 1, "StrideW": 1, "FilterHeight": 3, "FilterWidth": 3}
        self.made.operator("MAX_POOL_2D", [x], [y], "Pool2DOptions", **options)
        return y

    def concat(self, parts: list[int]) -> int:
        y = self._map(sum(self._channels(part) for part in parts))
        self.made.operator("CONCATENATION", parts, [y], "ConcatenationOptions", Axis=3)
        return y

    def halves(self, x: int) -> tuple[int, int]:
        half = self._channels(x) // 2
        axis = self.made.tensor((), "INT32", data=np.array(3, np.int32))
        first, second = self._map(half), self._map(half)
        self.made.operator("SPLIT", [axis, x], [first, second], "SplitOptions", NumSplits=2)
        return first, second

    def shuffle(self, x: int) -> int:
        c = self._channels(x)
        apart, turned = (1, _SIZE, _SIZE, 2, c // 2), (1, _SIZE, _SIZE, c // 2, 2)
        x = self._reshape(x, apart)
        y = self._blob(turned)
        order = self.made.tensor((5,), "INT32", data=np.array([0, 1, 2, 4, 3], np.int32))
        self.made.operator("TRANSPOSE", [x, order], [y], "TransposeOptions")
        return self._reshape(y, (1, _SIZE, _SIZE, c))

    def _reshape(self, x: int, shape: tuple[int, ...]) -> int:
        wanted = self.made.tensor((len(shape),), "INT32", data=np.array(shape, np.int32))
        y = self._blob(shape)
        self.made.operator("RESHAPE", [x, wanted], [y], "ReshapeOptions")
        return y
