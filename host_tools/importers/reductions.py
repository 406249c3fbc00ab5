"""Reductions of several axes as layers `reduce`, each of which takes one: neighbours together, the others in turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from math import prod

from host_tools.importers.builder import Shape

SUM, MEAN, MAX, MIN, PRODUCT, ABSOLUTE, LENGTH, LOG_SUM, LOG_SUM_EXP, SQUARES = range(10)  # kinds of the layer

# Where axes are reduced one after the other: the kind of all but the last, and of all but the first.
_BEFORE = {LOG_SUM: SUM}
_AFTER = {SQUARES: SUM}


@dataclass(frozen=True)
class Step:
    """One layer: its input seen with shape `view`, of which it reduces the middle axis; `kept` is what comes out."""

    view: Shape
    kind: int

    @property
    def kept(self) -> Shape:
        return self.view[0], 1, self.view[2]


def in_turns(shape: Shape, axes: Iterable[int], kind: int) -> Iterator[Step]:
    """The last axes first; an axis of one element is reduced with its neighbours or alone."""
    reduced = set(axes)
    runs = [(over, prod(shape[a] for a in run)) for over, run in groupby(range(len(shape)), reduced.__contains__)]
    left = [i for i, (over, _) in enumerate(runs) if over]
    step = kind
    while left:
        at = left.pop()
        before, behind = prod(size for _, size in runs[:at]), prod(size for over, size in runs[at + 1 :] if not over)
        yield Step((before, runs[at][1], behind), _BEFORE.get(step, step) if left else step)
        step = _AFTER.get(step, step)
