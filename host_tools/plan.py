"""The memory plan: when each block lives, and what that says about the arena.

Lifetimes follow the engine's rules exactly (counts from the graph, shared blocks, in-place outputs), so that the live
peak measured on a device equals the one planned.
"""

from __future__ import annotations

from dataclasses import dataclass

from nnmicro import format as f

from .layout import Program, align


@dataclass
class Block:
    """A range of the frame from layer `first` (-1: before any) to layer `last`, both included."""

    blob: int  # the blob it was made for; -1: workspace of layer `first`
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
    lightmode_off: int  # bytes with every blob kept, and none in another
    max_blocks: int

    lower_bound: int  # proven: no arena below this can do, whatever the order and the places

    def live(self) -> list[int]:
        """Bytes in memory before any layer, at each layer, and at the end."""
        return _live(self.blocks)[0]

    @property
    def optimal(self) -> bool:
        return self.size == self.lower_bound


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
        blocks.append(Block(blob, program.blobs[blob].block_bytes, at, end))
        sharers.append({blob})

    def share(source: int, blob: int) -> None:
        root[blob] = root[source]
        sharers[root[source]].add(blob)

    def leave(blob: int, at: int) -> None:
        last[blob] = at
        sharers[root[blob]].discard(blob)
        if not sharers[root[blob]]:
            blocks[root[blob]].last = at

    for blob in program.states + program.inputs:
        new_block(blob, -1)
    for at, layer in enumerate(program.layers):
        source, out = layer.inputs[0], layer.output
        owner = program.blobs[out].owner
        if layer.flags & f.SHARE:
            share(source, out)
        elif root[out] >= 0:
            pass  # it has a block since the first blob that is gathered in it was made
        elif layer.flags & f.IN_PLACE and left[source] == 1 and len(sharers[root[source]]) == 1:
            share(source, out)
        elif owner >= 0:
            if root[owner] < 0:
                new_block(owner, at)
            share(owner, out)
        else:
            new_block(out, at)
        if layer.workspace:
            blocks.append(Block(-1, align(layer.workspace), at, at))
            sharers.append(set())
        for blob in layer.inputs:
            if blob < n:
                left[blob] -= 1
                if left[blob] == 0:
                    leave(blob, at)
        if left[layer.output] == 0:
            leave(layer.output, at)
    peak, count = map(max, _live(blocks))
    return Plan(blocks, root, last, 0, peak, _everything_kept(program), count, peak)


def _everything_kept(program: Program) -> int:
    """The most bytes in memory with lightmode off, if no blob lay in another."""
    kept = sum(align(program.blobs[b].storage.nbytes) for b in program.states + program.inputs)
    most = kept
    for step in program.layers:
        if step.op != "share":
            blob = program.blobs[step.output]
            # What would be written over has the block, and the other one gets one of its own.
            over = blob.owner >= 0 and program.blobs[blob.owner].reach
            kept += program.blobs[blob.owner].block_bytes if over else align(blob.bytes_alone)
        most = max(most, kept + align(step.workspace))
    return most


def _live(blocks: list[Block]) -> tuple[list[int], list[int]]:
    """The bytes, and the blocks, that live at each layer."""
    times = 2 + max((block.last for block in blocks), default=-1)
    nbytes, counts = [0] * times, [0] * times
    for block in blocks:
        for at in range(block.first, block.last + 1):
            nbytes[at + 1] += block.nbytes
            counts[at + 1] += 1
    return nbytes, counts
