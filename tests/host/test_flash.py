"""Flashing: that only the right firmware is written, by the right way, and that the board is asked what it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import boards
from firmware.rp2 import uf2
from host_tools.cli.main import app
from host_tools.device.build import Build
from host_tools.flashing import drive, tools
from host_tools.flashing.firmware import Firmware, FlashError, find
from host_tools.flashing.flash import confirmed, flash_by_tool, flash_uf2

STAMP = f"rpi_pico 0.1.0 {'a' * 16} {'b' * 16}"
BUILD = Build("rpi_pico", "0.1.0", "a" * 16, "b" * 16, 1)


def firmware_file(folder: Path, stamp: str = STAMP, family: int = uf2.RP2040) -> Path:
    path = folder / "firmware.uf2"
    path.write_bytes(uf2.encode(bytes(300) + stamp.encode() + b"\0" + bytes(300), family))
    return path


class Board:
    """A connected board that runs what `stamp` says; it refuses everything but the two things that flashing does."""

    spec = "/dev/ttyX"

    def __init__(self, stamp: str) -> None:
        self.stamp = stamp
        self.in_bootloader = False

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def exec(self, code: str, timeout: float = 0) -> bytes:
        if "bootloader" in code:
            self.in_bootloader = True
            return b""
        assert "_nnmicro" in code
        return f"{self.stamp} 1\n".encode()


def test_a_firmware_says_what_it_is_and_a_foreign_one_does_not(tmp_path: Path) -> None:
    ours = find("rpi_pico", firmware_file(tmp_path))
    assert ours.stamp == Build("rpi_pico", "0.1.0", "a" * 16, "b" * 16, 0)
    assert find("rpi_pico", firmware_file(tmp_path, "MicroPython v1.26.1")).stamp is None


@pytest.mark.parametrize(
    ("board", "stamp", "family", "complaint"),
    [
        ("rpi_pico", STAMP, uf2.RP2350_ARM_S, r"is for RP2350 \(Arm\); this board has another chip"),
        ("rpi_pico", STAMP.replace("rpi_pico", "rpi_pico9"), uf2.RP2040, "was built for rpi_pico9, not for rpi_pico"),
        ("toaster", STAMP, uf2.RP2040, "no board 'toaster'"),
    ],
)
def test_the_wrong_firmware_is_refused(tmp_path: Path, board: str, stamp: str, family: int, complaint: str) -> None:
    with pytest.raises((FlashError, boards.BoardError), match=complaint):
        find(board, firmware_file(tmp_path, stamp, family))


def test_a_damaged_or_missing_file_is_refused(tmp_path: Path) -> None:
    path = firmware_file(tmp_path)
    path.write_bytes(path.read_bytes()[:-512])
    with pytest.raises(FlashError, match="incomplete"):
        find("rpi_pico", path)
    with pytest.raises(FlashError, match="No such file"):
        find("rpi_pico", tmp_path / "nothing.uf2")


def test_a_boot_loaders_drive_is_told_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / name for name in ("stick", "RPI-RP2", "other")]
    for folder in folders:
        folder.mkdir()
    monkeypatch.setattr(drive, "mounted", lambda: [*folders, tmp_path / "gone"])
    with pytest.raises(FlashError, match="To get there: hold BOOTSEL"):
        drive.wait_for("hold BOOTSEL", wait=0)
    (folders[1] / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\n")
    assert drive.wait_for("hold BOOTSEL", wait=0) == folders[1]
    (folders[2] / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\n")
    with pytest.raises(FlashError, match="several boards"):
        drive.wait_for("hold BOOTSEL", wait=0)


def test_a_board_on_a_cable_gets_the_file_on_its_drive_and_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = tmp_path / "RPI-RP2"
    usb.mkdir()
    (usb / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\n")
    monkeypatch.setattr(drive, "mounted", lambda: [usb])
    board = Board(STAMP)
    chosen = find("rpi_pico", firmware_file(tmp_path))
    assert flash_uf2(chosen, "/dev/ttyX", lambda spec: board) == BUILD  # type: ignore[arg-type,return-value]
    assert board.in_bootloader
    assert (usb / "firmware.uf2").read_bytes() == chosen.path.read_bytes()
    # Without a port nobody can be asked.
    assert flash_uf2(chosen, None) is None


@pytest.mark.parametrize("stamp", [STAMP.replace("a" * 16, "c" * 16), STAMP.replace("b" * 16, "-"), ""])
def test_a_board_that_runs_something_else_afterwards_is_an_error(tmp_path: Path, stamp: str) -> None:
    chosen = find("rpi_pico", firmware_file(tmp_path))
    with pytest.raises(FlashError, match="it was not taken"):
        confirmed(Board(stamp), chosen)  # type: ignore[arg-type]


TEMPLATE = "esptool --port PORT write_flash 0x1000 FIRMWARE.bin, or pyocd flash -t it FIRMWARE.hex, or copy it"


def test_a_tools_command_gets_file_and_port(tmp_path: Path) -> None:
    binary = Path("/a b/x.bin")
    assert tools.commands(TEMPLATE, binary, "/dev/ttyX") == [
        ["esptool", "--port", "/dev/ttyX", "write_flash", "0x1000", str(binary)]
    ]
    assert tools.commands(TEMPLATE, Path("x.hex"), None) == [["pyocd", "flash", "-t", "it", "x.hex"]]
    assert tools.commands(TEMPLATE, Path("x.uf2"), None) == []
    with pytest.raises(FlashError, match="say which with --device"):
        tools.commands(TEMPLATE, binary, None)
    assert "'/a b/x.bin'    (esptool: pip install esptool)" in tools.by_hand(
        tools.commands(TEMPLATE, binary, "/dev/ttyX")
    )


@pytest.fixture
def a_board_for_esptool(monkeypatch: pytest.MonkeyPatch) -> None:
    told = replace(boards.load("esp32"), flashing=boards.profile.Flashing("esptool", TEMPLATE))
    monkeypatch.setattr(boards, "load", lambda board: told)


def test_without_the_tool_the_exact_command_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, a_board_for_esptool: None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    chosen = Firmware(tmp_path / "x.bin", "esp32", None)
    with pytest.raises(
        FlashError, match=r"esptool --port /dev/ttyX write_flash 0x1000 .*x\.bin +\(esptool: pip install"
    ):
        flash_by_tool(chosen, "/dev/ttyX")
    with pytest.raises(FlashError, match=r"esp32 takes \.bin, \.hex; x\.uf2 is none"):
        flash_by_tool(Firmware(tmp_path / "x.uf2", "esp32", None), "/dev/ttyX")


@pytest.mark.skipif(os.name != "posix", reason="the tool's stand-in is a shell script")
def test_an_installed_tool_is_run_and_its_failure_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, a_board_for_esptool: None
) -> None:
    tool = tmp_path / "esptool"
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\nexit 0\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    chosen = Firmware(tmp_path / "x.bin", "esp32", None)
    assert flash_by_tool(chosen, "/dev/ttyX", lambda spec: Board("")) is None  # type: ignore[arg-type,return-value]
    assert (tmp_path / "said").read_text() == f"--port /dev/ttyX write_flash 0x1000 {tmp_path}/x.bin\n"
    tool.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(FlashError, match="failed; esp32 may be without firmware"):
        flash_by_tool(chosen, "/dev/ttyX")


def test_nothing_is_written_unless_somebody_says_so(tmp_path: Path) -> None:
    path = firmware_file(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", "from host_tools.cli.main import app; app()", "flash", "--board", "rpi_pico"]
        + ["--firmware", str(path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1 and "say --yes" in done.stderr and "Traceback" not in done.stderr


def test_a_board_is_not_flashed_as_another() -> None:
    done = CliRunner().invoke(app, ["flash", "--board", "rpi_pico2", "--device", "emu:rpi_pico"])
    assert done.exit_code == 1
