"""The drive as which a board's UF2 boot loader shows itself to the computer."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from host_tools.flashing.firmware import Firmware, FlashError

_INFO = "INFO_UF2.TXT"  # of the UF2 specification: every such drive has it
_WAIT_S = 20.0
_LOOK_AGAIN_S = 0.25


def mounted() -> list[Path]:
    """The folders at which drives are mounted here."""
    if sys.platform == "win32":
        return [Path(f"{letter}:\\") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ"]
    if sys.platform == "darwin":
        return list(Path("/Volumes").glob("*"))
    try:
        lines = Path("/proc/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return []
    # The kernel writes a space in a path as \040.
    return [Path(line.split(" ")[1].replace("\\040", " ")) for line in lines if line.count(" ") > 2]


def boot_loaders(folders: Iterable[Path]) -> list[Path]:
    """Those of `folders` that are a boot loader's drive."""
    found = []
    for folder in folders:
        try:
            if (folder / _INFO).is_file():
                found.append(folder)
        except OSError:
            continue
    return found


def wait_for(bootloader: str, wait: float = _WAIT_S) -> Path:
    """The only boot loader's drive, once it is there; `bootloader` says how the user brings the board there."""
    deadline = time.monotonic() + wait
    while True:
        found = boot_loaders(mounted())
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            names = ", ".join(map(str, found))
            raise FlashError(f"There are several boards in their boot loader ({names}): unplug all but one.")
        if time.monotonic() > deadline:
            raise FlashError(
                f"No boot loader's drive has appeared within {wait:g} s. To get there: {bootloader}. "
                "A system that does not mount drives by itself needs `picotool`, or a mount by hand."
            )
        time.sleep(_LOOK_AGAIN_S)


def copy(firmware: Firmware, drive: Path) -> None:
    """Copy a UF2 onto a boot loader's drive. The board takes it and resets, and the drive vanishes."""
    content = firmware.path.read_bytes()
    try:
        with (drive / firmware.path.name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        # A board that has all it needs may be gone before we are done with closing the file.
        if (drive / _INFO).is_file():
            raise FlashError(f"{firmware.path.name} could not be copied to {drive}: {error.strerror}.") from None
