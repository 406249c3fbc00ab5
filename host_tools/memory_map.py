"""The memory plan as a picture in the terminal: layers to the right, addresses upwards, a colour for each block."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from .layout import Program
from .pictures.panels import names_of
from .plan import Block, Plan

_COLOURS = (
    "blue",
    "green",
    "magenta",
    "cyan",
    "yellow",
    "red",
    "bright_blue",
    "bright_green",
    "bright_magenta",
    "bright_cyan",
)
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ROWS = 12
_MOST_COLUMNS = 96


def memory_map(program: Program, plan: Plan, times: Sequence[str] | None = None) -> Group:
    """The map and its legend. Each column is a layer (the first: before any), or one of the `times` that the plan
    counts in their place, each row a share of the frame. Of many every second, third, … is shown."""
    end = len(program.layers if times is None else times)
    apart = -(-(end + 1) // _MOST_COLUMNS)
    shown = range(-1, end, apart)
    columns = len(shown)
    width = max(1, min(4, _MOST_COLUMNS // columns))
    lines = []
    for row in range(_ROWS - 1, -1, -1):
        low, high = row * plan.size // _ROWS, (row + 1) * plan.size // _ROWS
        line = Text(f"{high:>9,} ")
        for at in shown:
            found = _at(plan.blocks, at, low, high)
            if found < 0:
                line.append("·" * width, style="dim")
            else:
                line.append(_letter(found) * width, style=f"black on {_COLOURS[found % len(_COLOURS)]}")
        lines.append(line)
    every = max(1, 5 // width)  # room for four digits
    axis = Text(f"{'bytes':>9} ")
    for column, at in enumerate(shown):
        axis.append(f"{at + 1:<{width * every}}" if column % every == 0 else "")
    return Group(*lines, axis, _legend(program, plan, end, "layers" if times is None else "steps"))


def _at(blocks: list[Block], layer: int, low: int, high: int) -> int:
    """The block that has most of an address range while a layer runs, or -1."""
    found, most = -1, 0
    for index, block in enumerate(blocks):
        share = min(high, block.offset + block.nbytes) - max(low, block.offset)
        if block.first <= layer <= block.last and share > most:
            found, most = index, share
    return found


def _letter(index: int) -> str:
    return _LETTERS[index % len(_LETTERS)]


def _legend(program: Program, plan: Plan, end: int, times: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("", "blobs in this block, one after another", "bytes", "at", times):
        table.add_column(title, justify="right" if title in ("bytes", "at") else "left", overflow="fold")
    all_names = names_of(program, plan)
    for index, block in enumerate(plan.blocks[: len(_LETTERS)]):
        names = all_names[index]
        shown = names if len(names) <= 3 else [names[0], "…", names[-1]]
        first = "input" if block.first < 0 else str(block.first + 1)
        table.add_row(
            Text(_letter(index), style=f"black on {_COLOURS[index % len(_COLOURS)]}"),
            Text(" → ".join(shown)),
            f"{block.nbytes:,}",
            f"{block.offset:,}",
            f"{first}–{min(block.last + 1, end)}",
        )
    if len(plan.blocks) > len(_LETTERS):
        table.add_row("", f"… and {len(plan.blocks) - len(_LETTERS)} more", "", "", "")
    return table
