"""When each row is in memory, for given steps.

Times are numbers of steps, from 1 on; at time 0 are the inputs that are given as a whole. A set of times is an int, a
bit for each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .rows import RowModel
from .schedule import Do


@dataclass
class Life:
    """A tensor's rows: row y is written at `written[y]` (ascending) and needed until `last[y]`."""

    tensor: int
    row_bytes: int
    written: list[int]
    last: list[int]

    @cached_property
    def times(self) -> list[int]:
        """For each row the times at which its memory is its own."""
        return [(1 << end + 1) - (1 << start) for start, end in zip(self.written, self.last, strict=True)]

    @cached_property
    def fewest(self) -> int:
        """The fewest rows of a ring in which no row is overwritten while it is needed."""
        return max(bisect_right(self.written, until) - row for row, until in enumerate(self.last))

    @property
    def rows(self) -> int:
        return len(self.written)


def lives_of(model: RowModel, steps: Sequence[Do]) -> list[Life]:
    """The rows of every tensor that these steps touch."""
    found: dict[int, Life] = {}

    def life(tensor: int) -> Life:
        if tensor not in found:
            at = model.tensors[tensor]
            # Until a step writes it, a row is one that is never there.
            start, end = (0, 0) if tensor in model.given else (len(steps) + 1, len(steps))
            found[tensor] = Life(tensor, at.row_bytes, [start] * at.rows, [end] * at.rows)
        return found[tensor]

    for tensor in model.given:
        life(tensor)
    for time, (index, first, count) in enumerate(steps, 1):
        work = model.work[index]
        for read in work.reads:
            start, end = read.first[first], read.end[first + count - 1]
            if end > start:
                life(read.tensor).last[start:end] = [time] * (end - start)
        if work.state >= 0:
            if first == 0:
                life(work.state).written[0] = time
            life(work.state).last[0] = time
        written = work.written(first, count)
        if written:
            out = life(work.tensor)
            out.written[written.start : written.stop] = [time] * len(written)
            out.last[written.start : written.stop] = [time] * len(written)
    for tensor in model.kept:
        if tensor in found:
            found[tensor].last = [len(steps)] * found[tensor].rows
    return list(found.values())
