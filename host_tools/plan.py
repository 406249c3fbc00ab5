"""The memory plan: when each block lives, in what order layers run, and where blocks lie in the frame.

Lifetimes follow the engine's rules exactly (counts from the graph, shared blocks, in-place outputs), so that the live
peak measured on a device equals the one planned.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from nnmicro import format as f

from .layout import Program, align


@dataclass
class Block:
    """A range of the frame from layer `first` (-1: before any) to layer `last`, both included."""

    blob: int  # the blob it was made for
    nbytes: int
    first: int
    last: int
    offset: int = -1

    def meets(self, other: Block) -> bool:
        return self.first <= other.last and other.first <= self.last


@dataclass
class Plan:
    blocks: list[Block]
    root: list[int]  # for each blob the index of its block
    last: list[int]  # for each blob the last layer at which it is in memory
    size: int
    live_peak: int
    lightmode_off: int
    max_blocks: int

    @property
    def lower_bound(self) -> int:
        """No arena below the live peak can do in this order; it is also the bound that `size` is compared with."""
        return self.live_peak

    @property
    def optimal(self) -> bool:
        return self.size == self.live_peak


def make_plan(program: Program, seconds: float = 2.0) -> Plan:
    """Lifetimes and offsets for a program in the order it has; writes the offsets into its blobs."""
    plan = lifetimes(program)
    place(plan, seconds)
    for index, blob in enumerate(program.blobs):
        blob.place = plan.blocks[plan.root[index]].offset
    return plan


def lifetimes(program: Program) -> Plan:
    """When each block lives, as the engine would run the program, and the live peak. Offsets are still unknown."""
    n = len(program.blobs)
    end = len(program.layers)
    left = [0] * n
    for layer in program.layers:
        for blob in layer.inputs:
            if blob < n:
                left[blob] += 1
    for blob in program.outputs + program.states:
        left[blob] += 1
    blocks: list[Block] = []
    root = [-1] * n
    last = [end] * n
    sharers: list[set[int]] = []

    def new_block(blob: int, at: int) -> None:
        root[blob] = len(blocks)
        blocks.append(Block(blob, align(program.blobs[blob].storage.nbytes), at, end))
        sharers.append({blob})

    def leave(blob: int, at: int) -> None:
        last[blob] = at
        sharers[root[blob]].discard(blob)
        if not sharers[root[blob]]:
            blocks[root[blob]].last = at

    for blob in program.states + program.inputs:
        new_block(blob, -1)
    for at, layer in enumerate(program.layers):
        source = layer.inputs[0]
        over = layer.flags & f.IN_PLACE and left[source] == 1 and len(sharers[root[source]]) == 1
        if layer.flags & f.SHARE or over:
            root[layer.output] = root[source]
            sharers[root[source]].add(layer.output)
        else:
            new_block(layer.output, at)
        for blob in layer.inputs:
            if blob < n:
                left[blob] -= 1
                if left[blob] == 0:
                    leave(blob, at)
        if left[layer.output] == 0:
            leave(layer.output, at)
    peak, count = _most_live(blocks, end)
    off = sum(align(program.blobs[b].storage.nbytes) for b in program.states + program.inputs)
    off += sum(align(program.blobs[step.output].storage.nbytes) for step in program.layers if not step.flags & f.SHARE)
    return Plan(blocks, root, last, 0, peak, off, count)


def _most_live(blocks: list[Block], end: int) -> tuple[int, int]:
    """The most bytes, and the most blocks, that live at one layer."""
    nbytes = [0] * (end + 2)
    counts = [0] * (end + 2)
    for block in blocks:
        for at in range(block.first, block.last + 1):
            nbytes[at + 1] += block.nbytes
            counts[at + 1] += 1
    return max(nbytes), max(counts)


def place(plan: Plan, seconds: float) -> None:
    """Offsets for every block: the best of several greedy orders, then seeded random changes of the best one until
    the lower bound is reached or the time is over."""
    blocks = plan.blocks
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
    stop = time.monotonic() + seconds
    current, current_size = best, best_size
    while best_size > plan.live_peak and time.monotonic() < stop and len(blocks) > 1:
        trial = list(current)
        moved = trial.pop(generator.randrange(len(trial)))
        trial.insert(generator.randrange(len(trial) + 1), moved)
        size = _fit(blocks, neighbours, trial)[1]
        if size <= current_size or generator.random() < 0.01:
            current, current_size = trial, size
        if size < best_size:
            best, best_size = trial, size
    offsets, plan.size = _fit(blocks, neighbours, best)
    for block, offset in zip(blocks, offsets, strict=True):
        block.offset = offset


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
