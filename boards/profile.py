"""Reads and checks a board's profile, `boards/<name>/board.toml`; README.md says what each key means.

Everything that is known about the keys is in the dataclasses here: a key that is in none of them, one that is missing
and a figure that cannot be are refused by name.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from importlib import resources
from typing import Any, TypeVar, get_type_hints

# Kinds of cores that the tables of costs know (host_tools/fit/costs.toml); "host" is whatever the computer has.
CORES = (
    "cortex-m0plus",
    "cortex-m3",
    "cortex-m4f",
    "cortex-m7",
    "cortex-m33",
    "rv32imc",
    "xtensa-lx6",
    "xtensa-lx7",
    "host",
)
# Architectures for which there is a native module (firmware/native/README.md).
MODULES = ("x64", "armv6m", "armv7m", "armv7emsp", "armv7emdp", "rv32imc")
# What a MicroPython can lack that nnmicro would use.
LACKS = ("hashlib", "deflate", "asyncio", "select", "native code", "threads", "ROMFS")
METHODS = ("none", "uf2", "esptool", "dfu", "jlink", "teensy", "qemu")


class BoardError(ValueError):
    """An unknown board, or a profile that cannot be right."""


@dataclass(frozen=True)
class Memory:
    """Bytes. `ram` is what the chip has; `flash` with `storage` for files; `firmware` is what ours fills."""

    ram: int
    flash: int = 0
    storage: int = 0
    firmware: int = 0
    needs_alignment: bool = False


@dataclass(frozen=True)
class Firmware:
    """What one kind of firmware leaves after its start, in bytes: free heap, the largest piece of it, ROMFS.

    `estimated` names the figures that nobody measured; `lacks` what this MicroPython does not have.
    """

    free_heap: int
    largest_block: int
    romfs: int = 0
    lacks: tuple[str, ...] = ()
    estimated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flashing:
    """How firmware gets onto the board: `tool` is what the user runs, `bootloader` how the board is made to listen."""

    method: str
    tool: str = ""
    bootloader: str = ""
    family: int | None = None
    address: int | None = None


@dataclass(frozen=True)
class Emulator:
    """An emulator of ours: the folder of its program."""

    program: str


@dataclass(frozen=True)
class Qemu:
    """QEMU's program, its machine, and the size of the memory that the board's disk lies in."""

    system: str
    machine: str
    storage: str


@dataclass(frozen=True)
class Board:
    """A profile. `stock` is MicroPython as its makers build it, `ours` this repository's firmware, if there is one.

    `key` is the folder's name, and `extra` the tables of other parts of nnmicro.
    """

    key: str
    name: str
    chip: str
    core: str
    clock: int
    word_bytes: int
    memory: Memory
    flashing: Flashing
    arch: str | None = None
    module: str | None = None
    heap: int | None = None
    stock: Firmware | None = None
    ours: Firmware | None = None
    emulator: Emulator | None = None
    qemu: Qemu | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


# Tables that belong to other parts of nnmicro, which check them themselves.
_OTHERS = ("firmware",)


@cache
def names() -> tuple[str, ...]:
    """The boards there are, in alphabetical order."""
    root = resources.files("boards")
    return tuple(sorted(entry.name for entry in root.iterdir() if (entry / "board.toml").is_file()))


@cache
def load(name: str) -> Board:
    """The profile of a board. BoardError, with near names, for an unknown one, and for a profile that is wrong."""
    if name not in names():
        near = difflib.get_close_matches(name.lower().replace("-", "_"), names(), 3, 0.5)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise BoardError(f"there is no board {name!r}: {meant}`nnmicro boards` lists all {len(names())}")
    text = (resources.files("boards") / name / "board.toml").read_text(encoding="utf-8")
    return parse(name, text)


def parse(name: str, text: str) -> Board:
    """The profile in a TOML text, checked."""
    # Before Python 3.11 it was a package of its own.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        values = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise BoardError(f"{name}: {error}") from None
    for ours in ("key", "extra"):
        if ours in values:
            raise BoardError(f"{name}: unknown key {ours!r}")
    extra = {key: values.pop(key) for key in _OTHERS if key in values}
    board = _made(Board, {"key": name, **values, "extra": extra}, name)
    _check(board)
    return board


_Made = TypeVar("_Made")


def _made(kind: type[_Made], values: dict[str, Any], where: str) -> _Made:
    """An object of a dataclass from a table: every key known, none missing, every value of its type."""
    known = {part.name: part for part in fields(kind)}  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise BoardError(f"{where}: unknown key {key!r}" + (f", did you mean {near[0]!r}?" if near else ""))
    types = get_type_hints(kind)
    made: dict[str, Any] = {}
    for key, part in known.items():
        if key not in values:
            if part.default is MISSING and part.default_factory is MISSING:
                raise BoardError(f"{where}: the key {key!r} is missing")
            continue
        made[key] = _value(types[key], values[key], f"{where}.{key}")
    return kind(**made)


_TABLES = {Memory, Firmware, Flashing, Emulator, Qemu}


def _value(expected: Any, value: Any, where: str) -> Any:
    for table in _TABLES:
        if expected in (table, table | None):
            if not isinstance(value, dict):
                raise BoardError(f"{where} is a table of keys, not {value!r}")
            return _made(table, value, where)
    if expected == tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BoardError(f"{where} is a list of texts, not {value!r}")
        return tuple(value)
    for plain in (int, str, bool):
        if expected in (plain, plain | None):
            if type(value) is not plain:
                raise BoardError(f"{where} is {'a number' if plain is int else plain.__name__}, not {value!r}")
            if isinstance(value, int) and value < 0:
                raise BoardError(f"{where} is {value}, below 0")
    return value


def _check(board: Board) -> None:
    """That the figures of a profile can be true together."""

    def refuse(text: str) -> None:
        raise BoardError(f"{board.key}: {text}")

    for what, value, known in (
        ("core", board.core, CORES),
        ("module", board.module, (*MODULES, None)),
        ("flashing.method", board.flashing.method, METHODS),
        ("word_bytes", board.word_bytes, (4, 8)),
    ):
        if value not in known:
            refuse(f"{what} is {value!r}, known are {', '.join(map(str, known))}")
    memory = board.memory
    if board.core != "host" and not board.clock:
        refuse("a clock of 0 Hz")
    if memory.storage + memory.firmware > memory.flash:
        refuse(f"{memory.storage} bytes for files and {memory.firmware} of firmware in {memory.flash} of flash")
    if board.heap is not None and board.heap > memory.ram:
        refuse(f"a heap of {board.heap} bytes in {memory.ram} of RAM")
    if board.stock is None and board.ours is None:
        refuse("neither stock nor ours says what MicroPython leaves free")
    for what, firmware in (("stock", board.stock), ("ours", board.ours)):
        if firmware is None:
            continue
        if not firmware.largest_block <= firmware.free_heap <= memory.ram:
            refuse(
                f"{what}: largest block {firmware.largest_block}, free heap {firmware.free_heap}, RAM {memory.ram}: "
                "each is part of the next"
            )
        if firmware.romfs > memory.flash:
            refuse(f"{what}: {firmware.romfs} bytes of ROMFS in {memory.flash} of flash")
        for lack in firmware.lacks:
            if lack not in LACKS:
                refuse(f"{what}: lacks {lack!r}, known are {', '.join(LACKS)}")
        if (firmware.romfs == 0) != ("ROMFS" in firmware.lacks):
            refuse(f"{what}: {firmware.romfs} bytes of ROMFS, and lacks {', '.join(firmware.lacks) or 'nothing'}")
        for figure in firmware.estimated:
            if figure not in ("free_heap", "largest_block", "romfs"):
                refuse(f"{what}: estimated names {figure!r}, which is no figure")
