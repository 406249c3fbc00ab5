"""Removes layers whose output is their input."""

from __future__ import annotations

from host_tools.graph import Graph, Layer
from host_tools.passes.rewiring import forget


def remove_identities(graph: Graph, protected: frozenset[str]) -> None:
    """Shares, reshapes and transpositions that change nothing, not even the shape.

    Readers then read the layer's input. Where the output must stay, the input takes its name if it need not
    stay itself.
    """
    for layer in list(graph.layers):
        if not _changes_nothing(graph, layer):
            continue
        (source,), (out,) = layer.inputs, layer.outputs
        if out not in protected:
            gone, stays = out, source
        elif source not in protected:
            gone, stays = source, out
        else:
            continue
        graph.layers.remove(layer)
        for other in graph.layers:
            other.inputs = [stays if name == gone else name for name in other.inputs]
            other.outputs = [stays if name == gone else name for name in other.outputs]
        forget(graph, gone, stays)


def _changes_nothing(graph: Graph, layer: Layer) -> bool:
    if len(layer.inputs) != 1 or len(layer.outputs) != 1 or graph.tensors[layer.inputs[0]].data is not None:
        return False
    if graph.tensors[layer.inputs[0]].shape != graph.tensors[layer.outputs[0]].shape:
        return False
    if layer.op == "permute":
        perm = layer.attrs["perm"]
        return isinstance(perm, tuple) and perm == tuple(range(len(perm)))
    return layer.op in ("share", "reshape")
