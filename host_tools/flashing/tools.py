"""Programs of others that write a board's flash: the command of the board's profile, run if the program is here."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

from host_tools.flashing.firmware import Firmware, FlashError

_INSTALL = {
    "esptool": "pip install esptool",
    "dfu-util": "apt-get install dfu-util",
    "pyocd": "pip install pyocd",
    "st-flash": "apt-get install stlink-tools",
    "picotool": "apt-get install picotool",
    "teensy_loader_cli": "apt-get install teensy-loader-cli",
    "nrfjprog": "Nordic's nRF Command Line Tools",
}
_TIMEOUT_S = 600


def commands(template: str, firmware: Path, port: str | None) -> list[list[str]]:
    """The commands of a profile's `tool`, several of which are joined by `, or `, for this file and port.

    What is no command (it does not take the file, or takes one of another kind) is left out.
    """
    found = []
    for text in re.split(r",? or ", template):
        words = shlex.split(text)
        places = [i for i, word in enumerate(words) if word.startswith("FIRMWARE.")]
        if len(places) != 1 or Path(words[places[0]]).suffix != firmware.suffix:
            continue
        words[places[0]] = str(firmware)
        if "PORT" in words:
            if port is None:
                raise FlashError(f"`{words[0]}` writes over a serial port: say which with --device.")
            words[words.index("PORT")] = port
        found.append(words)
    return found


def suffixes(template: str) -> list[str]:
    """The kinds of files that the commands take."""
    return re.findall(r"FIRMWARE(\.\w+)", template)


def installed(choices: list[list[str]]) -> list[str] | None:
    """The first command whose program is here."""
    return next((command for command in choices if shutil.which(command[0])), None)


def by_hand(choices: list[list[str]]) -> str:
    """Each command, and where its program comes from."""
    return "\n".join(
        f"{shlex.join(command)}    ({command[0]}: {_INSTALL.get(command[0], 'see its site')})" for command in choices
    )


def run(command: list[str], firmware: Firmware) -> None:
    """Run one, with what it says on standard error; FlashError if it fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, check=False, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise FlashError(f"`{command[0]}` did not finish within {_TIMEOUT_S} s.") from None
    except OSError as error:
        raise FlashError(f"`{command[0]}` cannot be started: {error.strerror}.") from None
    if done.returncode != 0:
        raise FlashError(f"`{shlex.join(command)}` failed; {firmware.board} may be without firmware now.")
