"""A program's memory planned: which blobs lie in others, order, then places, until no arena can be smaller or the time
is over."""

from __future__ import annotations

import time

from .layout import Program
from .order import STATES, best_order, choose_order, orders_below, rearrange
from .placement import place
from .plan import Plan, lifetimes
from .views import View, compatible, nested, use_views
from .written_over import candidates, write_over

SECONDS = 5.0
_OTHER_ORDERS = 50
_TRIALS = 200  # of sets of views
_TRIAL_STATES = 2_000  # of the exact search for an order, while such sets are compared


def plan_memory(program: Program, seconds: float = SECONDS, states: int = STATES, views: bool = True) -> Plan:
    """Reorder the program for the lowest peak and place its blocks; both are written into it.

    seconds: how long a solver may look for a smaller frame where the greedy search leaves a gap.
    states: how many sets of layers the exact search for the order looks at, before a bounded search takes over.
    views: blobs may lie in others, so that slices and concatenations copy nothing. They do where the frame is no larger
    for it than that of the program that copies. And depthwise convolutions are written over their input where the frame
    is smaller for it.
    """
    best = program.copy()
    plan = _plan_blocks(best, seconds, states)
    for base in (program, nested(program)) if views else ():
        trial = _with_views(base) if base is not None else None
        if trial is not None:
            other = _plan_blocks(trial, seconds, states)
            if other.size <= plan.size:
                best, plan = trial, other
    trial = _written_over(best) if views else None
    if trial is not None:
        other = _plan_blocks(trial, seconds, states)
        if other.size < plan.size:
            best, plan = trial, other
    program.layers, program.blobs = best.layers, best.blobs
    return plan


def _plan_blocks(program: Program, seconds: float, states: int) -> Plan:
    """Order and places, for the views that the program has."""
    stop = time.monotonic() + seconds
    original = program.copy()
    bound = choose_order(program, states)
    plan = make_plan(program, seconds)
    if plan.size == bound:
        return plan
    # No order that could do better may be left out, before a bound above the one for all orders holds.
    orders = orders_below(original, plan.size, _OTHER_ORDERS)
    lowest = plan.size if orders is not None else bound
    for order in orders or ():
        trial = original.copy()
        rearrange(trial, order)
        other = make_plan(trial, max(0.0, stop - time.monotonic()))
        lowest = min(lowest, other.lower_bound)
        if other.size < plan.size:
            plan = other
            program.layers, program.blobs = trial.layers, trial.blobs
    plan.lower_bound = max(bound, lowest)
    return plan


def _with_views(program: Program) -> Program | None:
    """The program with views that make its peak as low as was found, and with many of them; None where none do.

    One view after the other is taken that makes the program's tallest moments lower, and then, for a copy less, those
    that do not make the peak higher.
    """
    found = compatible(program)
    best = _Trial(program, [])
    trials = _TRIALS
    for is_better in (_is_lower, _is_no_higher):
        taken = True
        while taken and trials > 0:
            taken = False
            for one in reversed([one for one in found if one not in best.chosen][:trials]):
                trials -= 1
                more = _Trial(program, [*best.chosen, one])
                if is_better(more.profile, best.profile):
                    best, taken = more, True
    return best.program if best.chosen else None


def _written_over(program: Program) -> Program | None:
    """The program with depthwise convolutions written over their input, as many as make its peak lower; None where none
    do. One after the other is taken that makes the program's tallest moments fewer."""
    found = candidates(program)
    best = None
    trial, tallest = program, _tallest(program)
    peak = tallest[0]
    taken = bool(found)
    while taken:
        taken = False
        for blob in found:
            other = trial.copy()
            write_over(other, blob)
            rearrange(other, best_order(other, _TRIAL_STATES).layers)
            now = _tallest(other)
            if now < tallest:
                trial, tallest, taken = other, now, True
                found.remove(blob)
                break
        if tallest[0] < peak:
            best, peak = trial, tallest[0]
    return best


def _tallest(program: Program) -> tuple[int, int]:
    """The most bytes that are in memory, and at how many layers."""
    live = lifetimes(program).live()
    return max(live), live.count(max(live))


def _is_lower(profile: list[int], other: list[int]) -> bool:
    return profile < other


def _is_no_higher(profile: list[int], other: list[int]) -> bool:
    return profile[0] <= other[0]


class _Trial:
    """A program with some of its views; `profile` has the bytes in memory at each layer, the most first."""

    def __init__(self, program: Program, chosen: list[View]) -> None:
        self.chosen = chosen
        self.program = program.copy()
        self.profile = [1 << 62]  # where they exclude each other
        if use_views(self.program, chosen):
            rearrange(self.program, best_order(self.program, _TRIAL_STATES).layers)
            self.profile = sorted(lifetimes(self.program).live(), reverse=True)


def make_plan(program: Program, seconds: float = SECONDS) -> Plan:
    """Lifetimes and offsets for a program in the order it has, and the bound for that order; writes the offsets into
    it."""
    plan = lifetimes(program)
    plan.lower_bound = place(plan, seconds)
    for index, blob in enumerate(program.blobs):
        blob.place = plan.blocks[plan.root[index]].offset  # of a view its owner's
    for block in plan.blocks:
        if block.blob < 0:
            program.layers[block.first].workspace_place = block.offset
    return plan
