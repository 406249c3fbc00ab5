"""Plays steps on a memory that remembers which row of which tensor each of its bytes belongs to.

This is the proof that a plan is right: every row that a step reads is there as it was written, and what a step writes
is none of what it reads. It knows nothing of how the plan was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .rows import RowModel
from .schedule import Do


class BadPlan(Exception):
    """Steps or places that give wrong numbers; the text says where."""


@dataclass(frozen=True)
class Place:
    """A tensor's memory: row y lies at `offset` + (y + phase) mod rows * the row's bytes."""

    offset: int
    rows: int
    phase: int = 0


def simulate(model: RowModel, steps: Sequence[Do], places: Mapping[int, Place], size: int) -> None:
    """Raises BadPlan unless these steps, with tensors at these places of a frame of `size` bytes, make all outputs."""
    memory = _Memory(model, places, size)
    units = [0] * len(model.work)
    for tensor in model.given:
        memory.write(tensor, range(model.tensors[tensor].rows))
    for number, (index, first, count) in enumerate(steps):
        work = model.work[index]
        where = f"step {number} (work {index}, {count} from {first})"
        if first != units[index] or count < 1 or first + count > work.units or (work.whole and count != work.units):
            raise BadPlan(f"{where}: {units[index]} of {work.units} are done")
        units[index] += count
        reading = [(read.tensor, range(read.first[first], read.end[first + count - 1])) for read in work.reads]
        if work.state >= 0 and first:
            reading.append((work.state, range(1)))
        for tensor, rows in reading:
            memory.check(tensor, rows, where)
        written = work.written(first, count)
        if len(written) > places[work.tensor].rows:
            raise BadPlan(f"{where}: writes {len(written)} rows into a ring of {places[work.tensor].rows}")
        memory.write(work.tensor, written)
        # What is written must not lie over what is still read in the same step.
        for tensor, rows in reading:
            memory.check(tensor, rows, where)
        if work.state >= 0:
            memory.write(work.state, range(1))
            memory.check(work.tensor, written, where)
    for tensor in model.kept:
        memory.check(tensor, range(model.tensors[tensor].rows), "the end")


class _Memory:
    def __init__(self, model: RowModel, places: Mapping[int, Place], size: int) -> None:
        self.model = model
        self.places = places
        self.owner = np.full(size, -1, np.int64)
        self.first = np.cumsum([0, *(tensor.rows for tensor in model.tensors)])

    def _slices(self, tensor: int, rows: range) -> list[tuple[int, slice]]:
        found: list[tuple[int, slice]] = []
        if not rows:
            return found
        place, size = self.places[tensor], self.model.tensors[tensor].row_bytes
        for row in rows:
            start = place.offset + (row + place.phase) % place.rows * size
            if start < 0 or start + size > len(self.owner):
                raise BadPlan(f"row {row} of tensor {tensor} lies outside the frame")
            found.append((int(self.first[tensor]) + row, slice(start, start + size)))
        return found

    def write(self, tensor: int, rows: range) -> None:
        for tag, where in self._slices(tensor, rows):
            self.owner[where] = tag

    def check(self, tensor: int, rows: range, where: str) -> None:
        for tag, at in self._slices(tensor, rows):
            if not (self.owner[at] == tag).all():
                raise BadPlan(f"{where}: row {rows[0]} or a later one of tensor {tensor} is not there any more")
