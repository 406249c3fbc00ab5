"""nnmicro emulate"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..device import DeviceError
from ..device.emulated import EmulatedDevice
from ..device.open import EMULATED_BOARDS, open_device
from .terminal import messages, mistakes_are_sentences, plain, print_json, results

NAME = "emulate"
EXAMPLES = "Example: nnmicro emulate rpi_pico, and in another terminal: mpremote connect /dev/pts/7"


def command(
    board: Annotated[
        str, typer.Argument(help=f"One of {', '.join(EMULATED_BOARDS)}.", metavar="BOARD", show_default=False)
    ],
    flash: Annotated[
        Path | None,
        typer.Option("--flash", metavar="FILE", help="Of the Pico: a file that keeps its flash; made if need be."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object for each port.")] = False,
) -> None:
    """Run a board without hardware and print its port, for mpremote and every other program; Ctrl-C ends it."""
    with mistakes_are_sentences():
        with messages.status(f"starting {board}"):
            device = _start(board, flash)
        try:
            while True:
                device.hand_over()
                if as_json:
                    print_json({"board": board, "port": device.address})
                else:
                    results.print(device.address)
                    messages.print(f"{board} runs: mpremote connect {device.address}. Ctrl-C here ends it.")
                ended = device.wait()
                # As a board whose port vanishes for a moment; what its files are outlives that.
                messages.print(f"{board} {plain(ended)}; it is started again")
                device.restart()
        except KeyboardInterrupt:
            messages.print(f"{board} was ended")
        finally:
            device.close()


def _start(board: str, flash: Path | None) -> EmulatedDevice:
    if flash is None:
        device = open_device(f"emu:{board}")
    elif board == "rpi_pico":
        from ..device.pico import PicoDevice

        device = PicoDevice(flash=flash)
    else:
        raise DeviceError(f"{board} has no flash that a file could keep: its disk is gone when it ends.")
    assert isinstance(device, EmulatedDevice)
    return device
