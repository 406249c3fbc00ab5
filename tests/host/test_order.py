"""The order of layers: the lowest peak of all there are, against every order tried one by one."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import Graph, Quantisation, Tensor
from host_tools.in_place import exchange, overwritable
from host_tools.layout import Blob, Program, Step, plain
from host_tools.order import Memory, best_order, choose_order, orders_below, rearrange
from host_tools.plan import lifetimes
from host_tools.reader import read_program
from nnmicro import format as f
from nnmicro.port import I8
from tests.host.random_programs import ADD, all_orders, programs


def peak_in(program: Program, order: list[int]) -> int:
    """The live peak by the engine's rules, which test_plan.py compares with the engine itself."""
    trial = copy.deepcopy(program)
    rearrange(trial, order)
    return lifetimes(trial).live_peak


def assert_runs(program: Program) -> None:
    """Every layer comes after those it reads, and blobs know which layer makes them."""
    made = {*program.inputs, *program.states}
    for at, step in enumerate(program.layers):
        assert made.issuperset(step.inputs) and program.blobs[step.output].producer == at
        made.add(step.output)
    assert len(made) == len(program.blobs)


@settings(max_examples=200, deadline=None)
@given(programs())
def test_the_peak_is_the_lowest_of_all_orders(program: Program) -> None:
    lowest = min(peak_in(program, order) for order in all_orders(program))
    own = lifetimes(program).live_peak
    bound = choose_order(program)
    assert_runs(program)
    assert lifetimes(program).live_peak == bound == lowest <= own


@settings(max_examples=100, deadline=None)
@given(programs())
def test_the_search_counts_memory_as_the_engine_does(program: Program) -> None:
    memory = Memory(program)
    for order in all_orders(program):
        assert memory.peak(order) == peak_in(program, order)
    assert memory.bound() <= min(memory.peak(order) for order in all_orders(program))


@settings(max_examples=100, deadline=None)
@given(programs())
def test_a_search_cut_short_states_a_bound_that_holds(program: Program) -> None:
    lowest = min(peak_in(program, order) for order in all_orders(program))
    own = lifetimes(program).live_peak
    for states in (0, 2, 5):
        order = best_order(program, states)
        assert order.bound <= lowest <= order.peak <= own
        assert order.peak == peak_in(program, order.layers)


@settings(max_examples=100, deadline=None)
@given(programs())
def test_orders_below_a_size_are_all_of_them(program: Program) -> None:
    orders = list(all_orders(program))
    limit = sorted(peak_in(program, order) for order in orders)[len(orders) // 2] + 1
    wanted = sorted(order for order in orders if peak_in(program, order) < limit)
    found = orders_below(program, limit, len(wanted))
    assert found is None or sorted(found) == wanted
    assert orders_below(program, limit, 10_000) is not None
    assert orders_below(program, limit, len(wanted) - 1) is None


def branches(width: int, depth: int) -> Program:
    """`width` chains side by side, each first wide, then narrow, all joined at the end; the source's order runs them
    layer by layer."""
    program = Program("branches", blobs=[Blob("x", (16,), I8, plain(16, 1))], inputs=[0])

    def layer(inputs: list[int], nbytes: int) -> int:
        program.blobs.append(Blob("", (nbytes,), I8, plain(nbytes, 1), producer=len(program.layers)))
        program.layers.append(Step("", "concat", inputs, len(program.blobs) - 1, [0]))
        return len(program.blobs) - 1

    ends = [0] * width
    for level in range(depth):
        ends = [layer([end], 1600 if level < depth - 1 else 16 * (1 + i)) for i, end in enumerate(ends)]
    program.outputs = [layer(ends, 16)]
    return program


def test_branches_run_one_after_the_other() -> None:
    program = branches(4, 3)
    assert lifetimes(program).live_peak >= 4 * 1600
    choose_order(program)
    # Two blobs of the last branch, and the results of those that have run; the branch with the largest comes last.
    assert lifetimes(program).live_peak == 2 * 1600 + (16 + 32 + 48)


def test_a_long_chain_needs_no_search() -> None:
    program = branches(1, 500)
    choose_order(program, states=0)
    assert lifetimes(program).live_peak == 2 * 1600


def test_a_graph_too_large_for_the_exact_search_still_gets_a_good_order() -> None:
    program = branches(30, 3)
    order = best_order(program, states=100)
    assert order.bound <= order.peak <= 2 * 1600 + 16 + 16 * sum(range(30))
    assert peak_in(program, order.layers) == order.peak < lifetimes(program).live_peak


# In place


def addition(op: str, params: list[int]) -> Program:
    """y = a op b; then a is read again, b not."""
    program = Program("add", blobs=[Blob(name, (64,), I8, plain(64, 1)) for name in "aby"], inputs=[0, 1])
    program.blobs.append(Blob("z", (128,), I8, plain(128, 1)))
    program.layers = [Step("", op, [0, 1], 2, params, f.IN_PLACE), Step("", "concat", [0, 2], 3, [0])]
    program.blobs[2].producer, program.blobs[3].producer = 0, 1
    program.outputs = [3]
    return program


@pytest.mark.parametrize("kind,exchanged", [(0, 0), (1, 7), (2, 2), (3, 8), (4, 4), (5, 5), (7, 1), (8, 3)])
def test_arithmetic_overwrites_the_operand_that_dies(kind: int, exchanged: int) -> None:
    program = addition("binary_op", [kind, 0, 0, 0])
    assert lifetimes(program).live_peak == 64 + 64 + 128 + 64 - 64
    choose_order(program)
    step = program.layers[0]
    assert (step.inputs, step.params[0]) == ([1, 0], exchanged)
    plan = lifetimes(program)
    assert plan.root[2] == plan.root[1] and plan.lightmode_off == 64 * 3 + 128


def test_a_power_cannot_exchange_its_operands() -> None:
    program = addition("binary_op", [6, 0, 0, 0])
    assert overwritable(program, program.layers[0]) == (0,)
    choose_order(program)
    assert program.layers[0].inputs == [0, 1]


def test_a_constant_operand_is_never_overwritten() -> None:
    program = addition("binary_op", [ADD, 0, 0, 0])
    program.layers[0].inputs = [0, 4]  # after four blobs the first constant
    assert overwritable(program, program.layers[0]) == (0,)


@pytest.mark.parametrize("kind", (0, 2, 3, 4))
def test_int8_operands_are_exchanged_with_their_parameters(kind: int) -> None:
    program = addition("binary_int8", [kind, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, -128, 127])
    assert overwritable(program, program.layers[0]) == (0, 1)
    exchange(program.layers[0])
    assert program.layers[0].inputs == [1, 0]
    assert program.layers[0].params == [kind, 20, 4, 5, 6, 1, 2, 3, 7, 8, 9, -128, 127]


def int8_pair(kind: int, again: bool) -> bytes:
    """y = a op b, and where `again` says so, a is read once more behind it, so that only b dies."""
    graph = Graph("pair")
    scale = Quantisation(np.float32([0.5]), np.int32([0]))
    for name, channels in (("a", 3), ("b", 3), ("y", 3), *([("z", 6)] if again else [])):
        graph.tensors[name] = Tensor(name, (1, channels, 5, 4), np.dtype(np.int8), quantisation=scale)
    graph.inputs, graph.outputs = ["a", "b"], ["y", "z"] if again else ["y"]
    zeros = {"a_zero": 3, "b_zero": -7, "output_zero": 2}
    scales = {"a_multiplier": 1_500_000_000, "a_shift": -1, "b_multiplier": 1_200_000_000, "b_shift": 0}
    last = {"output_multiplier": 1_700_000_000, "output_shift": -9 if kind == 2 else -18}
    ends = {"left_shift": 20, "activation_min": -100, "activation_max": 110}
    graph.add("binary_int8", "op", ["a", "b"], ["y"], kind=kind, **zeros, **scales, **last, **ends)
    if again:
        graph.add("concat", "again", ["a", "y"], ["z"], axis=0)
    return to_nnm(graph)


@pytest.mark.parametrize("kind", (0, 2, 3, 4))
def test_exchanged_int8_operands_give_the_same_bytes(kind: int) -> None:
    results = []
    for again in (False, True):
        net = nnmicro.Net(int8_pair(kind, again))
        assert read_program(net).layers[0].inputs == ([1, 0] if again else [0, 1])
        random = np.random.default_rng(7)
        with net.extractor() as ex:
            for name in ("a", "b"):
                ex.input_view(name).assign_bytes(random.integers(-128, 128, 60, np.int8).tobytes())
            results.append(ex.extract("y").tobytes())
    assert results[0] == results[1] and len(set(results[0])) > 20


def test_an_int8_difference_cannot_exchange_its_operands() -> None:
    program = addition("binary_int8", [1, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, -128, 127])
    assert overwritable(program, program.layers[0]) == (0,)
