"""The streaming plan of a program: what `convert --stream` asks for, and the section of the file that carries it."""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass

from ..graph import ConversionError
from ..layout import Program
from .rows import RowModel, row_model
from .schedule import MANY, Do
from .search import Choice, Goal, Search, Streamed
from .simulate import Place, simulate

AUTO, MAX = "auto", "max"


@dataclass
class StreamPlan:
    """Steps, and where every tensor lies in a frame of `size` bytes."""

    model: RowModel
    steps: list[Do]
    places: dict[int, Place]  # by tensor
    size: int
    live_peak: int  # no offsets make these steps do with less
    fed: tuple[int, ...] = ()  # inputs that are given by rows

    @property
    def calls(self) -> int:
        """Kernel calls of one inference."""
        return sum(self.model.work[step.work].layer >= 0 for step in self.steps)

    def verify(self) -> None:
        """Raises BadPlan unless every row that is read is there."""
        simulate(self.model, self.steps, self.places, self.size)


_SHARE = 0.12  # of the work: what `auto` may spend on calls; by estimates, and so that it stays below a tenth

# Goals: of the frame's bytes, and what calls cost (`costs.py`)


def smallest(size: int, cost: int) -> float:
    """The smallest frame; of equal ones that with the cheapest calls."""
    return size * 1e9 + cost


def affordable(most: float) -> Goal:
    """The smallest frame whose calls cost at most this; a hundredth more has to make the frame an eighth smaller."""
    return lambda size, cost: size * (1 + 12 * max(0.0, cost / most - 1)) + cost / most / 16


def within(room: int) -> Goal:
    """The cheapest calls with a frame of at most `room` bytes."""
    return lambda size, cost: cost if size <= room else size * 1e9 + cost


def stream_plan(program: Program, mode: str = AUTO, fed: Collection[int] = (), room: int | None = None) -> StreamPlan:
    """A plan for `mode`. auto: as small as can be found with calls that cost little beside the work, or, if `room` is
    given, the cheapest calls within so many bytes; max: as small as can be found.

    `fed`: numbers of the inputs that are given by rows. Raises ConversionError for an input that has no rows.
    """
    model = _model(program, fed)
    search = Search(model)
    goal = smallest if mode == MAX else affordable(_SHARE * search.costs.work) if room is None else within(room)
    found = search.best(goal)
    return planned(model, found, tuple(sorted(fed)))


def smallest_plan(program: Program, fed: Collection[int] = ()) -> StreamPlan:
    """The smallest frame that is found quickly, whatever its calls. Raises ConversionError as `stream_plan` does."""
    model = _model(program, fed)
    return planned(model, Search(model).best(smallest, judgements=0), tuple(sorted(fed)))


def whole_plan(program: Program) -> StreamPlan:
    """Every layer in one call, for comparison."""
    model = row_model(program)
    search = Search(model)
    return planned(model, search.finish(Choice(most=MANY)), ())


def _model(program: Program, fed: Collection[int]) -> RowModel:
    model = row_model(program, fed)
    for number in fed:
        blob = program.blobs[program.inputs[number]]
        if model.tensors[model.tensor_of[program.inputs[number]]].rows < 2:
            raise ConversionError(f"input {blob.name} of shape {blob.shape} cannot be fed by rows: it has only one")
    return model


def planned(model: RowModel, found: Streamed, fed: tuple[int, ...]) -> StreamPlan:
    """What a search found as a plan that is proven right."""
    places = {
        member.tensor: Place(offset, member.rows, member.phase)
        for item, offset in zip(found.items, found.offsets, strict=True)
        for member in item.members
    }
    plan = StreamPlan(model, found.steps, places, found.size, found.bound, fed)
    plan.verify()
    return plan


def section(plan: StreamPlan) -> bytes:
    """The section STEPS (`nnmicro/FORMAT.md`)."""
    model, program = plan.model, plan.model.program
    words = [plan.size, plan.live_peak, len(plan.steps), sum(1 << number for number in plan.fed)]
    for blob, tensor in enumerate(model.tensor_of):
        # What no step touches may lie anywhere.
        place = plan.places.get(tensor, Place(0, 1))
        whole = place.rows == model.tensors[tensor].rows
        words += [place.offset, program.blobs[blob].storage.h if whole else place.rows, place.phase]
    states = {work.layer: work.state for work in model.work if work.state in plan.places}
    for layer in range(len(program.layers)):
        if layer in states:
            words += [plan.places[states[layer]].offset, model.tensors[states[layer]].nbytes]
        else:
            words += [-1, 0]
    for step in plan.steps:
        words += [model.work[step.work].layer, step.first, step.units]
    return struct.pack(f"<{len(words)}i", *words)
