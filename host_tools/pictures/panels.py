"""What a picture of the memory shows, whoever draws it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..layout import Blob, Program, align
from ..plan import Plan
from ..streaming.blocks import Steps

# Eight fills on which black text reads well, neighbours unlike each other also for the colour-blind.
COLOURS = ("#8ecae6", "#ffb703", "#b7e4c7", "#f4978e", "#cdb4db", "#ffd6a5", "#a0c4ff", "#d4d700")


@dataclass
class Box:
    """A range of addresses, from layer `first` (-1: before any) to layer `last`, both included."""

    names: list[str]  # the blobs that lie there, one after another or together
    offset: int
    nbytes: int
    first: int
    last: int
    is_view: bool = False  # it lies over the box of the block that it is in

    @property
    def label(self) -> str:
        return " → ".join(map(short, self.names))


@dataclass
class Panel:
    title: str
    size: int  # bytes of the arena
    bound: int  # a line to compare it with
    bound_name: str
    layers: list[str]
    boxes: list[Box] = field(default_factory=list)


def short(name: str) -> str:
    """Of a name that TensorFlow put together from those of fused layers the last one, without what all have; and
    without what onnxruntime's quantiser adds."""
    last = name.rsplit(";", 1)[-1].removesuffix("_QuantizeLinear_Output")
    return re.sub(r"(/BiasAdd)?/ReadVariableOp(/resource\d*)?$", "", last)


def panels(program: Program, plan: Plan, by_steps: Steps | None = None) -> list[Panel]:
    """By rows where the file is streamed, with lightmode, and without it."""
    whole = [_planned(program, plan), _everything_kept(program, plan)]
    return [_streamed(program, by_steps), *whole] if by_steps else whole


def names_of(program: Program, plan: Plan, with_views: bool = True) -> list[list[str]]:
    """For each block the blobs that are in it, in the order in which they are made."""
    names: list[list[str]] = [[] for _ in plan.blocks]
    for index, blob in sorted(enumerate(program.blobs), key=lambda item: item[1].producer):
        if with_views or not _is_drawn_inside(blob):
            names[plan.root[index]].append(blob.name)
    for block, found in zip(plan.blocks, names, strict=True):
        if block.blob < 0:
            found.append(f"workspace of {program.layers[block.first].name}")
    return names


def _planned(program: Program, plan: Plan) -> Panel:
    panel = Panel("lightmode on", plan.size, plan.lower_bound, "lower bound", [step.name for step in program.layers])
    end = len(program.layers) - 1
    for block, names in zip(plan.blocks, names_of(program, plan, with_views=False), strict=True):
        panel.boxes.append(Box(names, block.offset, block.nbytes, block.first, min(block.last, end)))
    for index, blob in enumerate(program.blobs):
        if _is_drawn_inside(blob):
            at = plan.blocks[plan.root[index]].offset + blob.inside
            last = min(plan.last[index], end)
            panel.boxes.append(Box([blob.name], at, blob.storage.nbytes, blob.producer, last, is_view=True))
    return panel


def _streamed(program: Program, by_steps: Steps) -> Panel:
    """Steps in place of layers; blobs that share a ring lie over each other, a row for a row."""
    plan = by_steps.plan
    panel = Panel("row by row", plan.size, plan.lower_bound, "lower bound", list(by_steps.names))
    for block, names in zip(plan.blocks, names_of(program, plan), strict=True):
        panel.boxes.append(Box(names, block.offset, block.nbytes, block.first, block.last))
    return panel


def _is_drawn_inside(blob: Blob) -> bool:
    """A view has a box over that of its block, but for one whose pixels have others' elements between them."""
    return blob.owner >= 0 and not blob.storage.has_gaps


def _everything_kept(program: Program, plan: Plan) -> Panel:
    """Lightmode off: every blob from where it is made to the end, one above the other and none in another."""
    panel = Panel("lightmode off", plan.lightmode_off, plan.size, "lightmode on", [s.name for s in program.layers])
    box_of: dict[int, Box] = {}
    top = 0
    end = len(program.layers) - 1

    def keep(blob: int, first: int) -> None:
        nonlocal top
        nbytes = align(program.blobs[blob].bytes_alone)
        box_of[blob] = Box([program.blobs[blob].name], top, nbytes, first, end)
        panel.boxes.append(box_of[blob])
        top += nbytes

    for blob in program.states + program.inputs:
        keep(blob, -1)
    for at, step in enumerate(program.layers):
        if step.op == "share":
            box_of[step.output] = box_of[step.inputs[0]]
            box_of[step.output].names.append(program.blobs[step.output].name)
        else:
            keep(step.output, at)
        if step.workspace:
            panel.boxes.append(Box([f"workspace of {step.name}"], top, align(step.workspace), at, at))
    return panel
