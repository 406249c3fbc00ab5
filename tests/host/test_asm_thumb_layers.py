"""The loop over the layers of a net in assembler: every array of the inference's state as the interpreter leaves it,
and the demo's network computed as here."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import nnmicro
from host_tools.demo import digits
from host_tools.device import Device, open_device, push_engine
from host_tools.graph import Graph
from host_tools.layout import lower
from host_tools.planner import make_plan
from host_tools.remote.inference import RemoteInference
from host_tools.samples import random_samples
from host_tools.writer import write
from tests.boards import lacking
from tests.host.test_plan import graphs, use_all_views

pytestmark = pytest.mark.slow

# Two inferences, layer by layer: by this backend's loop, then by the interpreter.
PROGRAM = """
import gc, nnmicro
from nnmicro.port import crc32

def traces(path, names, taken):
    gc.collect()
    net = nnmicro.Net(path, nnmicro.Option(backend="asm_thumb"))
    found = []
    for in_machine_code in (True, False):
        arena = nnmicro.Arena(net.arena_size + taken, net.n_blobs + 8)
        if taken:
            arena.alloc(taken)
        ex = net.extractor(arena=arena)
        left_to_the_interpreter = []
        if in_machine_code:
            ex._advance_in_python
            run = ex._run
            ex._run = lambda layer: (left_to_the_interpreter.append(layer), run(layer))
        else:
            ex._layers = False
        trace = []
        def state():
            trace.append([crc32(x) for x in (arena.table, arena.buffer, ex._slots, ex._left, ex._marks, ex._state)])
        for _ in range(2):
            for i, name in enumerate(net.inputs):
                ex.input_view(name).fill(i + 1)
            for name in names:
                try:
                    while ex.step(name):
                        state()
                    trace.append(ex.extract(name).tolist())
                except (nnmicro.RecycledError, nnmicro.ArenaFull, nnmicro.StateError) as error:
                    trace.append(str(error))
                state()
            ex.reset()
            state()
        found.append((trace, left_to_the_interpreter))
        ex.close()
    (ours, left), (theirs, _) = found
    return ours == theirs, len(ours), left
"""


@pytest.fixture(scope="module")
def board() -> Iterator[Device]:
    pytest.importorskip("pty", reason="emulated boards need an operating system with ptys")
    reason = lacking("emu:qemu_cortex_m4f", may_build=True)
    if reason:
        pytest.skip(reason)
    with open_device("emu:qemu_cortex_m4f") as opened:
        assert push_engine(opened).warnings == []
        yield opened


# Unshrunk: a second for each.
@settings(max_examples=30, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(graphs(), st.data())
def test_both_loops_leave_the_same_state(board: Device, made: tuple[Graph, dict], data: st.DataObject) -> None:
    graph, _ = made
    program = lower(graph)
    if data.draw(st.booleans()):
        use_all_views(program)
    model = write(program, make_plan(program, seconds=0.02))
    net = nnmicro.Net(model)
    board.write_file(model, "/random.nnm")
    board.exec(PROGRAM)
    names = list(net.outputs) if data.draw(st.booleans()) else [str(net.name(i)) for i in range(net.n_blobs)]
    taken = data.draw(st.sampled_from((0, 0, 48)))
    same, steps, _ = board.eval(f"traces('/random.nnm', {data.draw(st.permutations(names))!r}, {taken})")
    assert same and steps


def test_the_demo_s_network_is_done_in_machine_code_alone(board: Device) -> None:
    model = digits.quantised()
    board.soft_reset()
    board.write_file(model.data, "/digits.nnm")
    board.exec(PROGRAM)
    assert board.eval(f"traces('/digits.nnm', {list(model.net.outputs)!r}, 0)")[::2] == (True, [])


def test_the_demo_s_network_computes_what_it_does_here(board: Device) -> None:
    """Quantised and dequantised with the FPU, and nothing left on the heap."""
    model = digits.quantised()
    board.soft_reset()
    board.write_file(model.data, "/digits.nnm")
    remote = RemoteInference(board, "/digits.nnm", model, backend="asm_thumb")
    (name,), (output,) = model.net.inputs, model.net.outputs
    samples = random_samples({name: model.specification(name)}, 4, 1)
    for i, sample in enumerate(samples):
        remote.input(name, sample[name])
        assert remote.heap(output) == 0 or not i
        with model.net.extractor() as here:
            here.input(name, sample[name].tobytes())
            expected = np.array(here.extract(output).tolist(), np.float32).ravel()
        np.testing.assert_array_equal(remote.output(output).ravel(), expected)
        remote.reset()
