"""Lets fully connected int8 layers read a map as it lies in memory, instead of a flattened copy or view of it."""

from __future__ import annotations

import numpy as np

from host_tools.graph import Graph, Layer, geometry
from host_tools.passes.rewiring import forget, readers


def read_maps(graph: Graph, protected: frozenset[str]) -> None:
    """Reshapes that only such layers read go: one blob less, and a map can be consumed by rows while it is made.

    Integer sums are the same in any order. Those of floats are not, and one long row is summed faster than many short
    ones, so float layers keep theirs.
    """
    for layer in reversed(list(graph.layers)):
        if layer.op != "reshape" or not _only_summed(graph, layer, protected):
            continue
        (source,), (flat,) = layer.inputs, layer.outputs
        for reader in readers(graph, flat):
            reader.inputs[0] = source
            _reorder_weights(graph, reader)
        graph.layers.remove(layer)
        forget(graph, flat, source)


def _only_summed(graph: Graph, layer: Layer, protected: frozenset[str]) -> bool:
    """Whether all that read a reshape's output count its elements in the source's order, and add them up."""
    flat = layer.outputs[0]
    if flat in protected or graph.tensors[layer.inputs[0]].data is not None:
        return False
    if len(graph.tensors[flat].shape) >= 4 and graph.order != "hwc":
        return False
    return all(
        reader.op == "inner_product_int8"
        and not reader.attrs["per_row"]
        and flat not in reader.inputs[1:]
        and graph.tensors[reader.inputs[1]].data is not None
        for reader in readers(graph, flat)
    )


def _reorder_weights(graph: Graph, layer: Layer) -> None:
    """An integer map lies pixel by pixel; where its source counts channel by channel, so do the weights, until here."""
    shape = graph.tensors[layer.inputs[0]].shape
    c, h, w = geometry(shape, graph.order)
    if graph.order == "hwc" or len(shape) < 4 or c == 1 or h * w == 1:
        return
    weight = graph.tensors[layer.inputs[1]]
    assert weight.data is not None
    by_pixels = weight.data.reshape(-1, c, h, w).transpose(0, 2, 3, 1).reshape(weight.shape)
    layer.inputs[1] = graph.add_constant(f"{layer.name}.by_pixels", np.ascontiguousarray(by_pixels))
