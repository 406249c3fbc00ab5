"""The one graph that every importer makes, every pass changes and the writer writes.

Tensors keep their source's shape (batch 1 included) and order. A layer's `op` is the name of its kernel module in
`nnmicro/reference/`; its `attrs` are that kernel's parameters by name (int or float), or, for the ops that layout
lowering rewrites (`permute`, `reshape`), what the source said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

Attr = int | float | tuple[int, ...]


class ConversionError(Exception):
    """A model cannot be converted; the text says what stands in the way, where, and what to do."""


@dataclass
class Quantisation:
    """An integer q stands for `scale * (q - zero_point)`; one pair for the tensor, or one for each index of `axis`."""

    scales: np.ndarray  # float32
    zero_points: np.ndarray  # int32
    axis: int | None = None


@dataclass
class Tensor:
    """A blob (`data` is None) or a constant."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype = field(default_factory=lambda: np.dtype(np.float32))
    data: np.ndarray | None = None
    quantisation: Quantisation | None = None


@dataclass
class Layer:
    name: str
    op: str
    inputs: list[str]
    outputs: list[str]
    attrs: dict[str, Attr] = field(default_factory=dict)


@dataclass
class Graph:
    name: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)  # in an order in which every producer precedes its consumers
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    # Blobs that layers read and write, and that keep their elements from one inference to the next; at first all zero
    # points (zeros where there are none). Nothing produces them.
    states: list[str] = field(default_factory=list)
    # Blobs of the source that a pass removed, and the blob that now comes out where they did.
    fused: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    # What the last axes of shapes with four or more axes are: "chw" (ONNX, ncnn) or "hwc" (TFLite).
    order: str = "chw"

    def tensor(self, name: str) -> Tensor:
        return self.tensors[name]

    def add_tensor(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """A new blob; its name must be new."""
        if name in self.tensors:
            raise ConversionError(f"two tensors are named {name!r}")
        tensor = Tensor(name, tuple(int(d) for d in shape))
        self.tensors[name] = tensor
        return tensor

    def add_constant(self, name: str, data: np.ndarray) -> str:
        """A constant under `name`, or under a free name derived from it; returns the name it got."""
        unique, n = name, 1
        while unique in self.tensors:
            unique, n = f"{name}#{n}", n + 1
        self.tensors[unique] = Tensor(unique, data.shape, data.dtype, data)
        return unique

    def add(self, op: str, name: str, inputs: list[str], outputs: list[str], **attrs: Attr) -> Layer:
        layer = Layer(name, op, inputs, outputs, dict(attrs))
        self.layers.append(layer)
        return layer

    def producers(self) -> dict[str, Layer]:
        return {out: layer for layer in self.layers for out in layer.outputs}

    def consumers(self) -> dict[str, list[Layer]]:
        """For each tensor the layers that read it, once for each operand."""
        readers: dict[str, list[Layer]] = {name: [] for name in self.tensors}
        for layer in self.layers:
            for name in layer.inputs:
                readers[name].append(layer)
        return readers

    def blobs(self) -> Iterator[Tensor]:
        """The tensors that inference computes or is given (not the constants)."""
        return (t for t in self.tensors.values() if t.data is None)


def chw(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """`geometry` of a shape whose last axes are c, h, w."""
    return geometry(shape, "chw")


def geometry(shape: tuple[int, ...], order: str) -> tuple[int, int, int]:
    """A source shape as channels, height, width.

    The last axis is w, the one before h, all others fold into c; with order "hwc" and four or more axes the last is c,
    then w, and all others fold into h.
    """
    if order == "hwc" and len(shape) >= 4:
        h = 1
        for d in shape[:-2]:
            h *= d
        return shape[-1], h, shape[-2]
    padded = (1, 1, 1) + tuple(shape)
    c = 1
    for d in padded[:-2]:
        c *= d
    return c, padded[-2], padded[-1]


def axis_of(shape: tuple[int, ...], axis: int, order: str = "chw") -> int:
    """A source axis as 0 (c), 1 (h) or 2 (w).

    Raises ValueError where the axis is not one of the last three or where axes that fold into the same one are larger
    than 1, so that c, h, w cannot express it.
    """
    rank = len(shape)
    given = axis
    axis = axis + rank if axis < 0 else axis
    if not 0 <= axis < rank:
        raise ValueError(f"axis {given} of a shape with {rank} axes")
    from_right = rank - 1 - axis
    if from_right > 2 or (from_right == 2 and any(d != 1 for d in shape[: rank - 3])):
        raise ValueError(f"axis {axis} of shape {shape} is neither channel, height nor width with batch 1")
    if order == "hwc" and rank >= 4:
        return (0, 2, 1)[from_right]
    return 2 - from_right
