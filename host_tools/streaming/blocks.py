"""The rows of a streamed file as blocks of memory over its layers, for pictures."""

from __future__ import annotations

from dataclasses import dataclass

from ..layout import Program, align
from ..model_file import ModelFile
from ..plan import Block, Plan
from .lifetimes import lives_of
from .rows import row_model
from .schedule import Do


@dataclass(frozen=True)
class Steps:
    """A plan whose times are steps, and the name of the layer that each works on."""

    plan: Plan
    names: list[str]


def streamed_plan(model: ModelFile, program: Program, plan: Plan) -> Steps | None:
    """What a streamed file holds when, with its steps in place of layers; None for a file of whole tensors.

    A blob is there from the first of its rows to the last time one is read, in the rows that are held of
    it. Several blobs may share a ring. `plan` is that of whole tensors.
    """
    streamed = model.streaming()
    if streamed is None:
        return None
    names = list(model.net.inputs)
    fed = [names.index(name) for name in streamed["fed"]]
    rows = row_model(program, fed)
    work_of = {work.layer: index for index, work in enumerate(rows.work)}
    steps = [Do(work_of[layer], first, count) for layer, first, count in model.steps()]
    lives = {life.tensor: life for life in lives_of(rows, steps)}
    blocks: list[Block] = []
    root = [-1] * len(program.blobs)
    known: dict[tuple[int, int, int], int] = {}
    for blob, tensor in enumerate(rows.tensor_of):
        at = streamed["blobs"][blob]
        life = lives.get(tensor)
        first, last = (min(life.written) - 1, max(life.last) - 1) if life else (-1, -1)
        is_ring = at["rows"] < program.blobs[blob].storage.h
        key = (at["offset"], at["bytes"], -1 if is_ring else tensor)
        if key not in known:
            known[key] = len(blocks)
            blocks.append(Block(blob, align(at["bytes"]), first, last, at["offset"]))
        root[blob] = known[key]
        block = blocks[root[blob]]
        block.first, block.last = min(block.first, first), max(block.last, last)
    size = model.net.arena_size
    ends = [blocks[number].last for number in root]
    found = Plan(
        blocks, root, ends, size, model.net.live_peak, plan.lightmode_off, plan.max_blocks, model.net.lower_bound
    )
    return Steps(
        found, [program.layers[layer].name if layer >= 0 else names[-1 - layer] for layer, _, _ in model.steps()]
    )
