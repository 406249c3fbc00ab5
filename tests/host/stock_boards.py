"""Devices as people have them: with plain MicroPython before they know of nnmicro, or a Pico with our firmware."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from firmware import build, qemu_port, system_packages
from firmware.emulator import install
from firmware.order import STOCK
from host_tools.device.pico import PicoDevice
from host_tools.device.qemu import QemuDevice
from host_tools.device.unix import UnixDevice


@contextmanager
def unix(heapsize: str = "64M") -> Iterator[UnixDevice]:
    """MicroPython's unix port, built first if need be (about 25 s, once)."""
    pytest.importorskip("pty", reason="the unix device needs an operating system with ptys")
    with UnixDevice(heapsize, build.firmware("unix", STOCK)) as device:
        yield device


@contextmanager
def pico(contents: str = STOCK) -> Iterator[PicoDevice]:
    """The emulated Pico, its firmware built first if need be; skips by name where it cannot be had."""
    pytest.importorskip("pty", reason="the emulated Pico needs an operating system with ptys")
    missing = [*install.missing(), *build.missing("rpi_pico")]
    if missing:
        pytest.skip(f"the emulated Pico needs {', '.join(missing)}, which this machine does not have")
    with PicoDevice(firmware=build.firmware("rpi_pico", contents)) as device:
        yield device


@contextmanager
def qemu(board: str) -> Iterator[QemuDevice]:
    """A board of QEMU's, its firmware built first if need be; skips by name where it cannot be had."""
    pytest.importorskip("pty", reason="an emulated board needs an operating system with ptys")
    missing = [*system_packages.missing(qemu_port.emulator_needs(board)), *build.missing(board)]
    if missing:
        pytest.skip(f"{board} needs {', '.join(missing)}, which this machine does not have")
    with QemuDevice(f"emu:{board}", board, firmware=build.firmware(board, STOCK)) as device:
        yield device
