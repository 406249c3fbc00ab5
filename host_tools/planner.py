"""A program's memory planned: order, then places, until no arena can be smaller or the time is over."""

from __future__ import annotations

import copy
import time

from .layout import Program
from .order import STATES, choose_order, orders_below, rearrange
from .placement import place
from .plan import Plan, lifetimes

SECONDS = 5.0
_OTHER_ORDERS = 50


def plan_memory(program: Program, seconds: float = SECONDS, states: int = STATES) -> Plan:
    """Reorder the program for the lowest peak and place its blocks; both are written into it.

    seconds: how long a solver may look for a smaller frame where the greedy search leaves a gap.
    states: how many sets of layers the exact search for the order looks at, before a bounded search takes over.
    """
    stop = time.monotonic() + seconds
    original = copy.deepcopy(program)
    bound = choose_order(program, states)
    plan = make_plan(program, seconds)
    if plan.size == bound:
        return plan
    # No order that could do better may be left out, before a bound above the one for all orders holds.
    orders = orders_below(original, plan.size, _OTHER_ORDERS)
    lowest = plan.size if orders is not None else bound
    for order in orders or ():
        trial = copy.deepcopy(original)
        rearrange(trial, order)
        other = make_plan(trial, max(0.0, stop - time.monotonic()))
        lowest = min(lowest, other.lower_bound)
        if other.size < plan.size:
            plan = other
            program.layers, program.blobs = trial.layers, trial.blobs
    plan.lower_bound = max(bound, lowest)
    return plan


def make_plan(program: Program, seconds: float = SECONDS) -> Plan:
    """Lifetimes and offsets for a program in the order it has, and the bound for that order; writes the offsets into
    it."""
    plan = lifetimes(program)
    plan.lower_bound = place(plan, seconds)
    for index, blob in enumerate(program.blobs):
        blob.place = plan.blocks[plan.root[index]].offset
    for block in plan.blocks:
        if block.blob < 0:
            program.layers[block.first].workspace_place = block.offset
    return plan
