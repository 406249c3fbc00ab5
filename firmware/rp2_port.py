"""Firmware for the Raspberry Pi Pico and Pico 2: MicroPython's rp2 port, as a UF2 file; beside it `firmware.elf`,
for a debugger."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware import cache, compiling, port, system_packages
from firmware.errors import FirmwareError
from firmware.order import Order
from firmware.rp2 import libraries, uf2
from firmware.sizes import Sizes, measure
from firmware.source import Source
from firmware.system_packages import Need

RECIPE = Path(__file__).parent / "rp2"
_ELF = "firmware.elf"
_COMPILER = "arm-none-eabi-"
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
    "rpi_pico": Board("NNMICRO_PICO", uf2.RP2040, 704 * 1024),
    "rpi_pico2": Board("NNMICRO_PICO2", uf2.RP2350_ARM_S, 704 * 1024),
}


class Rp2Port(port.Port):
    name = "rp2"
    boards = tuple(BOARDS)
    product = "firmware.uf2"
    module_file = "micropython.cmake"

    def needs(self, board: str) -> Sequence[Need]:
        return (
            system_packages.program("arm-none-eabi-gcc", "gcc-arm-none-eabi"),
            Need("libnewlib-arm-none-eabi", _has_newlib),
            system_packages.program("cmake", "cmake"),
            system_packages.program("ninja", "ninja-build"),
            system_packages.program("dpkg-deb", "dpkg"),
        )

    def compiler(self, board: str) -> str:
        return f"{_COMPILER}gcc"

    def inputs(self, order: Order, chosen: Source) -> list[str]:
        board = BOARDS[order.board]
        found = [repr(board), libraries.identity(), repr(sorted(SETTINGS.items()))]
        found += [cache.hash_folder(RECIPE / "boards" / board.definition), cache.hash_file(RECIPE / "manifest.py")]
        if chosen.folder is not None:
            found.append(_state_of(chosen.folder / "ports" / "rp2"))
        return found

    def compile(self, order: Order, micropython: Path, modules: list[Path], work: Path, target: Path) -> Sizes:
        board = BOARDS[order.board]
        found = libraries.provide(micropython)
        tree = _source_tree(micropython, found, work / "micropython")
        shutil.copytree(RECIPE, work / "recipe", ignore=shutil.ignore_patterns("__pycache__"))
        log = work / "log.txt"
        configure = _configure(order, board, tree, found["pico-sdk"], modules, work)
        compiling.run(configure, log, target, _environment(work))
        compiling.run(["ninja", "-C", str(work / "build")], log, target, _environment(work))
        binary = (work / "build" / "firmware.bin").read_bytes()
        if len(binary) > board.code_bytes:
            raise FirmwareError(
                f"The firmware has {len(binary)} bytes and {board.definition} leaves it {board.code_bytes}: "
                "make MICROPY_HW_ROMFS_BYTES of its mpconfigboard.h smaller, or put less in."
            )
        (work / self.product).write_bytes(uf2.encode(binary, board.family))
        (work / "build" / _ELF).rename(work / _ELF)
        port.clear(work, "build", "micropython", "recipe")
        return measure(work / _ELF, _COMPILER, ("__GcHeapStart", "__GcHeapEnd"))


def _has_newlib() -> bool:
    if shutil.which("arm-none-eabi-gcc") is None:
        return False
    # The compiler answers with a path if it finds the file, and with the bare name if not.
    command = ["arm-none-eabi-gcc", "-print-file-name=nosys.specs"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return os.path.isabs(asked.stdout.strip())


def _state_of(port: Path) -> str:
    """Names, sizes and times of the port's files in somebody's checkout, which `Source.identity` leaves out."""
    files = (path for path in port.rglob("*") if not path.relative_to(port).parts[0].startswith("build"))
    states = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files if path.is_file()]
    return repr(sorted(states))


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


def _configure(order: Order, board: Board, tree: Path, sdk: Path, modules: list[Path], work: Path) -> list[str]:
    recipe, tools = work / "recipe", port.build_tools(work)
    # The SDK links as C++ and compiles one C++ file, its operator new, which nothing calls. Without that file an
    # empty library will do, and nobody has to install the 1.5 GB of C++ libraries for every Arm core.
    subprocess.run([f"{_COMPILER}ar", "rc", str(tools / "libstdc++.a")], check=True, timeout=60)
    settings = {
        "MICROPY_BOARD": board.definition,
        "MICROPY_BOARD_DIR": recipe / "boards" / board.definition,
        "MICROPY_FROZEN_MANIFEST": port.manifest(order, recipe / "manifest.py", work),
        "MICROPY_LIB_DIR": tools / "no-micropython-lib",
        "PICO_SDK_PATH_OVERRIDE": sdk,
        "PICO_NO_PICOTOOL": SETTINGS["PICO_NO_PICOTOOL"],
        "NN_FAMILY": order.family,
        "Python3_EXECUTABLE": sys.executable,
        "USER_C_MODULES": ";".join(str(module / "micropython.cmake") for module in modules),
    }
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
