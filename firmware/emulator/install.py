"""Puts the emulator's program and the npm package that it needs into the cache, and says how to start it."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from firmware import cache, system_packages
from firmware.errors import FirmwareError
from firmware.progress import step

RECIPE = Path(__file__).parent
_PROGRAM = "pico.mjs"
_PACKAGE_FILES = ("package.json", "package-lock.json")
_OLDEST_NODE = 18
_NPM_TIMEOUT_S = 300


def command() -> list[str]:
    """The beginning of the emulator's command line, after installing what it needs."""
    system_packages.require("The emulator of the Pico", _needs())
    _check_node()
    packages, program = _places()
    if not packages.is_dir() or not program.is_dir():
        with cache.locked("emulator"):
            if not packages.is_dir():
                with step("Installing rp2040js for the emulator (0.2 MB, by npm)"):
                    _install_packages(packages)
            if not program.is_dir():
                with cache.unfinished(program) as work:
                    for file in RECIPE.glob("*.mjs"):
                        shutil.copy(file, work)
    return [str(shutil.which("node")), str(program / _PROGRAM)]


def missing() -> list[str]:
    """What `command` would have to install first: system packages, and `rp2040js`."""
    return system_packages.missing(_needs()) + ([] if _places()[0].is_dir() else ["rp2040js"])


def _needs() -> list[system_packages.Need]:
    return [system_packages.program("node", "nodejs"), system_packages.program("npm", "npm")]


def _places() -> tuple[Path, Path]:
    """The folder with the npm packages, and below it, where Node.js finds them from, that of the program."""
    digest = hashlib.sha256()
    for name in _PACKAGE_FILES:
        digest.update((RECIPE / name).read_bytes())
    packages = cache.folder() / "emulator" / digest.hexdigest()[:16]
    program = hashlib.sha256()
    for file in sorted(RECIPE.glob("*.mjs")):
        program.update(file.name.encode() + b"\0" + file.read_bytes())
    return packages, packages / program.hexdigest()[:16]


def _check_node() -> None:
    asked = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False, timeout=60)
    version = re.match(r"v(\d+)\.", asked.stdout)
    if version is None or int(version[1]) < _OLDEST_NODE:
        raise FirmwareError(
            f"The emulator of the Pico needs Node.js {_OLDEST_NODE} or newer; "
            f"`node --version` says {asked.stdout.strip() or asked.stderr.strip()!r}."
        )


def _install_packages(target: Path) -> None:
    with cache.unfinished(target) as work:
        for name in _PACKAGE_FILES:
            shutil.copy(RECIPE / name, work)
        # `ci` takes exactly what the lock file says, with its checksums, from whatever registry npm is set to.
        arguments = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(
                arguments,
                cwd=work,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_NPM_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise FirmwareError(f"`{' '.join(arguments)}` did not finish in {_NPM_TIMEOUT_S} s.") from None
        if done.returncode != 0:
            raise FirmwareError(f"npm could not install rp2040js: {done.stderr.strip()[-500:]}")
