"""Blobs that lie in others: results as without, to the byte, and never more memory."""

from __future__ import annotations

import copy
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmicro
from firmware.native import host
from host_tools.graph import Graph
from host_tools.layout import Program, lower
from host_tools.order import Memory, choose_order, rearrange
from host_tools.plan import lifetimes
from host_tools.planner import make_plan, plan_memory
from host_tools.reader import read_program
from host_tools.views import without_views
from host_tools.writer import write
from tests.host.random_programs import all_orders
from tests.host.test_native_run import Inference
from tests.host.test_plan import graphs, use_all_views
from tests.models.row_networks import RowNetwork

_KINDS = ("conv", "depthwise", "table", "pool", "pad", "add", "rows", "flat") + 2 * ("concat", "channels")


@st.composite
def cells(draw: st.DrawFn) -> Graph:
    """Random int8 layers over maps of one size: what they read is cut into channels and rows, and put together."""
    net = RowNetwork(draw(st.integers(0, 1000)))
    h, w = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    blobs = [net.input(h, w, draw(st.integers(1, 5))) for _ in range(draw(st.integers(1, 2)))]
    for _ in range(draw(st.integers(1, 10))):
        x = draw(st.sampled_from(blobs))
        _, rows, _, c = net.shape(x)
        kind = draw(st.sampled_from(_KINDS))
        if kind in ("conv", "depthwise"):
            blobs.append(net.convolution(x, 1, 1, 0, 1, draw(st.integers(1, 4)) if kind == "conv" else 0))
        elif kind == "table":
            blobs.append(net.table(x))
        elif kind == "pool":
            blobs.append(net.pooling(x, 1, 1, draw(st.booleans())))
        elif kind == "pad":
            blobs.append(net.padding(x, draw(st.integers(0, 1)), draw(st.integers(0, 1))))
        elif kind == "add":
            blobs.append(net.add(x, draw(st.sampled_from([b for b in blobs if net.shape(b) == net.shape(x)]))))
        elif kind == "concat":
            axis = draw(st.sampled_from((0, 0, 1)))
            same = (2, 3) if axis else (1, 2)
            alike = [b for b in blobs if all(net.shape(b)[k] == net.shape(x)[k] for k in same)]
            blobs.append(net.concat(draw(st.lists(st.sampled_from(alike), min_size=1, max_size=3)), axis))
        elif kind == "channels":
            start, step = draw(st.integers(0, c - 1)), draw(st.integers(1, 2))
            blobs.append(net.channels(x, start, step, draw(st.integers(1, (c - start + step - 1) // step))))
        elif kind == "rows":
            start = draw(st.integers(0, rows - 1))
            blobs.append(net.slice(x, start, 1, draw(st.integers(1, rows - start))))
        else:
            net.dense(net.share(x, (1, int(np.prod(net.shape(x))))), 2)
    read = {name for layer in net.graph.layers for name in layer.inputs}
    made = [name for layer in net.graph.layers for name in layer.outputs]
    asked = draw(st.sets(st.sampled_from(made), max_size=2))
    net.graph.outputs = [name for name in made if name not in read or name in asked]
    return net.graph


def random_bytes(net: nnmicro.Net) -> dict[str, bytes]:
    random = np.random.default_rng(5)
    return {str(name): random.integers(-128, 128, net.shape(name), np.int8).tobytes() for name in net.inputs}


def results(net: nnmicro.Net, names: list[str], lightmode: bool = True) -> tuple[list[bytes], int]:
    """What these blobs hold, and the peak."""
    keep = () if set(names) <= set(net.outputs) else names
    arena = nnmicro.Arena(2 * net.lightmode_off_size) if keep else None
    with net.extractor(lightmode=lightmode, keep=keep, arena=arena) as ex:
        for name, data in random_bytes(net).items():
            ex.input_view(name).assign_bytes(data)
        found = [ex.extract(name).tobytes() for name in names]
        return found, ex.arena.live_peak


def reference(program: Program, plan: object = None) -> nnmicro.Net:
    return nnmicro.Net(write(program, plan or make_plan(program, seconds=0.1)), nnmicro.Option(backend="reference"))


@settings(max_examples=50, deadline=None)
@given(cells())
def test_every_blob_is_what_it_is_without_views(graph: Graph) -> None:
    program = lower(graph)
    names = [blob.name for blob in program.blobs]
    expected, _ = results(reference(copy.deepcopy(program)), names, lightmode=False)
    use_all_views(program)
    net = reference(program)
    for asked, lightmode in ((names, False), (names[::-1], False), (names, True)):
        found, _ = results(net, asked, lightmode)
        assert found == (expected if asked == names else expected[::-1])
    for name in net.outputs:  # one alone, in the memory of all
        with net.extractor(outputs=(name,), arena=nnmicro.Arena(net.arena_size)) as ex:
            for given_name, data in random_bytes(net).items():
                if ex._left[net.index(given_name)]:  # one that nobody reads would stay
                    ex.input_view(given_name).assign_bytes(data)
            assert ex.extract(name).tobytes() == expected[names.index(name)]
            assert ex.arena.live_peak <= net.live_peak


@settings(max_examples=30, deadline=None)
@given(st.one_of(cells(), graphs().map(lambda made: made[0])))
def test_a_plan_with_views_is_never_larger(graph: Graph) -> None:
    program = lower(graph)
    copying = copy.deepcopy(program)
    without = plan_memory(copying, seconds=0.2, views=False)
    plan = plan_memory(program, seconds=0.2)
    assert plan.lower_bound <= plan.size <= without.size
    net = reference(program, plan)
    outputs = [str(name) for name in net.outputs]
    if net.words[net.record(0)] & 0xFF == 2:
        found, peak = results(net, outputs)
        assert peak == plan.live_peak and found == results(reference(copying, without), outputs)[0]


@settings(max_examples=50, deadline=None)
@given(st.one_of(cells(), graphs().map(lambda made: made[0])))
def test_the_order_is_the_best_of_all_with_views_too(graph: Graph) -> None:
    program = lower(graph)
    if len(program.layers) > 6:
        return
    use_all_views(program)
    memory = Memory(program)
    peaks = []
    for order in all_orders(program):
        trial = copy.deepcopy(program)
        rearrange(trial, order)
        peaks.append(lifetimes(trial).live_peak)
        assert memory.peak(order) == peaks[-1]
    assert memory.bound() <= min(peaks)
    assert choose_order(program) == lifetimes(program).live_peak == min(peaks)


@settings(max_examples=30, deadline=None)
@given(cells())
def test_views_are_undone(graph: Graph) -> None:
    program = lower(graph)
    wanted = copy.deepcopy(program)
    use_all_views(program)
    again = without_views(read_program(reference(program)))
    assert [(b.storage, b.owner, b.inside) for b in again.blobs] == [(b.storage, -1, 0) for b in wanted.blobs]
    assert again.layers == wanted.layers


@pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")
@settings(max_examples=60, deadline=None)
@given(cells(), st.booleans())
def test_the_kernels_in_c_take_them(graph: Graph, lightmode: bool) -> None:
    native = host.sanitized()
    program = lower(graph)
    outputs = [program.blobs[i].name for i in program.outputs]
    expected, _ = results(reference(copy.deepcopy(program)), outputs)
    use_all_views(program)
    net = reference(program)
    with net.extractor(lightmode=lightmode) as ex:
        for name, data in random_bytes(net).items():
            ex.input_view(name).assign_bytes(data)
        inference = Inference(native, net, ex, set())
        assert all(kernel >= 0 for op, kernel in zip(net.op_names, inference.context[2], strict=True) if op != "share")
        for name, wanted in zip(outputs, expected, strict=True):
            blob = ex._begin(name)
            if ex._target >= 0:
                assert inference.run(0, ex._producer(blob), ex._mark, 1000) == ex._producer(blob) + 1
                ex._target = -1
            assert ex.extract(name).tobytes() == wanted
