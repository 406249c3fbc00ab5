"""The planner: valid plans, the peak that the engine then really has, and results that no placement can change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmicro
from host_tools.graph import Graph
from host_tools.layout import Program, lower
from host_tools.order import choose_order
from host_tools.plan import lifetimes
from host_tools.planner import make_plan, plan_memory
from host_tools.reader import read_plan, read_program
from host_tools.views import compatible, use_views
from host_tools.writer import write
from tests.models import Builder


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, dict[str, np.ndarray]]:
    """A random graph of sums, multiples, shares, relus, concatenations and slices, and what every blob should hold,
    worked out by numpy."""
    channels = draw(st.integers(1, 5))
    shape = (1, channels, draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    b = Builder("random", shape)
    values: dict[str, np.ndarray] = {}
    for i in range(draw(st.integers(1, 2))):
        name = b.input(f"x{i}")
        values[name] = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) % 7 - 3 + i
    for i in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(("affine", "add", "relu", "share", "concat", "concat", "slice")))
        source, name = draw(st.sampled_from(sorted(values))), f"b{i}"
        b.shape = values[source].shape
        if kind == "affine":
            b.affine(source, name, -1, i)
            values[name] = i - values[source]
        elif kind == "add":
            other = draw(st.sampled_from([one for one in sorted(values) if values[one].shape == b.shape]))
            b.add(source, other, name)
            values[name] = values[source] + values[other]
        elif kind == "relu":
            b.relu(source, name)
            values[name] = np.maximum(values[source], 0)
        elif kind == "concat":
            axis = draw(st.sampled_from((1, 1, 1, 2, 3)))
            rest = [size for at, size in enumerate(b.shape) if at != axis]
            alike = [
                one for one in sorted(values) if [n for at, n in enumerate(values[one].shape) if at != axis] == rest
            ]
            parts = draw(st.lists(st.sampled_from(alike), min_size=1, max_size=3))
            values[name] = np.concatenate([values[one] for one in parts], axis)
            b.concat(parts, name, axis)
        elif kind == "slice":
            axis = draw(st.sampled_from((1, 1, 1, 2, 3)))
            start = draw(st.integers(0, b.shape[axis] - 1))
            stop, step = draw(st.integers(start + 1, b.shape[axis])), draw(st.integers(1, 2))
            cut = tuple(slice(start, stop, step) if at == axis else slice(None) for at in range(4))
            values[name] = values[source][cut]
            b.slice(source, name, cut)
        else:
            b.share(source, name)
            values[name] = values[source]
    made = [name for name in values if name.startswith("b")]
    read = {name for layer in b.graph.layers for name in layer.inputs}
    asked = draw(st.sets(st.sampled_from(made), max_size=2))
    b.graph.outputs = sorted({name for name in made if name not in read} | asked)
    return b.graph, values


def use_all_views(program: Program) -> None:
    """Blobs lie in others where they can, whether or not that is of use."""
    assert use_views(program, compatible(program))


@settings(max_examples=150, deadline=None)
@given(graphs(), st.booleans())
def test_random_graphs_run_as_planned(made: tuple[Graph, dict[str, np.ndarray]], all_views: bool) -> None:
    graph, values = made
    program = lower(graph)
    if all_views:
        use_all_views(program)
        plan = make_plan(program, seconds=0.5)
    else:
        plan = plan_memory(program, seconds=0.5)

    for one in plan.blocks:
        assert one.offset % 16 == 0 and one.offset + one.nbytes <= plan.size
        for other in plan.blocks:
            if one is not other and one.first <= other.last and other.first <= one.last:
                assert one.offset + one.nbytes <= other.offset or other.offset + other.nbytes <= one.offset
    assert plan.size >= plan.live_peak

    net = nnmicro.Net(write(program, plan), nnmicro.Option(backend="reference"))
    for lightmode, peak in ((True, plan.live_peak), (False, plan.lightmode_off)):
        with net.extractor(lightmode=lightmode) as ex:
            for name in net.inputs:
                ex.input(name, values[name])
            for name in net.outputs:
                np.testing.assert_array_equal(np.array(ex.extract(name).tolist()), values[name])
            alone = lightmode or not any(blob.owner >= 0 for blob in program.blobs)
            assert ex.arena.live_peak == peak if alone else ex.arena.live_peak < peak
            if lightmode:
                assert ex.placement == "plan"


@settings(max_examples=80, deadline=None)
@given(graphs(), st.randoms(use_true_random=False), st.booleans())
def test_blobs_asked_for_in_any_order_are_right_or_recycled(
    made: tuple[Graph, dict[str, np.ndarray]], random: object, views: bool
) -> None:
    graph, values = made
    program = lower(graph)
    if views:
        use_all_views(program)
    data = write(program, make_plan(program, seconds=0))
    net = nnmicro.Net(data, nnmicro.Option(backend="reference"))
    names = [str(net.name(i)) for i in range(net.n_blobs)]
    random.shuffle(names)  # type: ignore[attr-defined]
    ex = net.extractor(arena=nnmicro.Arena(net.lightmode_off_size * 2))
    for name in net.inputs:
        ex.input(name, values[name])
    results = {}
    for name in names:
        try:
            results[name] = ex.extract(name)
        except nnmicro.RecycledError:
            assert name not in net.outputs
    for name, blob in results.items():
        np.testing.assert_array_equal(np.array(blob.tolist()), values[name])
    assert set(net.outputs) <= set(results)
    arena = ex.arena
    ex.close()
    assert arena.used == 0 and arena.live == 0


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_what_is_written_is_read_back(made: tuple[Graph, dict[str, np.ndarray]]) -> None:
    graph, _ = made
    program = lower(graph)
    use_all_views(program)
    plan = make_plan(program, seconds=0)
    net = nnmicro.Net(write(program, plan))
    again = read_program(net)
    wanted = [(b.name, b.shape, b.dtype, b.storage, b.producer, b.place, b.owner, b.inside) for b in program.blobs]
    assert [
        (b.name, b.shape, b.dtype, b.storage, b.producer, b.place, b.owner, b.inside) for b in again.blobs
    ] == wanted
    assert again.layers == program.layers
    assert (again.inputs, again.outputs) == (program.inputs, program.outputs)
    planned = read_plan(again, net)
    assert planned.blocks == plan.blocks
    assert (planned.live_peak, planned.lightmode_off) == (net.live_peak, net.lightmode_off_size)


def test_the_order_with_the_lower_peak_is_chosen() -> None:
    """x -> wide a, wide b (both made first in the source's order), each reduced by a pool; running each branch to its
    end before the next one starts needs one wide blob less."""
    graph = Graph("branches")
    graph.add_tensor("x", (1, 1, 8, 8))
    graph.inputs = ["x"]
    plain = {"activation": 0, "activation_a": 0.0, "activation_b": 0.0}
    pool = {"kind": 0, "kernel_h": 8, "kernel_w": 8, "stride_h": 1, "stride_w": 1, "pad_top": 0, "pad_left": 0,
            "pad_bottom": 0, "pad_right": 0, "include_pad": 0, "dilation_h": 1, "dilation_w": 1}  # fmt: skip
    weight = graph.add_constant("w", np.ones((16, 1, 1, 1), np.float32))
    conv = {"kernel_h": 1, "kernel_w": 1, "stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1,
            "pad_top": 0, "pad_left": 0, "group": 1, "pad_value": 0.0, **plain}  # fmt: skip
    for name in "ab":
        graph.add_tensor(name, (1, 16, 8, 8))
        graph.add("convolution", f"conv_{name}", ["x", weight], [name], **conv)
    for name in "ab":
        graph.add_tensor(f"{name}s", (1, 16, 1, 1))
        graph.add("pooling", f"pool_{name}", [name], [f"{name}s"], **pool)
    graph.outputs = ["as", "bs"]
    wide = 16 * 8 * 8 * 4
    program = lower(graph)
    assert lifetimes(program).live_peak == 2 * wide + 256
    choose_order(program)
    assert lifetimes(program).live_peak == wide + 256 + 64


def test_a_plan_that_meets_the_bound_says_so() -> None:
    b = Builder("chain")
    b.affine(b.input("x"), "y", 2, 0)
    b.graph.outputs = ["y"]
    program = lower(b.graph)
    plan = make_plan(program)
    assert plan.optimal and plan.size == plan.live_peak == plan.lower_bound == 256
    assert nnmicro.Net(write(program, plan)).optimal


@pytest.mark.parametrize(
    "shape,nbytes", [((1, 3, 3, 3), 3 * 48), ((3,), 12), ((1, 7, 1, 1), 28), ((1, 1, 3, 3), 36), ((2, 3, 4, 4), 384)]
)
def test_channels_are_aligned_where_they_are_more_than_one_element(shape: tuple[int, ...], nbytes: int) -> None:
    b = Builder("shape", shape if len(shape) > 2 else (1, *shape)[-3:])
    from host_tools.layout import planar

    assert planar(shape, 4).nbytes == nbytes
    assert b.shape
