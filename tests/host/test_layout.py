"""Storage: whatever the source's order and the engine's own, moving layers mean what they mean in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import Graph, axis_of, geometry

TYPES = (np.float32, np.int8)


def factors(draw: st.DrawFn, count: int, rank: int) -> tuple[int, ...]:
    """A random shape of `rank` axes with `count` elements."""
    shape = []
    for _ in range(rank - 1):
        size = draw(st.sampled_from([d for d in range(1, count + 1) if count % d == 0]))
        shape.append(size)
        count //= size
    return (*shape, count)


@st.composite
def moves(draw: st.DrawFn) -> tuple[Graph, np.ndarray, np.ndarray]:
    """A graph of reshapes and transpositions, an input, and what numpy makes of it."""
    graph = Graph("moves", order=draw(st.sampled_from(("chw", "hwc"))))
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    shape: tuple[int, ...] = (1, draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    graph.add_tensor("x", shape).dtype = dtype
    graph.inputs = ["x"]
    data = np.arange(math.prod(shape)).astype(dtype).reshape(shape)
    value, name = data, "x"
    for i in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            shape = factors(draw, value.size, draw(st.integers(1, 4)))
            if len(shape) >= 4:
                shape = (1, shape[0] * shape[1], shape[2], shape[3])
            value = value.reshape(shape)
            graph.add_tensor(f"b{i}", shape).dtype = dtype
            graph.add("reshape", f"reshape{i}", [name], [f"b{i}"])
        else:
            perm = tuple(draw(st.permutations(range(value.ndim))))
            if value.ndim >= 4 and value.shape[perm[0]] != 1:
                continue
            value = value.transpose(perm)
            graph.add_tensor(f"b{i}", value.shape).dtype = dtype
            graph.add("permute", f"permute{i}", [name], [f"b{i}"], perm=perm)
        name = f"b{i}"
    if name == "x":
        graph.add_tensor("y", shape).dtype = dtype
        graph.add("share", "share", ["x"], ["y"])
        name = "y"
    graph.outputs = [name]
    return graph, data, value


@settings(max_examples=300, deadline=None)
@given(moves())
def test_moving_layers_mean_what_they_mean_in_numpy(made: tuple[Graph, np.ndarray, np.ndarray]) -> None:
    graph, data, expected = made
    net = nnmicro.Net(to_nnm(graph, fuse=False), nnmicro.Option(backend="reference"))
    for lightmode in (True, False):
        with net.extractor(lightmode=lightmode) as ex:
            ex.input("x", data)
            result = ex.extract(net.outputs[0])
            assert result.shape == expected.shape
            assert result.tobytes() == expected.tobytes()
            np.testing.assert_array_equal(np.array(result.tolist()), expected)
            flat = expected.ravel()
            assert [result[i] for i in range(len(result))] == flat.tolist()


def test_a_reshape_of_interleaved_integers_in_their_own_order_moves_nothing() -> None:
    graph = Graph("flatten", order="hwc")
    graph.add_tensor("x", (1, 3, 5, 7)).dtype = np.dtype(np.int8)
    graph.add_tensor("y", (1, 105)).dtype = np.dtype(np.int8)
    graph.add("reshape", "flatten", ["x"], ["y"])
    graph.inputs, graph.outputs = ["x"], ["y"]
    assert nnmicro.Net(to_nnm(graph)).op_names == ("share",)


@pytest.mark.parametrize(
    "shape,order,expected",
    [
        ((1, 8, 6, 4), "chw", (8, 6, 4)),
        ((1, 6, 4, 8), "hwc", (8, 6, 4)),
        ((1, 10), "hwc", (1, 1, 10)),
        ((10,), "chw", (1, 1, 10)),
        ((2, 3, 4), "hwc", (2, 3, 4)),
        ((1, 2, 3, 4, 5), "chw", (6, 4, 5)),
    ],
)
def test_which_axes_are_channels_height_and_width(
    shape: tuple[int, ...], order: str, expected: tuple[int, ...]
) -> None:
    assert geometry(shape, order) == expected


def test_an_axis_by_name() -> None:
    assert [axis_of((1, 8, 6, 4), axis) for axis in (1, 2, 3, -1)] == [0, 1, 2, 2]
    assert [axis_of((1, 6, 4, 8), axis, "hwc") for axis in (1, 2, 3, -1)] == [1, 2, 0, 0]
    with pytest.raises(ValueError):
        axis_of((1, 2, 3, 4, 5), 2)
    with pytest.raises(ValueError):
        axis_of((1, 8, 6, 4), 4)
