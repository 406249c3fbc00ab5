"""What `convert --stream` does with a program: a plan for whole tensors, and steps where they are worth it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..graph import ConversionError
from ..layout import Program
from ..plan import Plan
from ..planner import plan_memory
from ..views import without_views
from .lines import by_lines
from .plan import AUTO, section, smallest_plan, stream_plan


@dataclass
class Streaming:
    """`mode`: auto or max. `fed`: names of inputs to be given by rows. `room`: bytes that the arena may have."""

    mode: str = AUTO
    fed: list[str] = field(default_factory=list)
    room: int | None = None


def streamed(program: Program, wanted: Streaming) -> tuple[Plan, bytes | None]:
    """The plan for whole tensors, and the section of steps, None where streaming would not make the arena smaller.

    Raises ConversionError for an input that cannot be fed, and where no plan fits the room.
    """
    by_lines(program)
    whole = program.copy()
    plan = plan_memory(whole)
    fed = [_input(program, name) for name in wanted.fed]
    if not fed and wanted.room is not None and plan.size <= wanted.room:
        program.layers, program.blobs = whole.layers, whole.blobs
        return plan, None
    # Rows lie where the steps have them: no blob is in another.
    copying = plan_memory(program, views=False)
    found = stream_plan(program, wanted.mode, fed, wanted.room)
    if wanted.room is not None and found.size > wanted.room:
        raise ConversionError(
            f"an arena of {wanted.room:,} bytes is too small: the smallest plan found has {found.size:,}"
            + ("" if fed else "; an input that is given by rows (--feed) may need less")
        )
    if fed or found.size < plan.size:
        return copying, section(found)
    program.layers, program.blobs = whole.layers, whole.blobs
    return plan, None


def figures(program: Program) -> tuple[int, int | None]:
    """Bytes of the smallest arenas found: inputs given whole, and (None where an input has one row) by rows."""
    program = without_views(program)
    by_lines(program)
    whole = smallest_plan(program).size
    try:
        return whole, smallest_plan(program, range(len(program.inputs))).size
    except ConversionError:
        return whole, None


def _input(program: Program, name: str) -> int:
    names = [program.blobs[blob].name for blob in program.inputs]
    if name not in names:
        raise ConversionError(f"--feed {name}: no input is called that; the inputs are {', '.join(names)}")
    return names.index(name)
