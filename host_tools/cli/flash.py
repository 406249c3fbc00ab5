"""nnmicro flash"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import boards

from ..device.build import Build
from ..flashing.firmware import Firmware, FlashError, find
from ..flashing.flash import flash_by_tool, flash_emulated, flash_uf2
from .terminal import messages, mistakes_are_sentences, print_json, results, warn

NAME = "flash"
EXAMPLES = (
    "Examples: nnmicro flash --board rpi_pico --device /dev/ttyACM0    |    "
    "nnmicro flash --board esp32 --firmware ESP32_GENERIC.bin --device /dev/ttyUSB0    |    "
    "nnmicro flash --board rpi_pico --device emu:rpi_pico"
)


def command(
    board: Annotated[str, typer.Option("--board", metavar="B", help="A board of boards/.", show_default=False)],
    firmware: Annotated[
        Path | None,
        typer.Option("--firmware", metavar="F", help="The file to flash; default: ours, built where it is not yet."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            metavar="D",
            help="The board's serial port, or emu:rpi_pico. Without it: a board that is in its boot loader.",
        ),
    ] = None,
    flash: Annotated[
        Path | None,
        typer.Option("--flash", metavar="FILE", help="Of an emulated board: the file that holds its flash."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a board is written.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write firmware onto a board, and ask the board which one it runs then."""
    with mistakes_are_sentences():
        method = boards.load(board).flashing.method
        if method in ("none", "qemu"):
            raise FlashError(f"{board} is not flashed by nnmicro{_instead(board)}.")
        emulated = device is not None and device.startswith("emu:")
        if emulated and device != f"emu:{board}" or emulated and method != "uf2":
            raise FlashError(f"{device} is not flashed as {board}; emu:rpi_pico is the emulated board that can be.")
        chosen = find(board, firmware)
        if emulated:
            from ..device.pico import PicoDevice

            with messages.status(f"flashing {device}"), PicoDevice(f"emu:{board}", board, flash=flash) as opened:
                answer = flash_emulated(opened, chosen)
        else:
            _ask(chosen, device, yes)
            with messages.status(f"flashing {board}"):
                answer = (flash_uf2 if method == "uf2" else flash_by_tool)(chosen, device)
        _tell(chosen, device, answer, as_json)


def _instead(board: str) -> str:
    tool = boards.load(board).flashing.tool
    if tool:
        return f": {tool}"
    return f"; `nnmicro emulate {board}` starts it with its firmware" if board != "unix" else ""


def _ask(firmware: Firmware, device: str | None, yes: bool) -> None:
    if yes:
        return
    what = f"{firmware.path} onto {firmware.board}" + (f" at {device}" if device else "")
    if not sys.stdin.isatty():
        raise FlashError(f"Nobody is here to confirm that {what} may be written: say --yes.")
    warn("files on the board survive only if its firmware until now kept them at the same place")
    if not typer.confirm(f"Write {what}?"):
        raise typer.Exit(1)


def _tell(firmware: Firmware, device: str | None, answer: Build | None, as_json: bool) -> None:
    verified = answer is not None and firmware.stamp is not None
    if as_json:
        told = {"board": firmware.board, "device": device, "firmware": str(firmware.path), "verified": verified}
        print_json({**told, "build": asdict(answer) if answer else None})
    elif verified and answer is not None:
        results.print(f"{device} runs {answer.text}: asked back, and the same as {firmware.path.name}")
    elif device is None:
        results.print(f"{firmware.path.name} was sent; give --device to have the board asked what it runs")
    else:
        results.print(f"{device} answers; {firmware.path.name} does not say what it is, so nothing was compared")
