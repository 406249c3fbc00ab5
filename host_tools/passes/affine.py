"""Folds y = x * a + b with constant a and b into the weights of a preceding convolution or fully connected
layer.
"""

from __future__ import annotations

import numpy as np

from host_tools.graph import Graph, Layer, geometry
from host_tools.in_place import EXCHANGED_KINDS
from host_tools.passes.rewiring import absorb, producer_to_absorb

# The axis of (c, h, w) along which the outputs of a layer with weights lie.
_OUTPUT_AXIS = {"convolution": 0, "inner_product": 2}
_ADD, _SUB, _MUL, _DIV, _REVERSED_SUB = 0, 1, 2, 3, 7

Affine = tuple[np.ndarray, np.ndarray]  # float64 factors and summands, one element or one for each output


def fold_affine(graph: Graph, protected: frozenset[str]) -> None:
    """Scale layers (batch normalisation) and arithmetic with constants, one number for each output."""
    for layer in list(graph.layers):
        if layer.op not in ("scale", "binary_op"):
            continue
        found = producer_to_absorb(graph, layer, protected)
        if found is None:
            continue
        position, producer = found
        axis = _OUTPUT_AXIS.get(producer.op)
        if axis is None or producer.attrs.get("activation", 0):
            continue
        between, out = graph.tensors[producer.outputs[0]], graph.tensors[layer.outputs[0]]
        if axis == 2 and geometry(out.shape, graph.order)[2] != out.shape[-1]:
            continue  # the last axis, along which outputs lie, is not w in this order
        affine = _affine(graph, layer, position, axis)
        if affine is None or between.shape != out.shape or not _scale_weights(graph, producer, *affine):
            continue
        producer.attrs.update({k: v for k, v in layer.attrs.items() if k.startswith("activation")})
        absorb(graph, producer, layer)


def _affine(graph: Graph, layer: Layer, position: int, axis: int) -> Affine | None:
    """What the layer multiplies by and adds, if both vary along `axis` only; `position`: its operand that is
    a blob.
    """
    zero, one = np.zeros(1), np.ones(1)
    if layer.op == "scale":
        if position != 0 or layer.attrs["axis"] != axis:
            return None
        return _float64(graph, layer.inputs[1]), _float64(graph, layer.inputs[2])
    constant = graph.tensors[layer.inputs[1 - position]]
    if any(size != 1 for i, size in enumerate(geometry(constant.shape, graph.order)) if i != axis):
        return None
    number = _float64(graph, constant.name).reshape(-1)
    kind = layer.attrs["kind"]
    assert isinstance(kind, int)
    if position == 1:
        kind = EXCHANGED_KINDS.get(kind, -1)
    if kind == _DIV and not number.all():
        return None
    folded = {_ADD: (one, number), _SUB: (one, -number), _MUL: (number, zero), _REVERSED_SUB: (-one, number)}
    if kind == _DIV:
        return 1 / number, zero
    return folded.get(kind)


def _float64(graph: Graph, name: str) -> np.ndarray:
    data = graph.tensors[name].data
    assert data is not None
    return data.astype(np.float64)


def _scale_weights(graph: Graph, producer: Layer, factors: np.ndarray, summands: np.ndarray) -> bool:
    """New constants, since others may read the old ones; False where one would not be a finite float32."""
    weight_name = producer.inputs[1]
    weight = _float64(graph, weight_name)
    count = weight.shape[0]
    factors, summands = np.broadcast_to(factors, (count,)), np.broadcast_to(summands, (count,))
    bias = _float64(graph, producer.inputs[2]) if len(producer.inputs) > 2 else np.zeros(count)
    new_weight = weight * factors.reshape((count,) + (1,) * (weight.ndim - 1))
    new_bias = bias * factors + summands
    if not max(np.abs(new_weight).max(), np.abs(new_bias).max()) <= np.finfo(np.float32).max:
        return False
    producer.inputs[1:] = [
        graph.add_constant(f"{weight_name}.folded", new_weight.astype(np.float32)),
        graph.add_constant(f"{producer.name}.bias.folded", new_bias.astype(np.float32)),
    ]
    return True
