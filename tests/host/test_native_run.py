"""The loop in C against the Python loop: the same results, and every array of the inference's state equal."""

from __future__ import annotations

import shutil
from array import array
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmicro
from firmware.native import host
from host_tools.graph import Graph
from host_tools.layout import lower
from host_tools.planner import make_plan
from host_tools.writer import write
from tests.host.test_plan import graphs, use_all_views
from tests.models import Builder, model_file

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")

COUNTED, NEEDED = 2, 4
LOOK = -2
PROOFS = 64 | 128
ARENA, FIRST_MARKS = 3, 10  # of a context


@pytest.fixture(scope="module")
def native() -> host.Library:
    return host.sanitized()


class Inference:
    """An extractor, and its context with kernels for the loop in C."""

    def __init__(self, native: host.Library, net: nnmicro.Net, extractor: nnmicro.Extractor, cannot: set[str]):
        self.native = native
        self.extractor = extractor
        kernels = array("h", [-1 if op in cannot else native.kernel(op) for op in net.op_names])
        self.context = (*extractor._context[:2], kernels, *extractor._context[3:])

    def give(self, name: str, data: bytes) -> bool:
        done = self.native.input(self.context, self.extractor.net.index(name), data)
        assert done in (0, -14), done
        return done == 0

    def begin(self, blob: int) -> int:
        """As `nn_begin` says; it changes nothing."""
        before = state_of(self.extractor)
        stop = self.native.begin(self.context, blob)
        assert state_of(self.extractor) == before
        return stop

    def run(self, first: int, stop: int, mark: int, budget: int) -> int:
        return self.native.run(self.context, first, stop, mark, budget)


def state_of(ex: nnmicro.Extractor) -> tuple[object, ...]:
    """Everything that both loops keep."""
    marks = bytes(mark & ~PROOFS for mark in ex._marks)  # those of the one in C, which alone has any
    return (marks, *(bytes(part) for part in (ex.arena.table, ex._slots, ex._left, ex._state)))


def extract_natively(inference: Inference, name: str, budget: int) -> None:
    """As `extract`, with the C loop for each layer that it takes."""
    ex = inference.extractor
    expected = inference.begin(ex.net.index(name))
    blob = ex._begin(name)
    if expected != LOOK:
        assert (ex._mark, ex._stop if ex._target >= 0 else -1) == (COUNTED, expected)
    if ex._target < 0:
        return
    stop = ex._producer(blob)
    layer = 0
    while layer <= stop:
        layer = inference.run(layer, stop, ex._mark, budget)
        if layer < 0:
            layer = -1 - layer
            assert ex._marks[layer] & (ex._mark | 1) == ex._mark
            ex._next = layer
            ex._advance(1)
            layer += 1
    ex._target = -1


@settings(max_examples=250, deadline=None)
@given(graphs(), st.data())
def test_both_loops_leave_the_same_state(native: host.Library, made: tuple[Graph, dict], data: st.DataObject) -> None:
    graph, values = made
    program = lower(graph)
    if data.draw(st.booleans()):
        use_all_views(program)
    net = nnmicro.Net(write(program, make_plan(program, seconds=0.02)), nnmicro.Option(backend="reference"))
    lightmode = data.draw(st.booleans())
    size = net.arena_size if lightmode else net.lightmode_off_size
    # A frame of its own size, one with room (so that its start differs), and one where the plan cannot be had.
    blocks = net.n_blobs + 8
    room = data.draw(st.sampled_from((0, 16, 256)))
    taken = data.draw(st.sampled_from((0, 16, 48)))
    arenas = [nnmicro.Arena(size + room + taken, blocks) for _ in range(2)]
    for arena in arenas:
        if taken:
            arena.release(arena.alloc(32)) if room else None
            arena.alloc(taken)
    cannot = set(data.draw(st.sets(st.sampled_from(sorted(net.op_names)))))
    budget = data.draw(st.sampled_from((1, 2, 100)))
    names = list(net.outputs) if data.draw(st.booleans()) else [str(net.name(i)) for i in range(net.n_blobs)]
    names = data.draw(st.permutations(names))
    ours, theirs = (
        net.extractor(lightmode=lightmode, arena=arena, keep=names[:1] if taken else ()) for arena in arenas
    )
    inference = Inference(native, net, ours, cannot)
    give = data.draw(st.permutations(net.inputs))
    for kept in (data.draw(st.sampled_from((0, 1, 2, 4))), 0):  # the second time operands are proven
        compare_inputs(inference, theirs, give, values)
        for name in names:
            outcomes: list[object] = []
            for extract in (lambda: theirs.extract(name), lambda: extract_natively(inference, name, budget)):  # noqa: B023
                try:
                    extract()
                    outcomes.append(None)
                except (nnmicro.RecycledError, nnmicro.ArenaFull, nnmicro.StateError) as error:
                    outcomes.append((type(error), str(error)))
            assert outcomes[0] == outcomes[1]
            assert state_of(ours) == state_of(theirs)
            assert bytes(arenas[0].buffer) == bytes(arenas[1].buffer)
            if outcomes[0] is None and ours._has(net.index(name)):
                np.testing.assert_array_equal(np.array(ours.extract(name).tolist()), values[name])
        assert inference.native.reset(inference.context, kept) == 0
        theirs._clear_in_python(kept)
        assert state_of(ours) == state_of(theirs)
        ours._clear(0)
        theirs._clear(0)


def compare_inputs(
    inference: Inference, theirs: nnmicro.Extractor, names: Sequence[str], values: dict[str, np.ndarray]
) -> None:
    """Give inputs as raw bytes to the one in C, to the other in Python; twice, for the second replaces the first."""
    ours = inference.extractor
    for scale in (2, 1):
        for name in names:
            raw = (values[name] * np.float32(scale)).astype(np.float32).tobytes()
            outcomes = [True, inference.give(name, raw)]
            try:
                theirs.input(name, raw)
            except nnmicro.ArenaFull:
                outcomes[0] = False
            assert outcomes[0] == outcomes[1]
            assert state_of(ours) == state_of(theirs)
            assert bytes(ours.arena.buffer) == bytes(theirs.arena.buffer)


def small_net() -> tuple[nnmicro.Net, dict[str, np.ndarray]]:
    b = Builder("three", (1, 2, 3, 3))
    b.affine(b.input("x"), "a", 2, 1)
    b.relu("a", "b")
    b.add("a", "b", "c")
    b.graph.outputs = ["c"]
    program = lower(b.graph)
    net = nnmicro.Net(write(program, make_plan(program)), nnmicro.Option(backend="reference"))
    return net, {"x": np.arange(18, dtype=np.float32).reshape(1, 2, 3, 3)}


def started(native: host.Library, cannot: set[str] = frozenset()) -> tuple[Inference, nnmicro.Extractor]:
    net, values = small_net()
    ex = net.extractor()
    ex.input("x", values["x"])
    ex._begin("c")
    return Inference(native, net, ex, set(cannot)), ex


def started_with_views(native: host.Library) -> tuple[Inference, nnmicro.Extractor]:
    net = nnmicro.Net(str(model_file("gathered.nnm")), nnmicro.Option(backend="reference"))
    ex = net.extractor()
    ex.input("x", np.ones((1, 4, 4, 4), np.float32))
    ex._begin("y")
    return Inference(native, net, ex, set()), ex


def started_over_an_input(native: host.Library) -> tuple[Inference, nnmicro.Extractor]:
    net = nnmicro.Net(str(model_file("over.nnm")), nnmicro.Option(backend="reference"))
    ex = net.extractor(arena=nnmicro.Arena(2 * net.arena_size))  # at times there is room for both
    ex.input("x", np.ones(net.shape("x"), np.float32))
    ex._begin("y")
    return Inference(native, net, ex, set()), ex


def test_a_budget_ends_it_before_the_layer_that_it_names(native: host.Library) -> None:
    inference, ex = started(native)
    assert inference.run(0, 2, COUNTED, 0) == 0
    assert inference.run(0, 2, COUNTED, 1) == 1
    assert ex._marks[0] & 1 and not ex._marks[1] & 1
    assert inference.run(1, 2, COUNTED, 5) == 3
    assert inference.run(0, 2, COUNTED, 5) == 3  # all done


def test_layers_without_the_mark_are_passed_over(native: host.Library) -> None:
    inference, ex = started(native)
    assert inference.run(0, 2, NEEDED, 5) == 3
    assert not ex._marks[0] & 1


def test_a_layer_that_it_cannot_do_is_left_as_it_is(native: host.Library) -> None:
    inference, ex = started(native, {"binary_op"})
    assert inference.run(0, 2, COUNTED, 5) == -3
    before = state_of(ex)
    assert inference.run(2, 2, COUNTED, 5) == -3
    assert state_of(ex) == before


def test_a_full_arena_changes_nothing(native: host.Library) -> None:
    net, values = small_net()
    ex = net.extractor(arena=nnmicro.Arena(112, 8))
    ex.input("x", values["x"])
    ex._begin("c")
    inference = Inference(native, net, ex, set())
    assert inference.run(0, 2, COUNTED, 5) == -2  # the first layer works in place
    before = state_of(ex)
    assert inference.run(0, 2, COUNTED, 5) == -2
    assert state_of(ex) == before


@pytest.mark.parametrize("start", (started, started_with_views, started_over_an_input))
def test_what_is_proven_is_looked_for_in_the_arena_again(native: host.Library, start: Callable) -> None:
    inference, ex = start(native)
    last = ex.net.n_layers - 1
    begun = [bytes(part) for part in inference.context[ARENA:FIRST_MARKS]]
    block = ex._slots[ex.net.index("x")]
    end = ex.arena.offset(block) + ex.arena.table[6 + 4 * block]
    assert inference.run(0, last, COUNTED, 100) == last + 1
    assert all(mark & PROOFS for mark in inference.context[FIRST_MARKS][: last + 1])
    for size in (*range(16, len(begun[0]), 16), len(begun[0])):
        # The blobs are where they were, the memory is not: what is beyond it is the sanitizer's.
        context = list(inference.context)
        for i, was in enumerate(begun, ARENA):
            context[i] = memoryview(bytearray(was[:size] if i == ARENA else was)).cast(memoryview(context[i]).format)
        done = native.run(context, 0, last, COUNTED, 100)
        assert done < 0 if size < end else size < len(begun[0]) or done == last + 1


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_damaged_arrays_do_no_harm(native: host.Library, data: st.DataObject) -> None:
    inference, ex = data.draw(st.sampled_from((started, started_with_views, started_over_an_input)))(native)
    inference.run(0, 2, COUNTED, data.draw(st.integers(0, 3)))
    guard = bytes(range(64))
    held = []
    context = list(inference.context)
    for i in range(len(context)):
        kind = memoryview(context[i]).format if i else "B"
        raw = bytearray(bytes(context[i]))
        held.append(bytearray(guard + raw + guard))
        context[i] = memoryview(held[-1])[64 : 64 + len(raw)].cast(kind)
    word = st.one_of(st.integers(-3, 40), st.sampled_from((-(2**31), 2**31 - 1, 2**30, 65536, 1 << 20)))
    for _ in range(data.draw(st.integers(1, 4))):
        i = data.draw(st.integers(0, len(context) - 1))
        view = context[i]
        if i == 0:
            view = view.cast("i")
        if not len(view):
            continue
        top = {"B": 255, "h": 2**15 - 1, "i": 2**31 - 1}[view.format]
        low = 0 if top == 255 else -top - 1
        at = data.draw(st.integers(0, len(view) - 1))
        view[at] = max(low, min(top, data.draw(word)))
        if i == FIRST_MARKS:
            view[at] &= ~PROOFS  # nobody else writes these
        if i < ARENA:  # what is proven holds for as long as the model is the same
            for layer in range(len(context[FIRST_MARKS])):
                context[FIRST_MARKS][layer] &= ~PROOFS
    for _ in range(2):
        native.begin(context, data.draw(st.integers(-1, 4)))
        native.run(context, data.draw(st.integers(-1, 4)), data.draw(st.integers(-1, 4)), 2, 3)
        native.reset(context, data.draw(st.integers(0, 7)))
        native.input(context, data.draw(st.integers(-1, 4)), bytes(data.draw(st.sampled_from((0, 71, 72, 96, 256)))))
    assert all(bytes(one[:64]) == guard and bytes(one[-64:]) == guard for one in held)
