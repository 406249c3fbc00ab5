"""The moves that passes are made of."""

from __future__ import annotations

import numpy as np

from host_tools.graph import Graph, Layer


def readers(graph: Graph, name: str) -> list[Layer]:
    """The layers that read a tensor, once for each operand."""
    return [layer for layer in graph.layers for operand in layer.inputs if operand == name]


def forget(graph: Graph, old: str, new: str) -> None:
    """Removes the blob `old`, where `new` now comes out."""
    del graph.tensors[old]
    graph.fused[old] = new
    for name, target in graph.fused.items():
        if target == old:
            graph.fused[name] = new


def producer_to_absorb(graph: Graph, layer: Layer, protected: frozenset[str]) -> tuple[int, Layer] | None:
    """The layer that makes `layer`'s one blob operand, and the operand's position, if the two can become one.

    They can if nobody else reads that blob and it need not stay. Quantised blobs are left alone: each has its
    own scale, and what lies between two of them is not arithmetic on float32.
    """
    blobs = [i for i, name in enumerate(layer.inputs) if graph.tensors[name].data is None]
    if len(blobs) != 1:
        return None
    name = layer.inputs[blobs[0]]
    if graph.tensors[name].dtype != np.float32 or name in protected or len(readers(graph, name)) != 1:
        return None
    for candidate in graph.layers:
        if name in candidate.outputs:
            return (blobs[0], candidate) if len(candidate.outputs) == 1 else None
    return None


def absorb(graph: Graph, producer: Layer, layer: Layer) -> None:
    """`layer` goes; its output comes out of `producer`, in place of the blob between them."""
    (between,), (out,) = producer.outputs, layer.outputs
    producer.outputs = [out]
    graph.layers.remove(layer)
    forget(graph, between, out)
