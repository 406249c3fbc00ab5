"""Drops what the outputs do not need."""

from __future__ import annotations

from host_tools.graph import Graph


def drop_dead_layers(graph: Graph, protected: frozenset[str]) -> None:
    """Layers, and their blobs, that no protected blob depends on."""
    needed = set(protected)
    kept = []
    for layer in reversed(graph.layers):
        if needed.intersection(layer.outputs):
            needed.update(layer.inputs)
            kept.append(layer)
        else:
            for name in layer.outputs:
                del graph.tensors[name]
    graph.layers = kept[::-1]


def drop_dead_constants(graph: Graph, protected: frozenset[str]) -> None:
    """Constants that no layer reads."""
    read = {name for layer in graph.layers for name in layer.inputs}
    for name in [t.name for t in graph.tensors.values() if t.data is not None and t.name not in read]:
        del graph.tensors[name]
