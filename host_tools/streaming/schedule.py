"""Steps from choices: rows are made only when something needs them, the deepest layer first.

The choices are the tensors that are completed one after the other (all but the outputs are *cuts*: tensors held whole
between two streamed sections) and how many rows a layer makes in one call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .rows import RowModel

MANY = 1 << 30


class Do(NamedTuple):
    """Work `work` of the model does units [first, first + units)."""

    work: int
    first: int
    units: int


@dataclass(frozen=True)
class Section:
    """A tensor to complete by calls of at most `most` rows, or of as many as `each` says."""

    target: int
    most: int = MANY
    each: Mapping[int, int] = field(default_factory=dict)  # by index of the work

    def limit(self, work: int) -> int:
        return self.each.get(work, self.most)


def schedule(model: RowModel, sections: Sequence[Section], done: Sequence[int] = ()) -> list[Do]:
    """The steps that complete the sections' targets in this order; the tensors in `done` are complete already."""
    run = _Run(model, done)
    for section in sections:
        run.pull(section, section.target, model.tensors[section.target].rows)
    return run.steps


class _Run:
    def __init__(self, model: RowModel, done: Sequence[int]) -> None:
        self.model = model
        self.steps: list[Do] = []
        self.made = [0] * len(model.tensors)  # rows of each tensor
        self.units = [0] * len(model.work)
        for tensor in (*model.given, *done):
            self.made[tensor] = model.tensors[tensor].rows

    def pull(self, section: Section, tensor: int, rows: int) -> None:
        """Make a tensor's rows up to `rows`."""
        model = self.model
        while self.made[tensor] < rows:
            index = model.producer[tensor]
            work = model.work[index]
            first = self.units[index]
            left = work.units - first
            wanted = left if work.state >= 0 else rows - self.made[tensor]
            count = left if work.whole else min(wanted, section.limit(index))
            for read in work.reads:
                self.pull(section, read.tensor, read.end[first + count - 1])
            self.steps.append(Do(index, first, count))
            self.units[index] += count
            if work.state < 0:
                self.made[tensor] += count
            elif self.units[index] == work.units:
                self.made[tensor] = model.tensors[tensor].rows
