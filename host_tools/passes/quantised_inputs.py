"""Takes inputs as integers where the network quantises them first, so that their float32 copy is never in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from host_tools.graph import Graph, Layer, Tensor
from host_tools.passes.rewiring import forget, readers

_MOVES = ("share", "reshape", "permute")


def quantise_inputs(graph: Graph, protected: frozenset[str]) -> None:
    """The input keeps its name and becomes integer, as do the blobs between it and the layer that quantised it.

    `ex.input` quantises real values itself, and rounds what lies exactly between two integers away from zero; a layer
    that rounded to the even one, as ONNX does, then gives the other of the two.
    """
    for name in graph.inputs:
        moves = list(_moved(graph, name, protected))
        last = moves[-1].outputs[0] if moves else name
        following = readers(graph, last)
        if len(following) != 1 or following[0].op != "quantize" or following[0].outputs[0] in protected:
            continue
        made = graph.tensors[following[0].outputs[0]]
        for blob in (name, *(move.outputs[0] for move in moves)):
            graph.tensors[blob] = Tensor(blob, graph.tensors[blob].shape, made.dtype, None, made.quantisation)
        graph.layers.remove(following[0])
        for layer in readers(graph, made.name):
            layer.inputs = [last if operand == made.name else operand for operand in layer.inputs]
        forget(graph, made.name, last)


def _moved(graph: Graph, name: str, protected: frozenset[str]) -> Iterator[Layer]:
    """The layers that only move a float32 input's elements, from the input on, while each blob has one reader."""
    while graph.tensors[name].dtype == np.float32:
        following = readers(graph, name)
        if len(following) != 1 or following[0].op not in _MOVES or following[0].outputs[0] in protected:
            return
        yield following[0]
        name = following[0].outputs[0]
