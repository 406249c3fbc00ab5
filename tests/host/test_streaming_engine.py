"""Streamed models in the engine: the same bytes as with whole tensors, in Python and in C, given whole and by rows."""

from __future__ import annotations

import shutil
from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmicro
from firmware.native import host
from host_tools.graph import Graph
from host_tools.layout import Program, lower
from host_tools.order import choose_order
from host_tools.planner import make_plan
from host_tools.streaming.lifetimes import lives_of
from host_tools.streaming.placement import Placer, lower_bound
from host_tools.streaming.plan import StreamPlan, planned, section
from host_tools.streaming.rings import Arrangement
from host_tools.streaming.rows import row_model
from host_tools.streaming.search import Search, Streamed
from host_tools.writer import write
from nnmicro import format as f
from tests.host.test_streaming_plan import choices
from tests.models.row_networks import row_networks


@st.composite
def plans(draw: st.DrawFn, program: Program) -> StreamPlan:
    """A random plan: any choice, any way of sharing rings, any inputs fed."""
    many = [number for number, blob in enumerate(program.inputs) if program.blobs[blob].storage.h > 1]
    fed = tuple(sorted(draw(st.sets(st.sampled_from(many))))) if many else ()
    model = row_model(program, fed)
    choice = draw(choices(model))
    steps = Search(model).steps(choice)
    arrangement = Arrangement(lives_of(model, steps))
    items = arrangement.items([draw(st.integers(0, len(one) - 1)) for one in arrangement.choices])
    size, offsets = Placer(items).quick()
    return planned(model, Streamed(choice, steps, items, offsets, size, lower_bound(items)), fed)


def streamed_file(program: Program, plan: StreamPlan) -> bytes:
    return write(program, make_plan(program, seconds=0.01), extras=[(f.STEPS, section(plan))])


def poisoned(nbytes: int, seed: int) -> nnmicro.Arena:
    arena = nnmicro.Arena(nbytes)
    arena.buffer[:] = np.random.default_rng(seed).integers(0, 256, len(arena.buffer), np.uint8).tobytes()
    return arena


def values_for(net: nnmicro.Net, seed: int) -> dict[str, bytes]:
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, 256, net.shape(name), np.uint8).tobytes() for name in net.inputs}


def whole(net: nnmicro.Net, values: dict[str, bytes]) -> list[bytes]:
    """What the outputs are with whole tensors."""
    with net.extractor(lightmode=False) as ex:
        for name, data in values.items():
            ex.input(name, data)
        return [ex.extract(name).tobytes() for name in net.outputs]


@settings(max_examples=60, deadline=None)
@given(row_networks(), st.data())
def test_streamed_is_whole(graph: Graph, data: st.DataObject) -> None:
    program = lower(graph)
    choose_order(program)
    plan = data.draw(plans(program))
    net = nnmicro.Net(streamed_file(program, plan), nnmicro.Option(backend="reference"))
    assert net.arena_size == plan.size
    ex = net.extractor(arena=poisoned(plan.size, 1))
    for seed in (2, 3):  # the second finds what the first left
        values = values_for(net, seed)
        expected = whole(net, values)
        for name in data.draw(st.permutations(net.inputs)):
            if not ex.is_fed(name):
                ex.input(name, values[name])
        give_rows(data, ex, {name: values[name] for name in net.inputs if ex.is_fed(name)})
        assert [ex.extract(name).tobytes() for name in net.outputs] == expected
        ex.reset()


def give_rows(data: st.DataObject, ex: nnmicro.Extractor, left: dict[str, bytes]) -> None:
    """All rows of the inputs that are fed, in random portions; of several inputs, of the one whose rows are due."""
    while left:
        steps = ex.net.words[ex.net.steps_at + f.T_STEPS]
        ex._run(steps, 1 << 29)
        name = next(iter(left))
        most = 1000
        if ex._next < steps:
            layer, first, rows = (ex.net.words[ex._steps + 3 * ex._next + k] for k in range(3))
            name = str(ex.net.name(ex._blob(-1 - layer)))
            most = first + rows - ex._rows[-1 - layer] if len(left) > 1 else 1000
        size = len(values_row(ex, name, left[name]))
        portion = data.draw(st.integers(1, min(most, len(left[name]) // size))) * size
        remaining = ex.feed(name, left[name][:portion])
        left[name] = left[name][portion:]
        assert remaining == len(left[name]) // size
        if not left[name]:
            del left[name]


def values_row(ex: nnmicro.Extractor, name: str, data: bytes) -> bytes:
    """One row of what is left."""
    net = ex.net
    return data[: net.words[net.record(net.index(name)) + f.B_RSTEP]]


class Native:
    """The kernels of this computer in place of the module `_nnmicro`, as far as streams use it."""

    def __init__(self, library: host.Library, kernels: array[int]) -> None:
        self.library = library
        self.kernels = kernels

    def steps(self, context: tuple[object, ...], first: int, count: int) -> int:
        return self.library.steps((*context[:2], self.kernels, *context[3:]), first, count)

    def feed(
        self,
        context: tuple[object, ...],
        first: int,
        count: int,
        number: int,
        blob: int,
        data: bytes,
        at: int,
        rows: array[int],
    ) -> int:
        return self.library.feed((*context[:2], self.kernels, *context[3:]), first, count, number, blob, data, at, rows)

    def copy(self, target: memoryview, at: int, source: bytes, start: int, count: int) -> None:
        target[at : at + count] = source[start : start + count]


@pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")
@settings(max_examples=60, deadline=None)
@given(row_networks(), st.data())
def test_both_loops_leave_the_same_memory(graph: Graph, data: st.DataObject) -> None:
    program = lower(graph)
    choose_order(program)
    plan = data.draw(plans(program))
    net, compiled = (nnmicro.Net(streamed_file(program, plan), nnmicro.Option(backend="reference")) for _ in range(2))
    # Some kinds of layers are left to Python.
    cannot = data.draw(st.sets(st.sampled_from(sorted(net.op_names))))
    library = host.sanitized()
    numbers = array("h", [-1 if op in cannot else library.kernel(op) for op in net.op_names])
    compiled.native = Native(library, numbers)
    compiled.native_kernels = numbers
    values = values_for(net, 5)
    expected = whole(net, values)
    arenas = [poisoned(plan.size, 4) for _ in range(2)]
    takes_rows = data.draw(st.booleans())
    for one, arena in zip((net, compiled), arenas, strict=True):
        ex = one.extractor(arena=arena)
        if not takes_rows:  # as with a firmware of before
            ex._native_feed = None
        for name, given_bytes in values.items():
            if not ex.is_fed(name):
                ex.input(name, given_bytes)
        rest = {name: values[name] for name in net.inputs if ex.is_fed(name)}
        while rest:
            ex._run(len(plan.steps), 1 << 20)
            feed_due(ex, rest, len(plan.steps), data.draw(st.integers(1, 5)))
        assert [ex.extract(name).tobytes() for name in net.outputs] == expected
    assert bytes(arenas[0].buffer) == bytes(arenas[1].buffer)


def feed_due(ex: nnmicro.Extractor, left: dict[str, bytes], steps: int, most: int) -> None:
    """Some rows of the input whose rows are due, at most as many as the step takes."""
    name = next(iter(left))
    if ex._next < steps:
        layer, first, rows = (ex.net.words[ex._steps + 3 * ex._next + k] for k in range(3))
        name = str(ex.net.name(ex._blob(-1 - layer)))
        if len(left) > 1:
            most = min(most, first + rows - ex._rows[-1 - layer])
    rows_given = left[name][: most * len(values_row(ex, name, left[name]))]
    ex.feed(name, rows_given)
    left[name] = left[name][len(rows_given) :]
    if not left[name]:
        del left[name]
