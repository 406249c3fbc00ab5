"""Makes channels that give the same value for every input ones that kernels are quick at."""

from __future__ import annotations

import numpy as np

from host_tools.graph import Graph
from nnmicro.reference.fixed_point import multiply_away, multiply_up

_OUTPUT_AXIS = {"convolution_int8": 0, "depthwise_int8": -1, "inner_product_int8": 0}
_LARGEST_ELEMENT = 255  # less its zero point
# What kernels work out in one word, as firmware/native/requantise.h has it.
_LONGEST_SHIFT = 22
_LARGEST_BIAS = 1 << 28
_LARGEST_VALUE = 1 << 20


def settle_constant_channels(graph: Graph, protected: frozenset[str]) -> None:
    """Channels whose least and largest sum are rescaled to the same value give that value, whatever the input.

    Training leaves such channels where nothing reads them: weights so small that the bias is as large as an int32,
    and the shift to the right longer than what kernels work out in a word. Weights of 0 and a small bias give the
    same byte.
    """
    for layer in graph.layers:
        if layer.op not in _OUTPUT_AXIS or layer.attrs.get("weight_zero"):
            continue
        weights, bias, multiplier, shift = (graph.tensors[name].data for name in layer.inputs[1:5])
        if weights is None or bias is None or multiplier is None or shift is None:
            continue
        by_channel = np.moveaxis(weights.copy(), _OUTPUT_AXIS[layer.op], 0)
        bias, multiplier, shift = bias.copy(), multiplier.copy(), shift.copy()
        settled = False
        for o in range(bias.size):
            if -_LONGEST_SHIFT <= shift[o] <= -1 and abs(int(bias[o])) < _LARGEST_BIAS:
                continue
            value = _constant(by_channel[o], int(bias[o]), int(multiplier[o]), int(shift[o]))
            if value is not None:
                by_channel[o] = 0
                bias[o], multiplier[o], shift[o] = 4 * value, 1 << 30, -1
                settled = True
        if settled:
            made = np.ascontiguousarray(np.moveaxis(by_channel, 0, _OUTPUT_AXIS[layer.op]))
            for i, data in enumerate((made, bias, multiplier, shift), 1):
                layer.inputs[i] = _replaced(graph, layer.inputs[i], data)


def _replaced(graph: Graph, name: str, data: np.ndarray) -> str:
    made = graph.add_constant(name, data)
    graph.tensors[made].quantisation = graph.tensors[name].quantisation
    return made


def _constant(weights: np.ndarray, bias: int, multiplier: int, shift: int) -> int | None:
    """The rescaled sum of a channel, with either rounding, if it is the same for all inputs."""
    reach = _LARGEST_ELEMENT * int(np.abs(weights.astype(np.int64)).sum())
    ends = (bias - reach, bias + reach)
    if max(map(abs, ends)) >= 1 << 31:
        return None  # sums might wrap
    found = {scale(end, multiplier, shift) for end in ends for scale in (multiply_up, multiply_away)}
    value = found.pop()
    return None if found or abs(value) >= _LARGEST_VALUE else value
