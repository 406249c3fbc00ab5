"""An emulated Pico for tests outside test_pico_device.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware import rp2_port
from firmware.emulator import install
from firmware.errors import FirmwareError

BOARD = "rpi_pico"


def built_firmware() -> Path:
    """The Pico's firmware, or a skip that names what is missing; nothing is installed or built for a test."""
    pytest.importorskip("pty", reason="the emulated Pico needs an operating system with ptys")
    lacking = [package for package in install.missing() if package != "rp2040js"]
    if lacking:
        pytest.skip(f"the emulated Pico needs {', '.join(lacking)}, which this machine does not have")
    try:
        install.command()
    except FirmwareError as error:
        pytest.skip(f"the emulated Pico needs rp2040js: {error}")
    built = rp2_port.built(BOARD)
    if built is None:
        pytest.skip(f"no firmware for the Pico is built yet (`python -m firmware.build {BOARD}` does)")
    return built
