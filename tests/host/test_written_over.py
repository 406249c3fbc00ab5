"""Depthwise convolutions written over their input: the same bytes as apart, in less memory, and nothing too early."""

from __future__ import annotations

import copy
import shutil

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import nnmicro
from firmware.native import host
from host_tools.graph import Graph
from host_tools.layout import Program, Step, lower
from host_tools.order import Memory
from host_tools.plan import lifetimes
from host_tools.planner import make_plan, plan_memory
from host_tools.reader import read_program
from host_tools.views import without_views
from host_tools.writer import write
from host_tools.written_over import candidates, distance, write_over
from nnmicro import format as f
from nnmicro.port import F32
from tests.host.random_programs import all_orders
from tests.host.test_native_run import Inference, extract_natively, state_of
from tests.models import model_file
from tests.models.depthwise_networks import Bottleneck, Window, network, networks
from tests.ulab.installed import installed


def write_all_over(program: Program) -> int:
    """Whether or not it is of use; how many could be."""
    found = 0
    while candidates(program):
        write_over(program, candidates(program)[0])
        found += 1
    return found


def loaded(program: Program, backend: str = "reference") -> nnmicro.Net:
    return nnmicro.Net(write(program, make_plan(program, seconds=0.1)), nnmicro.Option(backend=backend))


def give(net: nnmicro.Net, ex: nnmicro.Extractor) -> None:
    random = np.random.default_rng(5)
    for name in net.inputs:
        kind = np.float32 if net.words[net.record(net.index(name))] & 0xFF == F32 else np.int8
        ex.input_view(name).assign_bytes(random.integers(-3, 4, net.shape(name)).astype(kind).tobytes())


def results(net: nnmicro.Net, names: list[str], **options: object) -> dict[str, bytes]:
    """What these blobs hold, as they come, and once more in the end."""
    with net.extractor(**options) as ex:
        give(net, ex)
        blobs = {name: ex.extract(name) for name in names}
        found = {name: blob.tobytes() for name, blob in blobs.items()}
        assert found == {name: blob.tobytes() for name, blob in blobs.items()}
        return found


def everything(program: Program) -> dict[str, bytes]:
    """What all blobs hold when none is written over another."""
    return results(loaded(copy.deepcopy(program)), [blob.name for blob in program.blobs], lightmode=False)


# How far apart


def depthwise(program: Program) -> list[Step]:
    return [s for s in program.layers if s.op == "depthwise_int8" or (s.op == "convolution" and s.params[8] > 1)]


class Bytes:
    """Memory in which it is known which bytes of the input a layer has not overwritten yet."""

    def __init__(self, program: Program, step: Step, apart: int) -> None:
        self.step = step
        self.x, self.y = (program.blobs[b].storage for b in (self.step.inputs[0], self.step.output))
        self.is_float = program.blobs[self.step.output].dtype == F32
        self.item = 4 if self.is_float else 1
        self.apart = apart
        self.is_there = np.ones(self.apart + self.x.nbytes + self.y.nbytes, bool)

    def at(self, storage: object, channels: range, row: int) -> np.ndarray:
        """Where the bytes of a row's elements lie from the tensor's first one on."""
        c, x, byte = np.ogrid[channels.start : channels.stop, : storage.w, : self.item]
        return (c * storage.cstep + row * storage.rstep + x * storage.pstep + byte).ravel()

    def survives(self) -> bool:
        """Whether each row of the input is whole whenever a row of the output is made that reads it."""
        kernel, stride, dilation, pad = (self.step.params[i] for i in (0, 2, 4, 6))
        groups = [range(c, c + 1) for c in range(self.y.c)] if self.is_float else [range(self.y.c)]
        for channels in groups:
            for row in range(self.y.h):
                for read in range(row * stride - pad, row * stride - pad + kernel * dilation, dilation):
                    if 0 <= read < self.x.h and not self.is_there[self.apart + self.at(self.x, channels, read)].all():
                        return False
                # What is read with this row may not go with it, either: kernels write before they have read it all.
                mine = self.at(self.y, channels, row)
                for read in range(row * stride - pad, row * stride - pad + kernel * dilation, dilation):
                    if 0 <= read < self.x.h and np.isin(self.apart + self.at(self.x, channels, read), mine).any():
                        return False
                self.is_there[mine] = False
        return True


@settings(max_examples=300, deadline=None)
@given(networks())
def test_the_distance_suffices(graph: Graph) -> None:
    program = lower(graph)
    for step in depthwise(program):
        memory = Bytes(program, step, distance(program, step))
        assert memory.apart % 16 == 0 and memory.survives()


@pytest.mark.parametrize("int8", (True, False))
@pytest.mark.parametrize("channels", (2, 5, 16))
@pytest.mark.parametrize(
    "kernel,stride,pad", [(3, 1, 1), (3, 2, 1), (3, 1, 0), (5, 1, 2), (5, 2, 2), (3, 2, 0), (2, 1, 0), (1, 1, 0)]
)
def test_a_row_less_does_not(int8: bool, channels: int, kernel: int, stride: int, pad: int) -> None:
    window = Window(kernel, stride, 1, pad)
    program = lower(network(int8, (2, 12, 8), [Bottleneck(channels, window, window, 2)]))
    (step,) = depthwise(program)
    enough = distance(program, step)
    assert enough > 0 and Bytes(program, step, enough).survives()
    for less in range(16, enough + 1, 16):
        assert not Bytes(program, step, enough - less).survives()


@settings(max_examples=200, deadline=None)
@given(networks())
def test_the_engine_takes_that_distance_and_no_less(graph: Graph) -> None:
    program = lower(graph)
    assume(write_all_over(program))
    loaded(program)
    for blob in program.blobs:
        if blob.owner >= 0 and blob.inside >= 16:
            blob.inside -= 16
            with pytest.raises(nnmicro.ModelError, match="written over what it still reads"):
                loaded(program)
            blob.inside += 16


# The same bytes


@settings(max_examples=120, deadline=None)
@given(networks(), st.data())
def test_every_backend_gives_the_bytes_of_blobs_apart(graph: Graph, data: st.DataObject) -> None:
    program = lower(graph)
    names = [blob.name for blob in program.blobs]
    expected = everything(program)
    assume(write_all_over(program))
    for backend in ("reference", "vector"):
        net = loaded(program, backend)
        outputs = list(net.outputs)
        assert results(net, outputs) == {name: expected[name] for name in outputs}
        assert results(net, names, lightmode=False) == expected
        asked = data.draw(st.permutations(names))
        kept = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=2))
        arena = nnmicro.Arena(1 << 16)
        wanted = [*outputs, *kept]
        assert results(net, wanted, keep=kept, arena=arena) == {name: expected[name] for name in wanted}
        assert results(net, asked[:1] + outputs, arena=arena) == {name: expected[name] for name in asked[:1] + outputs}
        assert results(net, asked[:1], outputs=asked[:1]) == {asked[0]: expected[asked[0]]}
        assert arena.used == 0


def test_the_vector_backend_needs_no_more_than_ulab_has() -> None:
    with installed():
        assert nnmicro.Net(str(model_file("over.nnm")), nnmicro.Option(backend="vector")).selftest() == 1


@settings(max_examples=60, deadline=None)
@given(networks())
def test_what_is_held_is_not_written_over(graph: Graph) -> None:
    program = lower(graph)
    expected = everything(program)
    assume(write_all_over(program))
    net = loaded(program)
    for blob in program.blobs:
        arena = nnmicro.Arena(1 << 16)
        if blob.owner >= 0:
            ex = net.extractor(arena=arena)
            give(net, ex)
            held = ex.extract(blob.name).hold()
            for name in net.outputs:
                assert ex.extract(name).tobytes() == expected[name]
            ex.reset()
            give(net, ex)
            assert [ex.extract(name).tobytes() for name in net.outputs] == [expected[name] for name in net.outputs]
            ex.close()
            assert held.tobytes() == expected[blob.name]
            held.release()
            assert arena.used == arena.live == 0


@pytest.fixture(scope="module")
def native() -> host.Library:
    if shutil.which("gcc") is None:
        pytest.skip("compiling the kernels needs gcc")
    return host.sanitized()


@settings(max_examples=150, deadline=None)
@given(networks(), st.data())
def test_the_loop_in_c_gives_them_and_leaves_the_same_state(
    native: host.Library, graph: Graph, data: st.DataObject
) -> None:
    program = lower(graph)
    names = [blob.name for blob in program.blobs]
    expected = everything(program)
    assume(write_all_over(program))
    net = loaded(program)
    lightmode = data.draw(st.booleans())
    keep = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=1))
    room = data.draw(st.sampled_from((0, 32, 4096)))
    arenas = [nnmicro.Arena((net.arena_size if lightmode else net.lightmode_off_size) + room, 64) for _ in range(2)]
    ours, theirs = (net.extractor(lightmode=lightmode, keep=keep, arena=arena) for arena in arenas)
    cannot = set(data.draw(st.sets(st.sampled_from(sorted(net.op_names)))))
    inference = Inference(native, net, ours, cannot)
    give(net, ours)
    give(net, theirs)
    for name in [*data.draw(st.lists(st.sampled_from(names), max_size=2)), *net.outputs]:
        outcomes: list[object] = []
        for extract in (lambda: theirs.extract(name), lambda: extract_natively(inference, name, 100)):  # noqa: B023
            try:
                extract()
                outcomes.append(None)
            except (nnmicro.RecycledError, nnmicro.ArenaFull, nnmicro.StateError) as error:
                outcomes.append((type(error), str(error)))
        assert outcomes[0] == outcomes[1]
        assert state_of(ours) == state_of(theirs)
        assert bytes(arenas[0].buffer) == bytes(arenas[1].buffer)
        if outcomes[0] is None:
            assert ours.extract(name).tobytes() == expected[name]
    if lightmode and not keep and all(outcome is None for outcome in outcomes) and room == 0:
        assert ours.placement == theirs.placement


# Memory


@settings(max_examples=100, deadline=None)
@given(networks())
def test_the_engine_takes_the_memory_that_is_planned(graph: Graph) -> None:
    program = lower(graph)
    assume(write_all_over(program))
    plan = make_plan(program, seconds=0.2)
    for one in plan.blocks:
        for other in plan.blocks:
            assert (
                one is other
                or not one.meets(other)
                or (one.offset + one.nbytes <= other.offset or other.offset + other.nbytes <= one.offset)
            )
    net = nnmicro.Net(write(program, plan), nnmicro.Option(backend="reference"))
    for lightmode, peak in ((True, plan.live_peak), (False, plan.lightmode_off)):
        with net.extractor(lightmode=lightmode) as ex:
            give(net, ex)
            for name in net.outputs:
                ex.extract(name)
            assert ex.arena.live_peak == peak
            assert not lightmode or ex.placement == "plan"


@settings(max_examples=60, deadline=None)
@given(networks())
def test_the_search_for_an_order_counts_it(graph: Graph) -> None:
    program = lower(graph)
    assume(write_all_over(program) and len(program.layers) <= 8)
    memory = Memory(program)
    for order in all_orders(program):
        trial = copy.deepcopy(program)
        trial.layers = [trial.layers[i] for i in order]
        for at, step in enumerate(trial.layers):
            trial.blobs[step.output].producer = at
        assert memory.peak(order) == lifetimes(trial).live_peak
        assert memory.bound() <= memory.peak(order)


@settings(max_examples=80, deadline=None)
@given(networks())
def test_a_plan_is_never_larger_for_it(graph: Graph) -> None:
    program = lower(graph)
    expected = everything(program)
    apart = plan_memory(copy.deepcopy(program), seconds=0.2, views=False)
    plan = plan_memory(program, seconds=0.2)
    assert plan.lower_bound <= plan.size <= apart.size
    over = [step for step in program.layers if step.flags & f.OVER]
    assert not over or plan.size < apart.size
    net = nnmicro.Net(write(program, plan), nnmicro.Option(backend="reference"))
    assert results(net, list(net.outputs)) == {name: expected[name] for name in net.outputs}


@settings(max_examples=60, deadline=None)
@given(networks())
def test_it_is_undone_for_streaming(graph: Graph) -> None:
    program = lower(graph)
    wanted = copy.deepcopy(program)
    assume(write_all_over(program))
    again = without_views(read_program(loaded(program)))
    assert [(b.storage, b.owner, b.inside, b.reach) for b in again.blobs] == [
        (b.storage, -1, 0, 0) for b in wanted.blobs
    ]
    assert again.layers == wanted.layers


@pytest.mark.parametrize("int8", (True, False))
def test_a_bottleneck_takes_its_widest_blob_and_a_few_rows(int8: bool) -> None:
    """16 x 12 pixels: 4 channels become 24 and 4 again."""
    item = 1 if int8 else 4
    window = Window()
    program = lower(network(int8, (4, 16, 12), [Bottleneck(24, window, window, 4)]))
    apart = plan_memory(copy.deepcopy(program), views=False)
    assert apart.size == 2 * 24 * 16 * 12 * item
    plan = plan_memory(program)
    assert [step.op for step in program.layers if step.flags & f.OVER] == ["depthwise_int8" if int8 else "convolution"]
    # Two rows: of all channels in int8, of one in float32. Then what is made narrow, or was before.
    rows = 2 * 12 * (24 if int8 else 4)
    assert plan.size == plan.lower_bound == (24 + 4) * 16 * 12 * item + rows


def test_nothing_is_written_over_that_makes_no_plan_smaller() -> None:
    """A network whose peak is the first layer's."""
    program = lower(network(True, (40, 16, 12), [Bottleneck(32, Window(), Window(), 2)]))
    plan = plan_memory(program)
    assert candidates(program) and plan.size == (40 + 32) * 16 * 12
    assert not any(step.flags & f.OVER for step in program.layers)
