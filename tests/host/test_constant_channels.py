"""Channels that give one value whatever the input keep it when their weights are replaced."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.graph import Graph
from host_tools.passes.constant_channels import settle_constant_channels
from nnmicro.reference import inner_product_int8
from nnmicro.reference.fixed_point import multiply_away, multiply_up
from tests.host import kernel_call
from tests.host.int8_call import TypedBench


def settled(
    op: str, weights: np.ndarray, bias: list[int], multiplier: list[int], shift: list[int], weight_zero: int = 0
) -> list[np.ndarray]:
    graph = Graph("g")
    graph.add_tensor("x", (1, 4, 4, 1))
    graph.add_tensor("y", (1, 4, 4, len(bias)))
    data = {"w": weights} | {n: np.array(v, np.int32) for n, v in (("b", bias), ("m", multiplier), ("s", shift))}
    layer = graph.add(op, "c", ["x", *(graph.add_constant(name, array) for name, array in data.items())], ["y"])
    layer.attrs["weight_zero"] = weight_zero
    settle_constant_channels(graph, frozenset())
    made = [graph.tensors[name].data for name in layer.inputs[1:]]
    return [array for array in made if array is not None]


@pytest.mark.parametrize("op", ["convolution_int8", "depthwise_int8", "inner_product_int8"])
@pytest.mark.parametrize("bias", [0, -2000, 1 << 20, 1 << 30, -(1 << 30)])
def test_a_channel_gives_what_it_gave_before_for_any_sum(op: str, bias: int) -> None:
    shifts = list(range(-31, 3))
    n, multiplier = len(shifts), 1_234_567_890
    weights = np.random.default_rng(5).integers(-128, 128, (n, 3, 3, 1), np.int8)
    if op == "inner_product_int8":
        weights = weights.reshape(n, -1)
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


def outputs_of(
    x: np.ndarray, weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, shift: np.ndarray
) -> list[int]:
    """What the plain Python layer gives for an input of two elements, zero points 5 and -3."""
    params = {"per_row": 0, "input_zero": 5, "weight_zero": 0, "output_zero": -3, "activation_min": -128}
    inputs = [x.reshape(1, 1, -1), *(array.reshape(1, 1, -1) for array in (weights, bias, multiplier, shift))]
    like = np.zeros((1, 1, bias.size), np.int8)
    words = kernel_call.words(params | {"activation_max": 127}, inner_product_int8)
    bench = TypedBench(inputs, like, words, [kernel_call.Layout(a.shape) for a in (*inputs, like)])
    inner_product_int8.run(bench.call)
    return bench.result().ravel().tolist()


def test_channels_that_differ_and_sums_that_might_wrap_are_left_alone() -> None:
    weights = np.full((3, 1, 1, 4), 100, np.int8)
    made = settled("convolution_int8", weights, [2**31 - 1, 5, 5], [1 << 30] * 3, [-31, -3, 0])
    assert (made[0] == weights).all() and list(made[3]) == [-31, -3, 0]


def test_weights_of_0_are_nothing_only_where_their_zero_point_is_0() -> None:
    weights = np.full((1, 4), 100, np.int8)
    assert not settled("inner_product_int8", weights, [0], [1 << 30], [-31])[0].any()
    assert (settled("inner_product_int8", weights, [0], [1 << 30], [-31], weight_zero=3)[0] == weights).all()


@pytest.mark.parametrize("shift", [-31, -24, -23])
def test_a_settled_fully_connected_layer_gives_what_it_gave(shift: int) -> None:
    """By brute force: all elements of two inputs, against the engine's own layer."""
    weights = np.array([[3, -5], [127, -128]], np.int8)
    given = weights, np.array([7, -900], np.int32), np.full(2, 1_500_000_000, np.int32), np.full(2, shift, np.int32)
    made = settled("inner_product_int8", weights, *(array.tolist() for array in given[1:]))
    assert not made[0].any()
    for a in range(-128, 128, 5):
        for b in (-128, -127, -1, 0, 1, 127):
            x = np.array([a, b], np.int8)
            assert outputs_of(x, *given) == outputs_of(x, *made)
