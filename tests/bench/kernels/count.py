"""Instructions of the int8 kernels alone, layer by layer, on emulated cores.

`python -m tests.bench.kernels.count [core...]` prints a table: instructions of each layer, and of each multiplication.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from firmware import qemu_plugin
from firmware.errors import FirmwareError
from firmware.native import host

HERE = Path(__file__).parent
QEMU = HERE.parents[2] / "firmware" / "qemu"
INCLUDED = ("-I", str(host.HERE), "-I", str(QEMU / "board"))
OPTIMISED = ("-std=gnu99", "-O2", "-fno-jump-tables", "-fno-tree-loop-distribute-patterns", "-DNN_FLOAT=0")


@dataclass(frozen=True)
class Core:
    """A core, and the emulated machine that it is counted on."""

    compiler: str
    flags: tuple[str, ...]
    start: str
    emulator: tuple[str, ...]

    def lacks(self) -> list[str]:
        """What counting needs and this computer does not have."""
        tools = [tool for tool in (self.compiler, self.emulator[0], "gcc") if not shutil.which(tool)]
        if not tools:
            try:
                qemu_plugin.path(self.emulator[0])
            except FirmwareError as error:
                return [str(error)]
        return tools


def _linked(script: str) -> tuple[str, ...]:
    return ("-T", str(QEMU / script))


def _cortex(cpu: str, machine: str, *more: str) -> Core:
    flags = (f"-mcpu={cpu}", "-mthumb", *more, "-nostartfiles", *_linked("cortex_m.ld"))
    emulator = ("qemu-system-arm", "-machine", machine, "-semihosting-config", "enable=on,target=native")
    return Core("arm-none-eabi-gcc", flags, "mps2.c", emulator)


CORES = {
    "m4": _cortex("cortex-m4", "mps2-an386", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
    "m4 packed": _cortex("cortex-m4", "mps2-an386", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-DPACKED"),
    "m7": _cortex("cortex-m7", "mps2-an500", "-mfpu=fpv5-d16", "-mfloat-abi=hard"),
    "m7 packed": _cortex("cortex-m7", "mps2-an500", "-mfpu=fpv5-d16", "-mfloat-abi=hard", "-DPACKED"),
    "m3": _cortex("cortex-m3", "mps2-an385"),
    "m0": _cortex("cortex-m0plus", "mps2-an385"),  # its code, on an M3: the counts are the same
    "rv32": Core(
        "riscv64-unknown-elf-gcc",
        ("-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs", "-nostartfiles", *_linked("rv32.ld")),
        "virt.c",
        ("qemu-system-riscv32", "-machine", "virt", "-bios", "none"),
    ),
}


@dataclass(frozen=True)
class Counted:
    """A layer that has run. `output` is a hash of what it gave, or 0 where the kernel refused; `classes` are its
    instructions by class, where they were counted."""

    network: str
    layer: str
    times: int
    instructions: int
    multiplications: int
    output: int
    classes: Mapping[str, int] = field(default_factory=dict)


def _parse(text: str) -> list[Counted]:
    rows = []
    for line in text.splitlines():
        network, layer, *figures, _ = line.split("|")
        rows.append(Counted(network, layer, *map(int, figures)))
    return rows


def _kernels() -> list[str]:
    """The files of the int8 family."""
    lists = (host.HERE / "sources.mk").read_text().splitlines()
    chosen = [line for line in lists if line.startswith(("NN_SOURCES =", "NN_SOURCES_INT8 ="))]
    return [str(host.HERE / name) for name in re.findall(r"\w+\.c", "".join(chosen))]


def count(core: Core, folder: Path, *flags: str) -> list[Counted]:
    """Build the kernels for `core`, run every layer once, count."""
    program, classes = folder / "count.elf", folder / "classes.txt"
    classes.unlink(missing_ok=True)
    files = [str(HERE / name) for name in ("count.c", core.start)]
    build = [core.compiler, *core.flags, *OPTIMISED, *flags, *INCLUDED, "-o", str(program), *files]
    subprocess.run([*build, *_kernels(), "-lgcc"], check=True)
    run = [*core.emulator, "-icount", "shift=7", "-display", "none", "-monitor", "none", "-serial", "stdio"]
    run += qemu_plugin.arguments(core.emulator[0], str(classes))
    done = subprocess.run([*run, "-kernel", str(program)], check=True, capture_output=True, text=True, timeout=300,
        stdin=subprocess.DEVNULL)  # fmt: skip
    intervals = qemu_plugin.counts(classes.read_text())
    return [replace(row, classes=counts) for row, counts in zip(_parse(done.stdout), intervals, strict=True)]


def here(folder: Path, *flags: str) -> list[Counted]:
    """The same layers on this computer, with checks for undefined behaviour: nothing is counted."""
    program = host.compile_into(
        folder / "here", [*host.SANITIZED, *INCLUDED[2:], "-DNN_FLOAT=0", *flags], [HERE / "count.c", HERE / "here.c"]
    )
    return _parse(subprocess.run([program], check=True, capture_output=True, text=True, timeout=300).stdout)


def table(counted: dict[str, list[Counted]]) -> str:
    """A line a layer, and one for each network."""
    cores = list(counted)
    lines = [f"{'':7} {'':18}" + "".join(f"{core:>14} {'a MAC':>6}" for core in cores)]
    networks: dict[str, list[int]] = {}
    for rows in zip(*counted.values(), strict=True):
        first = rows[0]
        figures = [
            f"{row.instructions:14,} "
            + (f"{row.instructions / row.multiplications:6.2f}" if row.multiplications else " " * 6)
            for row in rows
        ]
        lines.append(f"{first.network:7} {first.layer:18}" + "".join(figures))
        sums = networks.setdefault(first.network, [0] * (len(cores) + 1))
        for i, row in enumerate(rows):
            sums[i] += row.times * row.instructions
        sums[-1] += first.times * first.multiplications
    for network, sums in networks.items():
        lines.append(f"{network:7} {'all':18}" + "".join(f"{n:14,} {n / sums[-1]:6.2f}" for n in sums[:-1]))
    return "\n".join(lines)


if __name__ == "__main__":
    counted = {}
    with tempfile.TemporaryDirectory() as name:
        for core in sys.argv[1:] or CORES:
            counted[core] = count(CORES[core], Path(name))
    print(table(counted))
