"""Whether an emulated board can be tested on here: nothing is installed or built for a test that nobody asked for."""

from __future__ import annotations

import os
from pathlib import Path

from firmware import build, qemu_port, system_packages
from firmware.emulator import install
from firmware.order import ENGINE, KERNELS, Order


def lacking(spec: str, *, may_build: bool = False) -> str:
    """Why the device `spec` is not tested on; empty where it can be. `may_build`: a slow test builds its firmware."""
    board = spec.removeprefix("emu:")
    if board == spec:
        return ""
    if os.environ.get("NNMICRO_BOARDS") == "0":
        return "NNMICRO_BOARDS=0 leaves the emulated boards out"
    packages = build.missing(board)
    if board in qemu_port.BOARDS:
        packages += system_packages.missing(qemu_port.emulator_needs(board))
    else:
        packages += install.missing()
    if packages:
        return f"{spec} needs {', '.join(packages)}, which this machine does not have"
    # As host_tools/device has them.
    contents = KERNELS if board in qemu_port.BOARDS else ENGINE
    if not may_build and build.built(board, contents) is None:
        return f"no firmware for {board} is built yet (make firmware BOARD={board} CONTENTS={contents})"
    return ""


def without_arena(board: str, contents: str) -> Path:
    """A firmware without a static arena, built if need be: for measurements of the heap with everything in it."""
    return build.PORTS[board].firmware(Order(board, contents, arena=0))
