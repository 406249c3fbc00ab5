"""Which tensors to cut at and how many rows to make in a call, so that a goal is met best.

Every choice is judged by what it really takes: steps, rings, and offsets. The search is seeded and counts its tries, so
that a model always becomes the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from .costs import Costs
from .lifetimes import lives_of
from .placement import Placer, lower_bound
from .rings import Arrangement, Item
from .rows import RowModel
from .schedule import MANY, Do, Section, schedule

_WIDE = 24  # cuts of which pairs are tried
_STARTS = 3
JUDGEMENTS = 420  # of one search
_TRIALS = 3000  # orders of placement tried for the plan that is taken


@dataclass(frozen=True)
class Choice:
    """Tensors completed before the outputs, and most rows a call for each work (all that are not named: `most`)."""

    cuts: tuple[int, ...] = ()
    most: int = 1
    each: tuple[tuple[int, int], ...] = ()


@dataclass
class Streamed:
    """A choice carried out: steps, and where every tensor lies."""

    choice: Choice
    steps: list[Do]
    items: list[Item]
    offsets: list[int]
    size: int
    bound: int  # no offsets make these steps do with less


Goal = Callable[[int, int], float]  # of bytes and what calls cost beside the work: the smaller, the better


@dataclass
class Search:
    """Tries choices on one model; every result is kept."""

    model: RowModel
    costs: Costs = field(init=False)
    tried: dict[Choice, tuple[int, int]] = field(default_factory=dict)
    bounds: dict[Choice, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.costs = Costs(self.model)

    def steps(self, choice: Choice) -> list[Do]:
        each: Mapping[int, int] = dict(choice.each)
        targets = [*choice.cuts, *(tensor for tensor in self.model.outputs if tensor not in choice.cuts)]
        return schedule(self.model, [Section(target, choice.most, each) for target in targets])

    def bound(self, choice: Choice) -> tuple[int, int]:
        """No offsets make this choice smaller than this; and what its calls cost."""
        if choice not in self.bounds:
            steps = self.steps(choice)
            arrangement = Arrangement(lives_of(self.model, steps), choose=False)
            self.bounds[choice] = lower_bound(arrangement.items()), self.costs.extra(steps)
        return self.bounds[choice]

    def judge(self, choice: Choice) -> tuple[int, int]:
        """Bytes, and what its calls cost."""
        if choice not in self.tried:
            steps = self.steps(choice)
            _, placer = self.arrange(steps)
            self.tried[choice] = placer.quick()[0], self.costs.extra(steps)
        return self.tried[choice]

    def arrange(self, steps: list[Do]) -> tuple[list[Item], Placer]:
        """The items of the arrangement that quick placement makes smallest."""
        arrangement = Arrangement(lives_of(self.model, steps))
        known: dict[tuple[int, int], list[tuple[int, int]]] = {}
        chosen = [0] * len(arrangement.choices)
        best_items = arrangement.items(chosen)
        best = Placer(best_items, known)
        size, bound = best.quick()[0], lower_bound(best_items)
        for group, choices in enumerate(arrangement.choices):
            if size <= bound:
                break
            kept = 0
            for number in range(1, len(choices)):
                chosen[group] = number
                items = arrangement.items(chosen)
                placer = Placer(items, known)
                now = placer.quick()[0]
                if now < size:
                    best_items, best, size, kept = items, placer, now, number
            chosen[group] = kept
        return best_items, best

    def finish(self, choice: Choice) -> Streamed:
        """A choice with offsets that were searched for longer."""
        steps = self.steps(choice)
        items, placer = self.arrange(steps)
        bound = lower_bound(items)
        size, offsets = placer.search(_TRIALS, bound)
        return Streamed(choice, steps, items, offsets, size, bound)

    # The search

    def best(self, goal: Goal, judgements: int = JUDGEMENTS) -> Streamed:
        """What hill climbs from several good starts find best; with no judgements, the best start."""
        starts = self.starts(goal)
        for start in starts:
            self.climb(start, goal, len(self.tried) + judgements // len(starts))
        found = sorted(self.tried, key=lambda choice: goal(*self.tried[choice]))
        finished = [self.finish(choice) for choice in found[:2]]
        return min(finished, key=lambda one: goal(one.size, self.costs.extra(one.steps)))

    def starts(self, goal: Goal) -> list[Choice]:
        """The cuts that promise most by their bounds, and whole tensors; the best first."""
        cuts = cut_candidates(self.model)
        singles = sorted(cuts, key=lambda cut: self.bound(Choice((cut,)))[0])
        tries = [Choice(), *(Choice((cut,)) for cut in singles)]
        tries += [Choice(pair) for pair in combinations(sorted(singles[:_WIDE]), 2)]
        tries.sort(key=lambda choice: (self.bound(choice)[0], len(choice.cuts)))
        # So many rows of what the last layers make, and all that they need at once.
        count = len(self.model.work)
        several = [
            _limited(Choice(tries[0].cuts, rows), dict.fromkeys(range(first), MANY))
            for rows in (2, 3, 4, 6, 8)
            for first in range(count)
        ]
        several.sort(key=lambda choice: goal(*self.bound(choice)))
        # Only what comes before a cut by rows, so many of the cut's at a time.
        heads = [
            Choice((cut,), MANY, ((self.model.producer[cut], rows),)) for cut in cuts for rows in (1, 2, 3, 4, 6, 8)
        ]
        heads.sort(key=lambda choice: goal(*self.bound(choice)))
        best: list[Choice] = []
        for some in (tries[: 4 * _STARTS], several, heads[: 4 * _STARTS]):
            best += sorted(some, key=lambda choice: goal(*self.judge(choice)))[:_STARTS]
        return [*best, Choice(most=MANY)]

    def climb(self, choice: Choice, goal: Goal, most: int) -> Choice:
        """Changes that make it better, one after the other, until none does or `most` choices have been judged."""
        best = goal(*self.judge(choice))
        improved = True
        while improved:
            improved = False
            for trial in self.moves(choice):
                if trial in self.tried and goal(*self.tried[trial]) >= best:
                    continue
                if len(self.tried) >= most:
                    return choice
                if goal(*self.bound(trial)) < best and goal(*self.judge(trial)) < best:
                    choice, best, improved = trial, goal(*self.judge(trial)), True
                    break
        return choice

    def moves(self, choice: Choice) -> list[Choice]:
        """Other choices close to this one, the farther ones first: other rows for a section, other cuts, other rows for
        one work."""
        each = dict(choice.each)
        found = []
        for works in self.sections(choice):
            for rows in (MANY, 8, 6, 4, 3, 2, 1):
                # So many rows of what the section makes in the end, and all that they need at once; or so many of each.
                found.append(_limited(choice, {**each, **dict.fromkeys(works, MANY), works[-1]: rows}))
                found.append(_limited(choice, {**each, **dict.fromkeys(works, rows)}))
        for cut in cut_candidates(self.model):
            found.append(Choice(tuple(sorted({*choice.cuts} ^ {cut})), choice.most, choice.each))
        for index, work in enumerate(self.model.work):
            if not work.whole and work.units > 1:
                now = each.get(index, choice.most)
                others = {1, 4} if now == MANY else {2 * now, now + 1, now - 1, MANY, 1} - {0, now}
                found += [_limited(choice, {**each, index: rows}) for rows in sorted(others, reverse=True)]
        return found

    def sections(self, choice: Choice) -> list[list[int]]:
        """The works between two cuts."""
        ends = sorted(self.model.producer[cut] for cut in choice.cuts)
        bounds = [-1, *ends, len(self.model.work) - 1]
        return [list(range(first + 1, last + 1)) for first, last in pairwise(bounds)]


def _limited(choice: Choice, each: dict[int, int]) -> Choice:
    return Choice(choice.cuts, choice.most, tuple(sorted((w, n) for w, n in each.items() if n != choice.most)))


def cut_candidates(model: RowModel) -> list[int]:
    """Tensors at which the network is one tensor wide: nothing made before them is read after them."""
    last_read: dict[int, int] = {}
    for index, work in enumerate(model.work):
        for read in work.reads:
            last_read[read.tensor] = index
    found = []
    farthest = max((last_read.get(tensor, -1) for tensor in model.given), default=-1)
    for index, work in enumerate(model.work):
        if farthest <= index and index in (model.producer[work.tensor],) and model.tensors[work.tensor].rows > 1:
            found.append(work.tensor)
        farthest = max(farthest, last_read.get(work.tensor, -1))
    return [tensor for tensor in found if tensor not in model.outputs]
