"""What somebody wants built: a board's firmware, and what of nnmicro and of their own is in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import boards
from firmware.errors import FirmwareError

# What of nnmicro a firmware holds: the engine frozen in, with the kernels and the static arena; these and the layers
# in Python, which kernels in C need not have beside them; kernels and arena alone, for an engine that is pushed;
# nothing.
ENGINE, FULL, KERNELS, STOCK = "engine", "full", "kernels", "stock"
CONTENTS = (ENGINE, FULL, KERNELS, STOCK)
# Which kernels: those of every model, or of one kind of them.
ALL, FLOAT, INT8 = "all", "float", "int8"
FAMILIES = (ALL, FLOAT, INT8)
_LARGEST_ARENA = 1 << 30


@dataclass(frozen=True)
class Order:
    """A firmware to build. `arena` is the bytes of the static arena (None: what the board's profile says), `modules`
    a folder of user C modules by MicroPython's convention, `family` which kernels in C are in it."""

    board: str
    contents: str = ENGINE
    arena: int | None = None
    modules: Path | None = None
    family: str = ALL

    def __post_init__(self) -> None:
        if self.contents not in CONTENTS:
            raise FirmwareError(f"A firmware's contents are one of {', '.join(CONTENTS)}, not {self.contents!r}.")
        if self.family not in FAMILIES:
            raise FirmwareError(f"A family of kernels is one of {', '.join(FAMILIES)}, not {self.family!r}.")
        if self.arena is not None and (self.arena < 0 or self.arena % 16 or self.arena >= _LARGEST_ARENA):
            raise FirmwareError(f"A static arena has a multiple of 16 bytes, not {self.arena}.")

    @property
    def has_kernels(self) -> bool:
        """Whether `_nnmicro` is in it."""
        return self.contents != STOCK

    @property
    def has_engine(self) -> bool:
        """Whether the engine is frozen into it."""
        return self.contents in (ENGINE, FULL)

    @property
    def arena_bytes(self) -> int:
        """The bytes of its static arena."""
        if not self.has_kernels:
            return 0
        return self.arena if self.arena is not None else int(boards.load(self.board).extra["firmware"]["arena"])
