"""Flash that nnmicro takes in a firmware, on a Cortex-M4F: with every layer, and with every int8 layer."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from firmware import build, sizes
from firmware.native import host
from firmware.order import ALL, ENGINE, INT8, KERNELS, STOCK
from tests.boards import lacking

pytestmark = pytest.mark.bench

BOARD = "qemu_cortex_m4f"
WANTED_KERNELS = 48 * 1024
WANTED_ENGINE = 32 * 1024
FLAGS = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-std=gnu99", "-DNDEBUG")


def flash(contents: str, family: str = ALL) -> int:
    return sizes.kept(build.firmware(BOARD, contents, family).parent).flash


def by_file(folder: Path) -> dict[str, int]:
    """Bytes of each file of the kernels, compiled as in a firmware."""
    lists = (host.HERE / "sources.mk").read_text()
    fast = re.search(r"^NN_FAST = (.*)", lists, re.MULTILINE)
    assert fast is not None
    found = {}
    for source in host.sources():
        level = "-O2" if source.stem in fast[1].split() else "-Os"
        target = folder / f"{source.stem}.o"
        subprocess.run(["arm-none-eabi-gcc", *FLAGS, level, "-c", str(source), "-o", str(target)], check=True)
        told = subprocess.run(["arm-none-eabi-size", str(target)], check=True, capture_output=True, text=True).stdout
        found[source.name] = int(told.splitlines()[1].split()[0])
    return found


def test_flash_of_kernels_and_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reason = lacking(f"emu:{BOARD}", may_build=True)
    if reason:
        pytest.skip(reason)
    stock, kernels, engine = (flash(contents) for contents in (STOCK, KERNELS, ENGINE))
    integer = flash(KERNELS, INT8)
    files = by_file(tmp_path)
    with capsys.disabled():
        print(f"\n{BOARD}: _nnmicro {kernels - stock:,} bytes of flash, {WANTED_KERNELS:,} wanted;", end=" ")
        print(f"with every int8 layer {integer - stock:,}, {WANTED_KERNELS:,} wanted;", end=" ")
        print(f"the frozen engine {engine - kernels:,} more, {WANTED_ENGINE:,} wanted")
        for name, size in sorted(files.items(), key=lambda item: -item[1]):
            print(f"  {name:24} {size:6,}")
    # The rest is the module itself and the static arena, less what the linker joins or leaves out.
    assert abs(kernels - stock - sum(files.values())) < 4096
    assert integer - stock <= WANTED_KERNELS
