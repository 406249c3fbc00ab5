"""Profiles of boards: each of them can be true, and what is wrong with one is said by name."""

from __future__ import annotations

import json
import re
from importlib import resources

import pytest
from typer.testing import CliRunner

import boards
from boards import BoardError, profile
from host_tools.cli.main import app

GOOD = """
name = "Board"
chip = "Chip"
core = "cortex-m4f"
clock = 64000000
word_bytes = 4
arch = "armv7emsp"
[memory]
ram = 65536
flash = 1048576
storage = 65536
[stock]
free_heap = 40000
largest_block = 30000
lacks = ["ROMFS"]
[flashing]
method = "dfu"
"""
EXPECTED = (
    "unix rpi_pico rpi_pico2 qemu_cortex_m0 qemu_cortex_m3 qemu_cortex_m4f qemu_cortex_m7 qemu_rv32 "
    "pico_w esp32 esp32s3 esp32c3 "
    "pyboard_v11 nucleo_h743 nrf52840_dk teensy41 xiao_samd21"
)


def source(name: str) -> str:
    return (resources.files("boards") / name / "board.toml").read_text(encoding="utf-8")


def test_the_boards_that_people_own_are_there() -> None:
    assert set(EXPECTED.split()) <= set(boards.names())


@pytest.mark.parametrize("name", boards.names())
def test_every_profile_can_be_true(name: str) -> None:
    board = boards.load(name)
    for firmware in (board.stock, board.ours):
        if firmware is not None:
            assert 0 < firmware.largest_block <= firmware.free_heap <= board.memory.ram
            # What is not on the board cannot be used: no native module without the emitter's architecture.
            if board.module:
                assert board.arch and "native code" not in firmware.lacks


@pytest.mark.parametrize("name", boards.names())
def test_every_figure_names_its_source(name: str) -> None:
    lines = source(name).splitlines()
    for line in lines:
        if re.match(r"(clock|heap|ram|flash|storage|firmware|free_heap|largest_block|romfs|family|address) = ", line):
            assert re.search(r"# \S", line), f"{name}: {line}"


@pytest.mark.parametrize("name", boards.names())
def test_an_estimate_is_marked_for_programs_as_well_as_for_people(name: str) -> None:
    board, section = boards.load(name), ""
    for line in source(name).splitlines():
        section = line.strip("[]") if line.startswith("[") else section
        figure = line.partition(" = ")[0]
        if section in ("stock", "ours") and "# an estimate" in line and figure in ("free_heap", "largest_block"):
            assert figure in getattr(board, section).estimated, f"{name}: {line}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("clock = 64000000", "clok = 64000000"), "unknown key 'clok', did you mean 'clock'"),
        (("clock = 64000000", ""), "the key 'clock' is missing"),
        (("clock = 64000000", 'clock = "fast"'), "clock is a number"),
        (("clock = 64000000", "clock = true"), "clock is a number"),
        (("clock = 64000000", "clock = 0"), "a clock of 0 Hz"),
        (("ram = 65536", "ram = -1"), "below 0"),
        (("ram = 65536", "ram = 30000"), "each is part of the next"),
        (("largest_block = 30000", "largest_block = 50000"), "each is part of the next"),
        (("storage = 65536", "storage = 2000000"), "of flash"),
        (("cortex-m4f", "cortex-m5"), "core is 'cortex-m5'"),
        (('["ROMFS"]', '["ROMFS", "wings"]'), "lacks 'wings'"),
        (('["ROMFS"]', "[]"), "0 bytes of ROMFS"),
        (('["ROMFS"]', '"ROMFS"'), "a list of texts"),
        (("[stock]", "[[stock]]"), "a table of keys"),
        (("[stock]", "stock = 3"), "board"),
        (('method = "dfu"', 'method = "hope"'), "flashing.method is 'hope'"),
        (('method = "dfu"', ""), "flashing: the key 'method' is missing"),
        (("[stock]", '[stock]\nestimated = ["ram"]'), "which is no figure"),
    ],
)
def test_what_is_wrong_with_a_profile_is_said(change: tuple[str, str], said: str) -> None:
    profile.parse("good", GOOD)
    with pytest.raises(BoardError, match=re.escape(said)):
        profile.parse("board", GOOD.replace(*change))


def test_tables_of_other_parts_are_left_to_them() -> None:
    assert profile.parse("good", GOOD + "[firmware]\nport = 'rp2'").extra == {"firmware": {"port": "rp2"}}


def test_an_unknown_board_gets_near_names() -> None:
    with pytest.raises(BoardError, match="did you mean rpi_pico or rpi_pico2"):
        boards.load("rpi-pico3")
    with pytest.raises(BoardError, match="there is no board 'zx81': `nnmicro boards` lists"):
        boards.load("zx81")
    with pytest.raises(BoardError):
        boards.load("../boards/unix")


def test_the_command_lists_them() -> None:
    told = json.loads(CliRunner().invoke(app, ["boards", "--json"]).stdout)["boards"]
    assert [board["board"] for board in told] == list(boards.names())
    pico = next(board for board in told if board["board"] == "rpi_pico")
    assert pico["stock"]["romfs"] == 0 and pico["ours"]["romfs"] == 720896
    assert pico["native_module"] == "armv6m" and pico["flashing"] == "uf2"
    table = CliRunner().invoke(app, ["boards"], env={"COLUMNS": "160"}).stdout
    assert all(name in table for name in boards.names())
