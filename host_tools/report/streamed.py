"""The memory map of a model that runs row by row: a box for each row, or for rows that come and go together."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence

from nnmicro import format as f

from ..layout import Program
from ..model_file import ModelFile
from ..pictures.panels import Box, Panel, short
from ..streaming.lifetimes import Life, lives_of
from ..streaming.lines import by_lines
from ..streaming.plan import smallest_plan
from ..streaming.rows import RowModel, row_model
from ..streaming.schedule import Do
from ..streaming.simulate import Place

_MOST_BOXES = 6000  # more than these nobody can look at, and no phone draws


def panel(model: ModelFile, program: Program) -> Panel:
    """Of a streamed file how it runs; of another one the smallest that a quick search finds for it."""
    if model.net.steps_at:
        return _drawn("streamed", *_of_file(model, program))
    program = copy.deepcopy(program)
    by_lines(program)
    found = smallest_plan(program)
    return _drawn("streamed, if converted with --stream max", found.model, found.steps, found.places, found.size)


def _of_file(model: ModelFile, program: Program) -> tuple[RowModel, list[Do], dict[int, Place], int]:
    net, w = model.net, model.net.words
    fed: Collection[int] = [i for i in range(net.n_inputs) if w[net.steps_at + f.T_FED] >> i & 1]
    rows = row_model(program, fed)
    at = net.steps_at + f.STEPS_HEADER_WORDS
    places: dict[int, Place] = {}
    for blob, tensor in enumerate(rows.tensor_of):
        offset, count, phase = (w[at + f.PLACE_WORDS * blob + i] for i in range(f.PLACE_WORDS))
        places[tensor] = Place(offset, min(count, rows.tensors[tensor].rows), phase)
    states = at + f.PLACE_WORDS * net.n_blobs
    index_of = {work.layer: index for index, work in enumerate(rows.work)}
    for layer in range(net.n_layers):
        offset = w[states + f.STATE_WORDS * layer]
        if offset >= 0:
            places[rows.work[index_of[layer]].state] = Place(offset, 1)
    first = states + f.STATE_WORDS * net.n_layers
    steps = []
    for i in range(w[net.steps_at + f.T_STEPS]):
        layer, start, count = (w[first + f.STEP_WORDS * i + word] for word in range(f.STEP_WORDS))
        steps.append(Do(index_of[layer], start, count))
    return rows, steps, places, int(net.arena_size)


def _drawn(title: str, model: RowModel, steps: Sequence[Do], places: Mapping[int, Place], size: int) -> Panel:
    names = _names(model)
    made = Panel(title, size, size, "arena", [_step_name(model, step) for step in steps])
    lives = [life for life in lives_of(model, steps) if life.tensor in places]
    for life in lives:
        made.boxes += _by_rows(life, places[life.tensor], names[life.tensor], len(steps))
    if len(made.boxes) > _MOST_BOXES:
        made.boxes = [_whole(life, places[life.tensor], names[life.tensor], len(steps)) for life in lives]
    return made


def _names(model: RowModel) -> dict[int, str]:
    names: dict[int, str] = {}
    for blob, tensor in enumerate(model.tensor_of):
        names.setdefault(tensor, model.program.blobs[blob].name)
    for work in model.work:
        if work.state >= 0:
            names[work.state] = f"sums of {model.program.layers[work.layer].name}"
    return names


def _step_name(model: RowModel, step: Do) -> str:
    work = model.work[step.work]
    if work.layer < 0:
        name = f"{model.program.blobs[model.program.inputs[-1 - work.layer]].name} is given"
    else:
        name = short(model.program.layers[work.layer].name)
    return name if work.units == 1 else f"{name}, {_rows(step.first, step.units)} of {work.units}"


def _rows(first: int, count: int) -> str:
    return f"row {first + 1}" if count == 1 else f"rows {first + 1}–{first + count}"


def _by_rows(life: Life, place: Place, name: str, steps: int) -> list[Box]:
    """Rows that lie one after the other and have the same times make one box."""
    boxes: list[Box] = []
    start = 0
    for row in range(1, life.rows + 1):
        together = (
            row < life.rows
            and (life.written[row], life.last[row]) == (life.written[start], life.last[start])
            and (row + place.phase) % place.rows != 0
        )
        if not together:
            if life.written[start] <= life.last[start]:
                label = name if row - start == life.rows else f"{name}, {_rows(start, row - start)}"
                offset = place.offset + (start + place.phase) % place.rows * life.row_bytes
                size = (row - start) * life.row_bytes
                boxes.append(Box([label], offset, size, life.written[start] - 1, min(life.last[start], steps) - 1))
            start = row
    return boxes


def _whole(life: Life, place: Place, name: str, steps: int) -> Box:
    first, last = min(life.written), max(life.last)
    return Box([name], place.offset, place.rows * life.row_bytes, min(first, steps) - 1, min(last, steps) - 1)
