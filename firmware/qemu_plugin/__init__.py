"""QEMU's plugin that counts instructions by class, compiled on this computer when it is first asked for."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from firmware import cache, system_packages
from firmware.errors import FirmwareError
from firmware.progress import step
from firmware.system_packages import Need, program

RECIPE = Path(__file__).parent
_PRODUCT = "counter.so"
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-fPIC", "-shared", "-fvisibility=hidden")
_TIMEOUT_S = 120
_HASH_DIGITS = 16


def needs() -> Sequence[Need]:
    """What it takes to compile it."""
    return program("gcc", "gcc"), Need("libc6-dev", Path("/usr/include/stdio.h").exists)


def path(system: str) -> Path:
    """The plugin for the emulator `system`, such as `qemu-system-arm`, compiled and tried first if need be.

    FirmwareError says why it cannot be had: no compiler, or a QEMU that takes no plugins of this kind.
    """
    lacking = system_packages.missing(needs())
    if lacking:
        raise FirmwareError(f"Counting instructions by class needs {', '.join(lacking)}.")
    version = subprocess.run([system, "--version"], capture_output=True, text=True, check=True, timeout=_TIMEOUT_S)
    key = f"{cache.hash_folder(RECIPE, cache.C_SOURCES)}\n{_FLAGS}\n{version.stdout}"
    target = cache.folder() / "qemu_plugin" / f"{system}-{hashlib.sha256(key.encode()).hexdigest()[:_HASH_DIGITS]}"
    with cache.locked("qemu-plugin"):
        if not target.is_dir():
            with (
                step("Compiling the counter of instructions (a second, only this once)"),
                cache.unfinished(target) as work,
            ):
                _compile(work / _PRODUCT)
                _try(system, work / _PRODUCT)
    return target / _PRODUCT


def arguments(system: str, out: str) -> list[str]:
    """What QEMU is given so that it writes its counts to the file `out`."""
    return ["-plugin", f"{path(system)},out={out}"]


def counts(text: str) -> list[dict[str, int]]:
    """Counts by name for each interval in what the plugin wrote."""
    lines = [line.split() for line in text.splitlines()]
    # A restarted emulator begins with the names again.
    return [dict(zip(lines[0], map(int, line), strict=True)) for line in lines if line != lines[0]]


def instructions(counted: Mapping[str, int]) -> int:
    """All executed instructions of an interval: each is in one class, and `words` and `taken` are none."""
    return sum(count for name, count in counted.items() if name not in ("words", "taken"))


def _compile(product: Path) -> None:
    sources = [str(file) for file in sorted(RECIPE.glob("*.c"))]
    done = subprocess.run(
        ["gcc", *_FLAGS, *sources, "-o", str(product)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    if done.returncode:
        raise FirmwareError(f"The counter of instructions does not compile: {done.stderr[-1000:]}")


def _try(system: str, product: Path) -> None:
    """An emulator without a machine, which ends at once: does it load the plugin?"""
    command = [system, "-machine", "none", "-display", "none", "-monitor", "stdio"]
    done = subprocess.run(
        [*command, "-plugin", f"{product},out=/dev/null"],
        input="quit\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    if done.returncode:
        raise FirmwareError(f"{system} does not load the counter of instructions: {done.stderr.strip()[-500:]}")
