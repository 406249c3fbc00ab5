"""How importers add layers to the graph: every name that the source gave is kept, every new one is free."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

import numpy as np

from host_tools.graph import Attr, Graph
from host_tools.importers.refusals import Unsupported

Shape = tuple[int, ...]

_MAX_ELEMENTS = 1 << 28  # 1 GB of float32: more than any board holds, and less than what the file format counts to
_MAX_FLOAT = float(np.finfo(np.float32).max)
_NO_ACTIVATION: dict[str, Attr] = {"activation": 0, "activation_a": 0.0, "activation_b": 0.0}
# Parameters that most source layers do not have; a kernel wants all of its own.
_DEFAULTS: dict[str, dict[str, Attr]] = {
    "binary_op": _NO_ACTIVATION,
    "convolution": {"pad_value": 0.0, **_NO_ACTIVATION},
    "inner_product": _NO_ACTIVATION,
    "scale": _NO_ACTIVATION,
}


def _check_range(shape: Shape, attrs: dict[str, Attr]) -> None:
    """Raises Unsupported for what the file format has no room for."""
    if min(shape, default=1) < 1 or prod(shape) > _MAX_ELEMENTS:
        raise Unsupported(f"a blob of shape {shape} is empty, or too large for the file format")
    for name, value in attrs.items():
        if isinstance(value, int) and not -(1 << 31) <= value < 1 << 31:
            raise Unsupported(f"its {name} is {value}, which is not a 32-bit integer")
        if isinstance(value, float) and not abs(value) <= _MAX_FLOAT:
            raise Unsupported(f"its {name} is {value}, which is not a finite 32-bit float")


class Builder:
    """Adds layers, blobs and constants to `graph`."""

    def __init__(self, graph: Graph, reserved: Iterable[str]) -> None:
        """`reserved`: every blob name of the source, so that no derived name takes one that comes later."""
        self.graph = graph
        self._reserved = frozenset(reserved)
        self._layer_names: set[str] = set()

    def free_name(self, base: str) -> str:
        name, n = base, 1
        while name in self._reserved or name in self.graph.tensors:
            name, n = f"{base}#{n}", n + 1
        return name

    def constant(self, base: str, data: np.ndarray) -> str:
        """A new float32 constant named `base`, or like it; returns its name."""
        return self.graph.add_constant(self.free_name(base), np.ascontiguousarray(data, dtype=np.float32))

    def input(self, name: str, shape: Shape) -> None:
        """A blob that the caller gives."""
        _check_range(shape, {})
        self.graph.add_tensor(name, shape)
        self.graph.inputs.append(name)

    def emit(self, op: str, layer: str, inputs: list[str], output: str | None, shape: Shape, **attrs: Attr) -> str:
        """One layer with one output; `output` None makes a blob that the source does not have. Returns its
        name.
        """
        _check_range(shape, attrs)
        name = self.free_name(f"{layer}.{op}") if output is None else output
        self.graph.add_tensor(name, shape)
        unique, n = layer, 1
        while unique in self._layer_names:
            unique, n = f"{layer}#{n}", n + 1
        self._layer_names.add(unique)
        self.graph.add(op, unique, inputs, [name], **{**_DEFAULTS.get(op, {}), **attrs})
        return name

    def reshaped(self, layer: str, blob: str, shape: Shape) -> str:
        """`blob` seen with `shape` (as many elements): itself where that is its shape, else a new blob."""
        tensor = self.graph.tensor(blob)
        if tensor.shape == shape:
            return blob
        if prod(tensor.shape) != prod(shape):
            raise ValueError(f"a blob of shape {tensor.shape} cannot be seen as {shape}")
        if tensor.data is not None:
            return self.constant(f"{blob}.reshape", tensor.data.reshape(shape))
        return self.emit("reshape", layer, [blob], None, shape)
