"""A system without ptys (Windows): what needs them says so, everything else goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.demo.digits import converted
from host_tools.device import DeviceError, open_device
from host_tools.device.open import EMULATED_BOARDS


@pytest.fixture(autouse=True)
def no_ptys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fcntl", "pty", "termios", "tty"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("spec", ["unix", *(f"emu:{board}" for board in EMULATED_BOARDS)])
def test_what_needs_them_says_so(spec: str) -> None:
    with pytest.raises(DeviceError, match="has no ptys"):
        open_device(spec)


def test_models_are_converted_and_judged(tmp_path: Path) -> None:
    model = tmp_path / "digits.nnm"
    model.write_bytes(converted().data)
    told = CliRunner().invoke(app, ["info", str(model), "--board", "rpi_pico"])
    assert told.exit_code == 0 and "it fits" in told.output
    told = CliRunner().invoke(app, ["run", str(model)])
    assert told.exit_code == 1 and "Traceback" not in told.output


def test_a_board_is_connected_to() -> None:
    with pytest.raises(DeviceError, match="COM99 cannot be opened"):
        open_device("COM99")
