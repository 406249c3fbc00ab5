"""The emulated Pico of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware import build
from tests.boards import lacking

BOARD = "rpi_pico"


def built_firmware() -> Path:
    """The Pico's firmware, as `make test` has it built; or a skip that names what is missing."""
    pytest.importorskip("pty", reason="the emulated Pico needs an operating system with ptys")
    reason = lacking(f"emu:{BOARD}")
    if reason:
        pytest.skip(reason)
    return build.firmware(BOARD)
