"""Fully connected int8 layers that read a map instead of its flattened form give the same bytes."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import Graph, Quantisation
from host_tools.passes.flattening import read_maps

INT8 = np.dtype(np.int8)


def quantised() -> Quantisation:
    return Quantisation(np.array([0.05], np.float32), np.array([3], np.int32))


def network(order: str, *shapes: tuple[int, ...], readers: int = 1, seed: int = 0) -> Graph:
    """x of the first shape, reshaped to each of the others, then `readers` fully connected layers of three outputs."""
    rng = np.random.default_rng(seed)
    graph = Graph("flat", order=order)

    def blob(name: str, shape: tuple[int, ...]) -> str:
        tensor = graph.add_tensor(name, shape)
        tensor.dtype, tensor.quantisation = INT8, quantised()
        return name

    name = blob("x", shapes[0])
    graph.inputs = ["x"]
    for i, shape in enumerate(shapes[1:]):
        graph.add("reshape", f"reshape{i}", [name], [blob(f"flat{i}", shape)])
        name = f"flat{i}"
    count = int(np.prod(shapes[0]))
    weight = graph.add_constant("weight", rng.integers(-127, 128, (3, count), dtype=np.int8))
    for i in range(readers):
        constants = [
            graph.add_constant("bias", rng.integers(-900, 900, 3, dtype=np.int32)),
            graph.add_constant("multiplier", np.full(3, 1 << 30, np.int32)),
            graph.add_constant("shift", np.full(3, -10, np.int32)),
        ]
        attrs = {"per_row": 0, "input_zero": 3, "weight_zero": 0, "output_zero": 3}
        attrs |= {"activation_min": -128, "activation_max": 127}
        out = blob(f"y{i}", (1, 3))
        graph.add("inner_product_int8", out, [name, weight, *constants], [out], **attrs)
        graph.outputs.append(out)
    return graph


def results(graph: Graph) -> list[bytes]:
    net = nnmicro.Net(to_nnm(copy.deepcopy(graph), fuse=False), nnmicro.Option(backend="reference"))
    x = np.random.default_rng(1).integers(-128, 128, graph.tensor("x").shape, dtype=np.int8)
    with net.extractor() as ex:
        ex.input("x", x)
        return [ex.extract(name).tobytes() for name in graph.outputs]


def ops(graph: Graph) -> list[str]:
    return [layer.op for layer in graph.layers]


@pytest.mark.parametrize("readers", [1, 2])
@pytest.mark.parametrize("order", ["hwc", "chw"])
@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 4, 3, 5), (1, 60)],
        [(1, 1, 3, 5), (15,)],
        [(1, 6, 1, 1), (1, 6)],
        [(2, 3, 4, 5), (1, 120)],
        [(4, 3, 5), (1, 60)],
        [(1, 4, 3, 5), (12, 5), (1, 60)],
    ],
)
def test_a_flattening_that_only_sums_read_goes(shapes, order: str, readers: int):
    graph = network(order, *shapes, readers=readers)
    expected = results(graph)
    assert len(set(expected[0]) - {0x80, 0x7F}) == 3  # none at the bounds
    read_maps(graph, frozenset(["x", *graph.outputs]))
    assert ops(graph) == ["inner_product_int8"] * readers and graph.layers[0].inputs[0] == "x"
    assert graph.fused == {f"flat{i}": "x" for i in range(len(shapes) - 1)}
    assert results(graph) == expected


@pytest.mark.parametrize("order", ["hwc", "chw"])
def test_random_maps_give_the_same_bytes(order: str):
    rng = np.random.default_rng(2)
    for seed in range(40):
        shape = (1, *(int(n) for n in rng.integers(1, 6, 3)))
        graph = network(order, shape, (1, int(np.prod(shape))), seed=seed)
        expected = results(graph)
        read_maps(graph, frozenset(["x", *graph.outputs]))
        assert results(graph) == expected


def test_a_flattening_stays_where_its_blob_is_wanted_or_its_rows_are_kept_apart():
    wanted = network("hwc", (1, 4, 3, 5), (1, 60))
    read_maps(wanted, frozenset(["x", "y0", "flat0"]))
    by_rows = network("hwc", (1, 4, 3, 5), (1, 60))
    by_rows.layers[-1].attrs["per_row"] = 1
    read_maps(by_rows, frozenset(["x", "y0"]))
    other = network("hwc", (1, 4, 3, 5), (1, 60))
    other.layers[-1].op = "softmax_int8"
    read_maps(other, frozenset(["x", "y0"]))
    several_axes = network("chw", (1, 4, 3, 5), (1, 5, 4, 3))
    read_maps(several_axes, frozenset(["x", "y0"]))
    for graph in (wanted, by_rows, other, several_axes):
        assert ops(graph)[0] == "reshape"


def test_the_arena_of_a_map_counted_channel_by_channel_shrinks():
    graph = network("chw", (1, 4, 8, 8), (1, 256))
    fused = nnmicro.Net(to_nnm(copy.deepcopy(graph)))
    assert fused.arena_size < nnmicro.Net(to_nnm(graph, fuse=False)).arena_size
