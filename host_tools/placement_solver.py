"""Placement as a constraint problem for OR-Tools' CP-SAT: rectangles with fixed times and free addresses."""

from __future__ import annotations

from importlib.util import find_spec

from nnmicro.format import ALIGNMENT

from .plan import Block


def is_installed() -> bool:
    return find_spec("ortools") is not None


def improve(blocks: list[Block], start: list[int], bound: int, seconds: float) -> tuple[list[int], int]:
    """Offsets with the smallest frame that is found from those of `start`, and a bound that no frame can be below.

    `bound`: such a bound that is known already. The same blocks give the same offsets unless the time runs out.
    """
    from ortools.sat.python import cp_model  # takes half a second to import, and is seldom needed

    model = cp_model.CpModel()
    frame = max(offset + block.nbytes for offset, block in zip(start, blocks, strict=True)) // ALIGNMENT
    size = model.new_int_var(bound // ALIGNMENT, frame, "size")
    offsets, times, addresses = [], [], []
    for block, at in zip(blocks, start, strict=True):
        length = block.nbytes // ALIGNMENT
        offset = model.new_int_var(0, frame - length, "")
        model.add(offset + length <= size)
        model.add_hint(offset, at // ALIGNMENT)
        offsets.append(offset)
        times.append(model.new_fixed_size_interval_var(block.first, block.last - block.first + 1, ""))
        addresses.append(model.new_fixed_size_interval_var(offset, length, ""))
    model.add_no_overlap_2d(times, addresses)
    model.add_hint(size, frame)
    model.minimize(size)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.random_seed = 0
    solver.parameters.num_workers = 8
    solver.parameters.interleave_search = True  # repeats exactly, unlike eight threads
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return start, bound
    proven = round(solver.best_objective_bound) * ALIGNMENT
    return [solver.value(offset) * ALIGNMENT for offset in offsets], max(bound, proven)
