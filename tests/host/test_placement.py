"""Placement, and order with placement: valid, never worse than greedy, and against every possibility tried."""

from __future__ import annotations

import copy
import sys
from types import SimpleNamespace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from host_tools.cli.convert import planning_notes
from host_tools.layout import Program
from host_tools.order import rearrange
from host_tools.placement import greedy, place
from host_tools.plan import Block, Plan, lifetimes
from host_tools.planner import make_plan, plan_memory
from tests.host.random_programs import all_orders, programs
from tests.host.test_order import assert_runs, branches


def assert_valid(plan: Plan) -> None:
    """All blocks in the frame, at multiples of 16; no two that live at the same time in one place."""
    for i, one in enumerate(plan.blocks):
        assert one.offset >= 0 and one.offset % 16 == 0 and one.offset + one.nbytes <= plan.size
        for other in plan.blocks[:i]:
            if one.first <= other.last and other.first <= one.last:
                assert one.offset + one.nbytes <= other.offset or other.offset + other.nbytes <= one.offset


def smallest_frame(blocks: list[Block]) -> int:
    """By trying everything: in some smallest frame each block lies on top of those below it that live with it, so that
    stacking the blocks in the order of their offsets gives it."""
    best = sum(block.nbytes for block in blocks)

    def stack(placed: list[tuple[Block, int]], rest: list[Block], height: int) -> None:
        nonlocal best
        if not rest:
            best = min(best, height)
        for block in rest:
            at = max((top for other, top in placed if block.meets(other)), default=0)
            lowest = placed[-1][1] - placed[-1][0].nbytes if placed else 0
            if max(height, at + block.nbytes) < best and at >= lowest:  # in the order of offsets, and still smaller
                others = [other for other in rest if other is not block]
                stack([*placed, (block, at + block.nbytes)], others, max(height, at + block.nbytes))

    stack([], blocks, 0)
    return best


def program_of(blocks: list[tuple[int, int, int]]) -> Plan:
    """A plan whose blocks have these bytes, first and last layers."""
    made = [Block(i, *block) for i, block in enumerate(blocks)]
    last = max(block.last for block in made)
    peak = max(sum(b.nbytes for b in made if b.first <= at <= b.last) for at in range(-1, last + 1))
    return Plan(made, list(range(len(made))), [b.last for b in made], 0, peak, 0, len(made), peak)


# Bytes, first and last layer of blocks for which the greedy search finds 800 bytes and 752 are enough.
HARD = [
    *[(112, -1, 3), (128, 3, 5), (96, 6, 8), (144, 1, 3), (192, 3, 4), (48, 4, 7), (80, 8, 9), (128, 6, 10)],
    *[(128, 8, 9), (96, 1, 5), (96, -1, 1), (192, 4, 7), (48, 5, 7), (192, -1, 0), (80, 2, 4), (112, 0, 1)],
]

# Nine blocks, at most 64 bytes at a time, that do not fit into 64 bytes however they are placed.
GAP = [(32, 0, 0), (32, 0, 2), (32, 1, 1), (16, 2, 4), (16, 2, 5), (16, 3, 4), (16, 3, 5), (32, 5, 6), (32, 6, 6)]

rectangles = st.lists(
    st.tuples(st.integers(1, 6).map(lambda n: 16 * n), st.integers(-1, 6), st.integers(0, 3)).map(
        lambda b: (b[0], b[1], b[1] + b[2])
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(rectangles)
def test_blocks_are_placed_in_the_smallest_frame(blocks: list[tuple[int, int, int]]) -> None:
    plan = program_of(blocks)
    bound = place(plan, seconds=5)
    assert_valid(plan)
    assert plan.size == bound == smallest_frame(plan.blocks)


@settings(max_examples=60, deadline=None)
@given(st.lists(rectangles.map(lambda blocks: blocks[0]), min_size=8, max_size=14))
def test_the_solver_is_never_worse_than_greedy_and_its_bound_holds(blocks: list[tuple[int, int, int]]) -> None:
    plan = program_of(blocks)
    _, greedily = greedy(plan.blocks, plan.live_peak)
    bound = place(plan, seconds=1)
    assert_valid(plan)
    assert plan.live_peak <= bound <= plan.size <= greedily


@settings(max_examples=60, deadline=None)
@given(programs(layers=4))
def test_the_plan_is_the_smallest_of_all_orders_and_places(program: Program) -> None:
    smallest = sys.maxsize
    for order in all_orders(program):
        trial = copy.deepcopy(program)
        rearrange(trial, order)
        blocks = lifetimes(trial).blocks
        assume(len(blocks) <= 8)
        smallest = min(smallest, smallest_frame(blocks))
    plan = plan_memory(program)
    assert_runs(program)
    assert_valid(plan)
    assert plan.lower_bound == plan.size == smallest and plan.optimal


@settings(max_examples=60, deadline=None)
@given(programs(layers=12))
def test_larger_programs_get_valid_plans_within_their_bound(program: Program) -> None:
    greedily = make_plan(copy.deepcopy(program), seconds=0)
    plan = plan_memory(program, seconds=0.5)
    assert_runs(program)
    assert_valid(plan)
    assert plan.lower_bound <= plan.size <= greedily.size
    assert plan.optimal == (plan.size == plan.lower_bound)
    again = lifetimes(program)
    assert (again.live_peak, again.root) == (plan.live_peak, plan.root)
    for index, blob in enumerate(program.blobs):
        assert blob.place == plan.blocks[plan.root[index]].offset


def test_a_bound_above_the_orders_needs_every_order_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nothing could be placed in less than 16 bytes more than its live peak, and the solver had proven that."""

    def stubborn(plan: Plan, seconds: float) -> int:
        place(plan, seconds)
        plan.size = plan.live_peak + 16
        return plan.size

    monkeypatch.setattr("host_tools.planner.place", stubborn)
    plan = plan_memory(branches(2, 2))
    assert plan.optimal and plan.lower_bound == plan.size == plan.live_peak + 16
    monkeypatch.setattr("host_tools.planner.orders_below", lambda *_: None)
    plan = plan_memory(branches(2, 2))
    assert not plan.optimal and plan.lower_bound == plan.live_peak == plan.size - 16


def test_the_solver_closes_the_gap_that_greedy_leaves() -> None:
    plan = program_of(HARD)
    assert greedy(plan.blocks, plan.live_peak)[1] == 800
    assert place(plan, seconds=20) == plan.size == plan.live_peak == 752
    assert_valid(plan)
    offsets = [block.offset for block in plan.blocks]
    place(plan, seconds=20)
    assert [block.offset for block in plan.blocks] == offsets  # repeats exactly


def test_a_frame_above_the_live_peak_is_proven_to_be_the_smallest() -> None:
    plan = program_of(GAP)
    assert place(plan, seconds=20) == plan.size == smallest_frame(plan.blocks) == 80 > plan.live_peak == 64
    assert_valid(plan)


def test_without_the_solver_greedy_answers_and_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host_tools.placement.is_installed", lambda: False)
    plan = program_of(HARD)
    assert place(plan, seconds=20) == 752 and plan.size == 800
    assert_valid(plan)


def test_convert_says_that_a_solver_is_missing_where_it_could_help(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = SimpleNamespace(net=SimpleNamespace(arena_size=800, lower_bound=752))
    assert planning_notes(sizes) == []
    monkeypatch.setattr("host_tools.cli.convert.is_installed", lambda: False)
    (note,) = planning_notes(sizes)
    assert "48 bytes" in note and "pip install ortools" in note
    sizes.net.lower_bound = 800
    assert planning_notes(sizes) == []
