"""Fuses an activation into the layer before it."""

from __future__ import annotations

from host_tools.graph import Graph
from host_tools.passes.rewiring import absorb, producer_to_absorb

_WITH_ACTIVATION = ("convolution", "deconvolution", "inner_product", "scale", "binary_op")


def fuse_activations(graph: Graph, protected: frozenset[str]) -> None:
    """The surviving blob carries the activation's name."""
    for layer in list(graph.layers):
        if layer.op != "activation":
            continue
        found = producer_to_absorb(graph, layer, protected)
        if found is None:
            continue
        _, producer = found
        if producer.op in _WITH_ACTIVATION and not producer.attrs.get("activation", 0):
            producer.attrs.update(layer.attrs)
            absorb(graph, producer, layer)
