"""A firmware file before it is flashed: that it is one for the board, and what a device will say once it runs it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import boards
from firmware import build
from firmware.errors import FirmwareError
from host_tools import uf2
from host_tools.device.build import Build, parse_build
from host_tools.device.errors import DeviceError

# As firmware.port.stamp writes it and the compiler leaves it: a string with a zero at its end.
_STAMP = re.compile(rb"[\w-]{1,64} [\w.+-]{1,32} [0-9a-f]{16} (?:[0-9a-f]{16}|-)(?=\0)")
_LARGEST_FILE = 64 * 1024 * 1024


class FlashError(DeviceError):
    """A firmware that could not be flashed; the message says why and what to do."""


@dataclass(frozen=True)
class Firmware:
    """A file to flash onto `board`. `stamp` is what it says about itself: None for firmware that is not ours, and
    its `abi` is unknown (0) until a device tells."""

    path: Path
    board: str
    stamp: Build | None


def find(board: str, given: Path | None) -> Firmware:
    """The file that the user names, else our own firmware for the board, which is built if need be."""
    flashing = boards.load(board).flashing
    if given is None:
        if board not in build.PORTS:
            raise FlashError(
                f"nnmicro builds no firmware for {board}: give one with --firmware. Stock MicroPython will do."
            )
        try:
            given = build.firmware(board)
        except FirmwareError as error:
            raise FlashError(str(error)) from None
    content = _read(given)
    if flashing.method == "uf2":
        content = _check_uf2(given, content, flashing.family)
    stamp = _stamp_in(content)
    if stamp is not None and stamp.board != board:
        raise FlashError(f"{given} was built for {stamp.board}, not for {board}.")
    return Firmware(given, board, stamp)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise FlashError(f"{path} is larger than any board's flash.")
        return path.read_bytes()
    except OSError as error:
        raise FlashError(f"{path} cannot be read: {error.strerror}.") from None


def _check_uf2(path: Path, content: bytes, family: int | None) -> bytes:
    """What is flashed, in the order of its addresses."""
    try:
        image = uf2.decode(content)
    except uf2.Uf2Error as error:
        raise FlashError(f"{path} cannot be flashed: {error}") from None
    if image.family != family:
        raise FlashError(f"{path} is for {image.family_name}; this board has another chip.")
    return b"".join(image.pages[address] for address in sorted(image.pages))


def _stamp_in(content: bytes) -> Build | None:
    found = _STAMP.search(content)
    return parse_build(found[0].decode("ascii", "replace") + " 0") if found is not None else None
