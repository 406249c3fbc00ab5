"""Installs the distribution's packages that a board needs, when somebody asks for that board and never before."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from firmware.errors import FirmwareError
from firmware.progress import step

_QUESTION_TIMEOUT_S = 120
_UPDATE_TIMEOUT_S = 600
_INSTALL_TIMEOUT_S = 3600
# Another program may be installing something: apt then waits instead of giving up.
_APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600")


@dataclass(frozen=True)
class Need:
    """A Debian package, and how to tell whether what it brings is here (from whatever source)."""

    package: str
    is_here: Callable[[], bool]


def program(name: str, package: str) -> Need:
    """The need for the program `name`, which `package` brings."""
    return Need(package, lambda: shutil.which(name) is not None)


def missing(needs: Sequence[Need]) -> list[str]:
    """The packages among `needs` that are not here."""
    return [need.package for need in needs if not need.is_here()]


def require(purpose: str, needs: Sequence[Need]) -> None:
    """Install what is missing; FirmwareError with the line to type where that cannot be done.

    `purpose` begins the sentences that the user reads: `Building firmware for the Pico`.
    """
    packages = missing(needs)
    if not packages:
        return
    by_hand = f"On Debian or Ubuntu: apt-get install -y --no-install-recommends {' '.join(packages)}"
    wanted = f"{purpose} still needs {', '.join(packages)}."
    root = _as_root()
    if shutil.which("apt-get") is None or root is None:
        raise FirmwareError(f"{wanted} {by_hand}")
    with step("Asking apt for its list of packages"):
        _run([*root, *_APT, "update"], _UPDATE_TIMEOUT_S, wanted, by_hand)
    size = _size(packages)
    with step(f"{purpose}: installing {', '.join(packages)} with apt{f' ({size})' if size else ''}"):
        command = [*root, "env", "DEBIAN_FRONTEND=noninteractive", *_APT, "install", "-y"]
        _run([*command, "--no-install-recommends", *packages], _INSTALL_TIMEOUT_S, wanted, by_hand)
    packages = missing(needs)
    if packages:
        raise FirmwareError(f"{purpose}: apt has installed {', '.join(packages)}, which is still not found.")


def _as_root() -> list[str] | None:
    """What to put before a command so that it runs as root; None where that cannot be."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    if sys.stdin.isatty():
        return ["sudo"]
    # Nobody is there to type a password.
    asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False, timeout=60)
    return ["sudo", "-n"] if asked.returncode == 0 else None


def _size(packages: Sequence[str]) -> str:
    """How much is downloaded and how much of the disk is taken, in apt's words."""
    done = subprocess.run(
        ["apt-get", "--assume-no", "install", "--no-install-recommends", *packages],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
        timeout=_QUESTION_TIMEOUT_S,
        check=False,
    )
    download = re.search(r"Need to get (?:\S+ \w+/)?([\d.,]+ \w?B) of archives", done.stdout)
    disk = re.search(r"After this operation, ([\d.,]+ \w?B) of additional", done.stdout)
    parts = [f"{download[1]} to download" if download else "", f"{disk[1]} on the disk" if disk else ""]
    return ", ".join(part for part in parts if part)


def _run(command: list[str], timeout: float, wanted: str, by_hand: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise FirmwareError(f"{wanted} apt did not finish within {timeout:g} s. {by_hand}") from None
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        raise FirmwareError(f"{wanted} apt said: {' '.join(said[:2]) or done.stderr[-300:]} {by_hand}")
