"""Offsets for items whose parts are taken at times of their own: two may lie over each other where no part of one
meets a part of the other in space and in time. That is how an output grows into the rows its input has given back.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from ..layout import align
from .rings import Item

_ALIGNMENT = 16

# Open intervals of (offset of the other - offset of the one) at which two items collide.
_Forbidden = list[tuple[int, int]]


class Placer:
    """The items' collisions, worked out once; `fit` tries one order."""

    def __init__(self, items: Sequence[Item], known: dict[tuple[int, int], _Forbidden] | None = None) -> None:
        """`known` remembers the collisions of items (by their ids) that the caller keeps alive."""
        self.items = items
        known = {} if known is None else known
        self.sizes = [align(item.nbytes) for item in items]
        self.meets: list[list[tuple[int, _Forbidden]]] = [[] for _ in items]
        for i, one in enumerate(items):
            for j in range(i):
                pair = id(items[j]), id(one)
                if pair not in known:
                    known[pair] = _collisions(items[j], one)
                forbidden = known[pair]
                if forbidden:
                    self.meets[i].append((j, forbidden))
                    self.meets[j].append((i, [(-high, -low) for low, high in reversed(forbidden)]))

    def fit(self, order: Sequence[int]) -> tuple[int, list[int]]:
        """Items one by one at the lowest offset that is free; the size of all, and the offsets."""
        offsets = [-1] * len(self.items)
        size = 0
        for i in order:
            taken = []
            for j, forbidden in self.meets[i]:
                at = offsets[j]
                if at >= 0:
                    taken += [(at + low, at + high) for low, high in forbidden]
            taken.sort()
            lowest = 0
            for low, high in taken:
                if low < lowest < high:
                    lowest = align(high)
            offsets[i] = lowest
            size = max(size, lowest + self.sizes[i])
        return size, offsets

    def orders(self) -> list[list[int]]:
        """Orders worth a try."""
        items = self.items
        every = range(len(items))
        span = [(item.times & -item.times).bit_length() for item in items]
        busy = [item.nbytes * item.times.bit_count() for item in items]
        whole = [len(item.parts) > 1 and item.parts[-1].times != item.parts[0].times for item in items]
        return [
            sorted(every, key=lambda i: (-items[i].nbytes, span[i])),
            sorted(every, key=lambda i: (-items[i].times.bit_length(), -items[i].nbytes)),
            sorted(every, key=lambda i: -busy[i]),
            sorted(every, key=lambda i: (not whole[i], -span[i], -items[i].nbytes)),
            sorted(every, key=lambda i: (-span[i], -items[i].nbytes)),
        ]

    def quick(self) -> tuple[int, list[int]]:
        return min((self.fit(order) for order in self.orders()), key=lambda found: found[0])

    def search(self, trials: int, goal: int = 0) -> tuple[int, list[int]]:
        """The best of the orders and of so many seeded random changes to it, or the first that reaches `goal`."""
        generator = random.Random(0)
        best = current = min(self.orders(), key=lambda order: self.fit(order)[0])
        best_size = current_size = self.fit(best)[0]
        for _ in range(trials):
            if best_size <= goal or len(best) < 2:
                break
            trial = list(current)
            for _ in range(generator.choice((1, 1, 2))):
                moved = trial.pop(generator.randrange(len(trial)))
                trial.insert(generator.randrange(len(trial) + 1), moved)
            size = self.fit(trial)[0]
            if size <= current_size or generator.random() < 0.02:
                current, current_size = trial, size
            if size < best_size:
                best, best_size = trial, size
        return self.fit(best)


def _collisions(one: Item, other: Item) -> _Forbidden:
    if not one.times & other.times:
        return []
    found = []
    for a in one.parts:
        if a.times & other.times:
            for b in other.parts:
                if a.times & b.times:
                    found.append((a.at - b.at - b.nbytes, a.at + a.nbytes - b.at))
    found.sort()
    merged: _Forbidden = []
    for low, high in found:
        # Offsets are multiples of 16: a gap without one is no gap.
        if merged and -(-merged[-1][1] // _ALIGNMENT) * _ALIGNMENT > low:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def lower_bound(items: Sequence[Item]) -> int:
    """The most bytes that are taken at one time: no offsets can do with less."""
    changes: dict[int, int] = {}
    for item in items:
        for part in item.parts:
            times = part.times
            while times:
                start = (times & -times).bit_length() - 1
                run = ~(times >> start)
                end = start + (run & -run).bit_length() - 1
                changes[start] = changes.get(start, 0) + part.nbytes
                changes[end] = changes.get(end, 0) - part.nbytes
                times = times >> end << end
    live = most = 0
    for at in sorted(changes):
        live += changes[at]
        most = max(most, live)
    return most
