"""Channels that give one value whatever the input keep it when their weights are replaced."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.graph import Graph
from host_tools.passes.constant_channels import settle_constant_channels
from nnmicro.reference.fixed_point import multiply_away, multiply_up


def settled(op: str, weights: np.ndarray, bias: list[int], multiplier: list[int], shift: list[int]) -> list[np.ndarray]:
    graph = Graph("g")
    graph.add_tensor("x", (1, 4, 4, 1))
    graph.add_tensor("y", (1, 4, 4, len(bias)))
    data = {"w": weights} | {n: np.array(v, np.int32) for n, v in (("b", bias), ("m", multiplier), ("s", shift))}
    layer = graph.add(op, "c", ["x", *(graph.add_constant(name, array) for name, array in data.items())], ["y"])
    settle_constant_channels(graph, frozenset())
    made = [graph.tensors[name].data for name in layer.inputs[1:]]
    return [array for array in made if array is not None]


@pytest.mark.parametrize("op", ["convolution_int8", "depthwise_int8"])
@pytest.mark.parametrize("bias", [0, -2000, 1 << 20, 1 << 30, -(1 << 30)])
def test_a_channel_gives_what_it_gave_before_for_any_sum(op: str, bias: int) -> None:
    shifts = list(range(-31, 3))
    n, multiplier = len(shifts), 1_234_567_890
    weights = np.random.default_rng(5).integers(-128, 128, (n, 3, 3, 1), np.int8)
    if op == "depthwise_int8":
        weights = np.moveaxis(weights, 0, -1)
    made = settled(op, weights, [bias] * n, [multiplier] * n, shifts)
    by_channel, given = (
        np.moveaxis(w, -1 if op == "depthwise_int8" else 0, 0).astype(np.int64) for w in (made[0], weights)
    )
    changed = 0
    for o, shift in enumerate(shifts):
        x = 255 * np.sign(given[o])  # gives the largest sum there is, and its negative the least
        if not by_channel[o].any():
            changed += 1
            for sign in (-1, 1):
                before = bias + sign * int((x * given[o]).sum())
                for scale in (multiply_up, multiply_away):
                    wanted = scale(before, multiplier, shift)
                    assert scale(int(made[1][o]), int(made[2][o]), int(made[3][o])) == wanted, shift
        else:
            assert (by_channel[o] == given[o]).all() and made[1][o] == bias and made[3][o] == shift
    assert changed > 1


def test_channels_that_differ_and_sums_that_might_wrap_are_left_alone() -> None:
    weights = np.full((3, 1, 1, 4), 100, np.int8)
    made = settled("convolution_int8", weights, [2**31 - 1, 5, 5], [1 << 30] * 3, [-31, -3, 0])
    assert (made[0] == weights).all() and list(made[3]) == [-31, -3, 0]
