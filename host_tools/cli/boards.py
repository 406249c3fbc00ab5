"""nnmicro boards"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

import boards
from boards import Board

from .terminal import mistakes_are_sentences, print_json, results

NAME = "boards"
EXAMPLES = "Example: nnmicro boards"


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the boards that nnmicro knows, and what they leave for a model."""
    with mistakes_are_sentences():
        known = [boards.load(name) for name in boards.names()]
        if as_json:
            print_json({"boards": [described(board) for board in known]})
        else:
            results.print(listing(known))


def described(board: Board) -> dict[str, Any]:
    """What --json says of a board; sizes in bytes, null where there is none."""
    told: dict[str, Any] = {
        "board": board.key,
        "name": board.name,
        "chip": board.chip,
        "core": board.core,
        "clock_hz": board.clock or None,
        "arch": board.arch,
        "native_module": board.module,
        "ram": board.memory.ram,
        "flash": board.memory.flash,
        "flashing": board.flashing.method,
    }
    for what, firmware in (("ours", board.ours), ("stock", board.stock)):
        told[what] = firmware and {
            "free_heap": firmware.free_heap,
            "largest_block": firmware.largest_block,
            "romfs": firmware.romfs,
            "lacks": list(firmware.lacks),
            "estimated": list(firmware.estimated),
        }
    return told


def listing(known: list[Board]) -> Table:
    """The table for a person. A ~ marks what nobody measured."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), caption="~ is an estimate")
    # 80 columns hold it all: a name that is cut short cannot be typed.
    for name in ("--board", "core", "MHz", "free heap", "largest\nblock", "ROMFS", "kernels"):
        table.add_column(name, no_wrap=True, justify="left" if name in ("--board", "core", "kernels") else "right")
    for board in known:
        firmware = board.ours or board.stock
        assert firmware is not None  # a profile without either is refused
        about = {figure: "~" if figure in firmware.estimated else "" for figure in ("free_heap", "largest_block")}
        table.add_row(
            board.key,
            board.core,
            f"{board.clock / 1e6:.0f}" if board.clock else "",
            f"{about['free_heap']}{firmware.free_heap:,}",
            f"{about['largest_block']}{firmware.largest_block:,}",
            f"{firmware.romfs:,}" if firmware.romfs else "",
            kernels(board),
        )
    return table


def kernels(board: Board) -> str:
    """What computes there at best."""
    if board.ours:
        return "built in"
    return f"{board.module}.mpy" if board.module else "viper" if board.arch else "plain Python"
