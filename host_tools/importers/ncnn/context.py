"""What the function that imports one ncnn layer is given, and what the table says about a layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.builder import Builder, Shape
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.ncnn.weight_file import Section
from host_tools.importers.refusals import Unsupported


@dataclass
class Context:
    """The graph under construction, and the weights of the layer at hand by section name."""

    builder: Builder
    weights: dict[str, np.ndarray] = field(default_factory=dict)

    def shape(self, name: str) -> Shape:
        """(c, h, w), (h, w) or (w): ncnn's blobs have no batch."""
        return self.builder.graph.tensor(name).shape

    def emit(self, op: str, layer: ParamLayer, inputs: list[str], shape: Shape, **attrs: Attr) -> None:
        """One layer that makes the source layer's output; none where that is a constant seen with another shape."""
        data = self.builder.graph.tensor(inputs[0]).data
        if data is not None and op in ("share", "reshape"):
            self.constant(layer.outputs[0], data.reshape(shape))
            return
        self.builder.emit(op, layer.name, inputs, layer.outputs[0], shape, **attrs)
        if op == "share":
            self._same_type(inputs[0], layer.outputs[0])

    def emit_new(self, op: str, layer: ParamLayer, inputs: list[str], shape: Shape, **attrs: Attr) -> str:
        """One layer whose output is a blob that the source does not have; returns its name."""
        return self.builder.emit(op, layer.name, inputs, None, shape, **attrs)

    def share(self, layer: ParamLayer) -> None:
        """The output is the input."""
        self.emit("share", layer, layer.inputs[:1], self.shape(layer.inputs[0]))

    def share_as(self, layer: ParamLayer, output: str) -> None:
        """One output of several, which is the input."""
        source = self.builder.graph.tensor(layer.inputs[0])
        if source.data is not None:
            self.constant(output, source.data)
        else:
            self.builder.emit("share", layer.name, layer.inputs[:1], output, source.shape)
            self._same_type(source.name, output)

    def _same_type(self, source: str, output: str) -> None:
        graph = self.builder.graph
        graph.tensor(output).dtype = graph.tensor(source).dtype
        graph.tensor(output).quantisation = graph.tensor(source).quantisation

    def constant(self, name: str, data: np.ndarray) -> None:
        """A blob of the source that is known before the first input."""
        self.builder.graph.add_constant(name, np.ascontiguousarray(data, dtype=np.float32))

    def weight(self, layer: ParamLayer, section: str, shape: Shape) -> str:
        """The section as a constant of the graph."""
        return self.builder.constant(f"{layer.name}.{section}", self.weights[section].reshape(shape))

    def scalar(self, layer: ParamLayer, value: float) -> str:
        """A number as an operand."""
        return self.builder.constant(f"{layer.name}.scalar", np.array([value], dtype=np.float32))


def _no_weights(layer: ParamLayer) -> list[Section]:
    return []


@dataclass(frozen=True)
class Operator:
    """How one type of layer is imported.

    `weights` tells from the parameters alone which sections of the `.bin` file are the layer's, so that it
    can be skipped when the layer is cut away. Both functions raise Unsupported with the reason.
    """

    build: Callable[[Context, ParamLayer], None]
    weights: Callable[[ParamLayer], list[Section]] = _no_weights
    inputs: tuple[int, int] = (1, 1)  # fewest and most
    outputs: tuple[int, int] = (1, 1)

    def check_operands(self, layer: ParamLayer) -> None:
        counts = ((self.inputs, layer.inputs, "inputs"), (self.outputs, layer.outputs, "outputs"))
        for (fewest, most), names, what in counts:
            if not fewest <= len(names) <= most:
                expected = str(fewest) if fewest == most else f"{fewest} or more"
                raise Unsupported(f"it has {len(names)} {what}; {expected} can be imported")
