"""Where blocks lie in the frame: greedy orders and changes of the best one, then a solver where those leave a gap."""

from __future__ import annotations

import random

from .placement_solver import improve, is_installed
from .plan import Block, Plan

_CHANGES = 300


def place(plan: Plan, seconds: float) -> int:
    """Offsets for every block, and the plan's size; within so many seconds where the greedy search leaves a gap.

    Returns what is proven: no frame below so many bytes can hold these blocks.
    """
    blocks, bound = plan.blocks, plan.live_peak
    offsets, plan.size = greedy(blocks, bound)
    if plan.size > bound and seconds > 0 and is_installed():
        offsets, bound = improve(blocks, offsets, bound, seconds)
        plan.size = max(offset + block.nbytes for offset, block in zip(offsets, blocks, strict=True))
    for block, offset in zip(blocks, offsets, strict=True):
        block.offset = offset
    return bound


def greedy(blocks: list[Block], bound: int) -> tuple[list[int], int]:
    """Offsets and size: the best of several orders in which blocks are put at the lowest free offset, then seeded
    changes of the best one until the bound is reached."""
    orders = [
        sorted(range(len(blocks)), key=key)
        for key in (
            lambda i: (-blocks[i].nbytes, blocks[i].first),
            lambda i: (blocks[i].first, -blocks[i].nbytes),
            lambda i: (-(blocks[i].last - blocks[i].first), -blocks[i].nbytes),
            lambda i: (-blocks[i].nbytes * (blocks[i].last - blocks[i].first + 1), blocks[i].first),
        )
    ]
    neighbours = [
        [j for j, other in enumerate(blocks) if j != i and block.meets(other)] for i, block in enumerate(blocks)
    ]
    best = min(orders, key=lambda order: _fit(blocks, neighbours, order)[1])
    best_size = _fit(blocks, neighbours, best)[1]
    generator = random.Random(0)
    current, current_size = best, best_size
    for _ in range(_CHANGES if len(blocks) > 1 else 0):
        if best_size <= bound:
            break
        trial = list(current)
        moved = trial.pop(generator.randrange(len(trial)))
        trial.insert(generator.randrange(len(trial) + 1), moved)
        size = _fit(blocks, neighbours, trial)[1]
        if size <= current_size or generator.random() < 0.01:
            current, current_size = trial, size
        if size < best_size:
            best, best_size = trial, size
    return _fit(blocks, neighbours, best)


def _fit(blocks: list[Block], neighbours: list[list[int]], order: list[int]) -> tuple[list[int], int]:
    """Put blocks one by one at the lowest offset that is free among those already there; the offsets and the size."""
    offsets = [-1] * len(blocks)
    size = 0
    for i in order:
        taken = sorted((offsets[j], offsets[j] + blocks[j].nbytes) for j in neighbours[i] if offsets[j] >= 0)
        at = 0
        for start, stop in taken:
            if start - at >= blocks[i].nbytes:
                break
            at = max(at, stop)
        offsets[i] = at
        size = max(size, at + blocks[i].nbytes)
    return offsets, size
