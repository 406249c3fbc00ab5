"""`--core` and `--board` as the core that weights are packed for, and what came of it."""

from __future__ import annotations

from enum import Enum

import typer

import boards

from ..packing import CORES, GENERIC, Packed, core_of_board
from ..packing.cores import NAMES

Core = Enum("Core", {name: name for name in CORES}, type=str)  # type: ignore[misc]
CORE_HELP = (
    "Lay int8 weights out as the kernels of this core read them, so that they run faster there, and only there: "
    "cortex-m4, cortex-m7 and cortex-m33 have a layout of their own. Results are the same in every byte."
)


def core_wanted(core: Core | None, board: str | None) -> str:
    """The core that both options together ask for; `generic` for neither. BoardError for an unknown board."""
    if core is not None and board is not None:
        raise typer.BadParameter("the board has its core: leave --core out", param_hint="--core")
    if board is not None:
        return core_of_board(boards.load(board))
    return core.value if core is not None else GENERIC


def packing_notes(packed: Packed, core: str) -> list[str]:
    """What somebody who asked for a core should know."""
    if core == GENERIC:
        return []
    if CORES[core] == GENERIC:
        return [f"{core} has no packing of its own: weights are generic, and run everywhere"]
    if not packed.of:
        return [
            f"there are no int8 convolutions or fully connected layers to pack for {core}: the file runs everywhere"
        ]
    stayed = "; ".join(f"{count} because {reason}" for reason, count in packed.stayed.items())
    if stayed:
        return [f"{packed.of - packed.packed} of {packed.of} layers are not packed for {NAMES[CORES[core]]}: {stayed}"]
    return []
