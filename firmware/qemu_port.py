"""Boards that QEMU emulates: MicroPython's qemu port, with what it lacks from qemu/."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware import cache, port
from firmware.errors import FirmwareError
from firmware.order import Order
from firmware.sizes import Sizes, measure
from firmware.source import Source
from firmware.system_packages import Need, program

BOARDS = ("qemu_cortex_m0", "qemu_cortex_m3", "qemu_cortex_m4f", "qemu_cortex_m7", "qemu_rv32")
RECIPE = Path(__file__).parent / "qemu"


@dataclass(frozen=True)
class Toolchain:
    """What it takes for one kind of processor: how the names of the compiler's programs begin, and the packages."""

    prefix: str
    needs: tuple[Need, ...]
    emulator: Need


def _of_compiler(compiler: str, file: str, package: str) -> Need:
    """The need for a file that the compiler finds among its own, which `package` brings."""

    def is_here() -> bool:
        if shutil.which(compiler) is None:
            return False
        command = [compiler, f"-print-file-name={file}"]
        asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        answer = asked.stdout.strip()
        return answer != file and os.path.exists(answer)  # the bare name is the compiler's "no"

    return Need(package, is_here)


_ARM = "arm-none-eabi-"
_RISCV = "riscv64-unknown-elf-"
# By the emulator's program.
_TOOLCHAINS = {
    "qemu-system-arm": Toolchain(
        _ARM,
        (
            program("make", "make"),
            program(f"{_ARM}gcc", "gcc-arm-none-eabi"),
            _of_compiler(f"{_ARM}gcc", "libc.a", "libnewlib-arm-none-eabi"),
        ),
        program("qemu-system-arm", "qemu-system-arm"),
    ),
    "qemu-system-riscv32": Toolchain(
        _RISCV,
        (
            program("make", "make"),
            program(f"{_RISCV}gcc", "gcc-riscv64-unknown-elf"),
            _of_compiler(f"{_RISCV}gcc", "picolibc.specs", "picolibc-riscv64-unknown-elf"),
        ),
        program("qemu-system-riscv32", "qemu-system-misc"),
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


def emulator_needs(name: str) -> Sequence[Need]:
    """What it takes to run the board."""
    return (_TOOLCHAINS[board(name).system].emulator,)


class QemuPort(port.Port):
    name = "qemu"
    boards = BOARDS
    product = "firmware.elf"
    module_file = "micropython.mk"
    own_modules = (RECIPE / "board",)

    def needs(self, name: str) -> Sequence[Need]:
        return _TOOLCHAINS[board(name).system].needs

    def compiler(self, name: str) -> str:
        return f"{_TOOLCHAINS[board(name).system].prefix}gcc"

    def inputs(self, order: Order, chosen: Source) -> list[str]:
        return [cache.hash_file(board(order.board).folder / "mpconfigboard.mk"), cache.hash_folder(RECIPE)]

    def compile(self, order: Order, micropython: Path, modules: list[Path], work: Path, target: Path) -> Sizes:
        wanted = board(order.board)
        shutil.copytree(wanted.folder, work / "board", ignore=shutil.ignore_patterns("__pycache__"))
        settings: dict[str, object] = {"BOARD": wanted.name, "BOARD_DIR": work / "board", "RECIPE": work / "recipe"}
        port.make("qemu", micropython, RECIPE, order, settings, work, target)
        (work / "build" / self.product).rename(work / self.product)
        port.clear(work, "build", "recipe", "board")
        return measure(work / self.product, _TOOLCHAINS[wanted.system].prefix, ("_heap_start", "_heap_end"))
