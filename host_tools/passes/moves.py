"""Makes one transposition of two, and one reshape of two; the blob between them vanishes."""

from __future__ import annotations

from host_tools.graph import Graph, Layer
from host_tools.passes.rewiring import forget, readers


def merge_moves(graph: Graph, protected: frozenset[str]) -> None:
    """The second layer reads what the first one read. Two that undo each other become one that changes nothing."""
    for layer in list(graph.layers):
        if layer.op not in ("permute", "reshape"):
            continue
        between = layer.inputs[0]
        first = _only_read_here(graph, between, protected)
        if first is None or first.op != layer.op:
            continue
        if layer.op == "permute":
            layer.attrs["perm"] = tuple(_permutation(first)[axis] for axis in _permutation(layer))
        layer.inputs = list(first.inputs)
        graph.layers.remove(first)
        forget(graph, between, layer.outputs[0])


def _only_read_here(graph: Graph, name: str, protected: frozenset[str]) -> Layer | None:
    """The layer that makes a blob which need not stay and has one reader."""
    if name in protected or len(readers(graph, name)) != 1:
        return None
    return next((layer for layer in graph.layers if name in layer.outputs), None)


def _permutation(layer: Layer) -> tuple[int, ...]:
    perm = layer.attrs["perm"]
    assert isinstance(perm, tuple)
    return perm
