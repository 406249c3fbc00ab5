"""What tensors take of memory: whole, in a ring of its own, or several in one ring.

In a ring of R rows lies row y at (y + phase) mod R. Where layers of equal row sizes follow one another, each has a row
more for a moment than the rest of the time; in one ring with phases of their own they pass that row on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from .lifetimes import Life

_TRIES = 2000


@dataclass(frozen=True)
class Member:
    """A tensor in an item: `rows` of its rows are held, row y at (y + phase) mod rows."""

    tensor: int
    rows: int
    phase: int = 0


@dataclass(frozen=True)
class Part:
    """Bytes [at, at + nbytes) of an item are taken during `times`."""

    at: int
    nbytes: int
    times: int


@dataclass
class Item:
    """A range of memory and when which part of it is taken."""

    members: list[Member]
    nbytes: int
    parts: list[Part]
    times: int


def alone(life: Life) -> Item:
    """A tensor by itself, with as few rows as it needs."""
    rows = life.fewest
    return _item([Member(life.tensor, rows)], life.row_bytes, _slots(life, rows))


def together(lives: Sequence[Life]) -> Item | None:
    """Several tensors of one row size in one ring, or None where that takes no less than a ring for each."""
    # Those that hold several rows first: the others fit in between.
    lives = sorted(lives, key=lambda life: life.fewest == 1)
    slots = [_slots(life, 1) for life in lives]
    fewest = max(max(life.fewest for life in lives), _most_rows(lives))
    most = min(sum(life.fewest for life in lives), *(life.rows for life in lives))
    for rows in range(fewest, most):
        slots = [_slots(life, rows) for life in lives]
        phases = _phases(slots, rows)
        if phases is not None:
            members = [Member(life.tensor, rows, phase) for life, phase in zip(lives, phases, strict=True)]
            taken = [0] * rows
            for own, phase in zip(slots, phases, strict=True):
                taken = _with(taken, own, phase)
            return _item(members, lives[0].row_bytes, taken)
    return None


def _slots(life: Life, rows: int) -> list[int]:
    """When each slot of a ring is taken."""
    slots = [0] * rows
    for row, times in enumerate(life.times):
        slots[row % rows] |= times
    return slots


def _most_rows(lives: Sequence[Life]) -> int:
    """The most rows that are needed at one time."""
    changes: dict[int, int] = {}
    for life in lives:
        for start, end in zip(life.written, life.last, strict=True):
            changes[start] = changes.get(start, 0) + 1
            changes[end + 1] = changes.get(end + 1, 0) - 1
    most = now = 0
    for at in sorted(changes):
        now += changes[at]
        most = max(most, now)
    return most


def _with(taken: list[int], own: list[int], phase: int) -> list[int]:
    return [times | own[slot - phase] for slot, times in enumerate(taken)]


def _phases(slots: Sequence[list[int]], rows: int) -> list[int] | None:
    """A phase for each tensor so that no two need a slot at one time; None where so many tries found none."""
    left = _TRIES
    phases: list[int] = []

    def extend(taken: list[int]) -> bool:
        nonlocal left
        if len(phases) == len(slots):
            return True
        own = slots[len(phases)]
        for phase in range(rows if phases else 1):
            left -= 1
            if left < 0:
                return False
            if not any(own[slot - phase] & times for slot, times in enumerate(taken)):
                phases.append(phase)
                if extend(_with(taken, own, phase)):
                    return True
                phases.pop()
        return False

    return phases if extend([0] * rows) else None


def _item(members: list[Member], size: int, slots: list[int]) -> Item:
    parts: list[Part] = []
    for slot, times in enumerate(slots):
        if parts and parts[-1].times == times:
            parts[-1] = Part(parts[-1].at, parts[-1].nbytes + size, times)
        else:
            parts.append(Part(slot * size, size, times))
    return Item(members, len(slots) * size, parts, reduce(or_, slots))


class Arrangement:
    """The items of some lives: tensors of equal row size and height may share a ring, all or those of several rows."""

    def __init__(self, lives: Sequence[Life], choose: bool = True) -> None:
        groups: dict[tuple[int, int], list[Life]] = {}
        self.fixed: list[Item] = []
        for life in lives:
            if choose and life.fewest < life.rows:
                groups.setdefault((life.row_bytes, life.rows), []).append(life)
            else:
                self.fixed.append(alone(life))
        self.choices = [_choices(group) for group in groups.values()]

    def items(self, chosen: Sequence[int] = ()) -> list[Item]:
        items = list(self.fixed)
        for choices, number in zip(self.choices, chosen, strict=True):
            items += choices[number]
        return items


def _choices(group: Sequence[Life]) -> list[list[Item]]:
    singles = {life.tensor: alone(life) for life in group}
    choices = [list(singles.values())]
    several = [life for life in group if life.fewest > 1]
    for lives in (several, group):
        if len(lives) > 1 and (lives is several or len(several) < len(group)):
            ring = together(lives)
            if ring:
                inside = {member.tensor for member in ring.members}
                choices.append([ring, *(item for tensor, item in singles.items() if tensor not in inside)])
    return choices
