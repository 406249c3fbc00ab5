"""Visual wake words on the emulated Pico from ROMFS: how much of its 264 KB of RAM that takes, all counted."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import boards
from host_tools.cli.main import app
from host_tools.convert import convert
from host_tools.device.pico import PicoDevice
from host_tools.device.romfs import push_romfs
from host_tools.model_file import ModelFile
from tests.host import int8_models
from tests.host.pico_board import BOARD, built_firmware

pytestmark = pytest.mark.slow

MOST = 100_000  # bytes of RAM

# The input goes right from a file into the arena, as a camera's driver would put it there.
PROGRAM = """\
import gc
gc.collect()
started = gc.mem_alloc()
ballast = bytearray(gc.mem_free() + started - {heap})
import nnmicro, os
net = nnmicro.Net("/rom/vww.nnm")
ex = net.extractor()
with open("/input.bin", "rb") as file:
    file.readinto(ex.input_view(net.inputs[0]).view())
result = bytes(ex.extract(net.outputs[0]).view())
gc.collect()
print((started, gc.mem_alloc() - len(ballast), net.mapped, result))
"""


@pytest.fixture(scope="module")
def model() -> ModelFile:
    return ModelFile(bytes(convert(int8_models.path("vww"))), "vww.nnm")


@pytest.fixture(scope="module")
def board() -> Iterator[PicoDevice]:
    with PicoDevice(firmware=built_firmware()) as device:
        yield device


def wanted(model: ModelFile, i: int) -> np.ndarray:
    return int8_models.expected("vww", 2)[i][str(model.net.outputs[0])]


def test_it_runs_in_100_000_bytes_of_ram_in_all(
    board: PicoDevice, model: ModelFile, capsys: pytest.CaptureFixture[str]
) -> None:
    push_romfs(board, model.data, "vww.nnm")
    profile = boards.load(BOARD)
    board.exec("import gc")
    heap = int(board.eval("gc.mem_free() + gc.mem_alloc()"))
    reserved = int(profile.extra["firmware"]["arena"])
    arena = model.net.arena_size
    # What the linker gave to neither heap nor arena: variables, the stack's 8 KB, the collector's tables.
    firmware = profile.memory.ram - reserved - heap
    left = MOST - firmware - arena
    for i in range(2):
        board.soft_reset()
        board.write_file(int8_models.inputs("vww", 2)[i].tobytes(), "/input.bin")
        board.soft_reset()
        answer = board.exec(PROGRAM.format(heap=left), timeout=300)
        started, alive, mapped, result = ast.literal_eval(answer.decode())
        assert mapped
        np.testing.assert_array_equal(np.frombuffer(result, np.int8)[:2], wanted(model, i).ravel())
    with capsys.disabled():
        print(
            f"\nRAM of visual wake words on {profile.name}: firmware {firmware:,} (variables, stack, tables) "
            f"+ arena {arena:,} (of {reserved:,}) + heap at most {left:,} (MicroPython's own at start {started:,}, "
            f"alive afterwards {alive:,}) = at most {firmware + arena + left:,} bytes"
        )


def test_run_pushes_it_into_romfs_and_gives_what_litert_gives(model: ModelFile, tmp_path: Path) -> None:
    built_firmware()
    np.save(tmp_path / "person.npy", int8_models.inputs("vww", 1)[0])
    (tmp_path / model.name).write_bytes(model.data)
    arguments = ["run", str(tmp_path / model.name), "--device", f"emu:{BOARD}", "--romfs", "--json"]
    told = CliRunner().invoke(app, [*arguments, "--input", f"{model.net.inputs[0]}={tmp_path / 'person.npy'}"])
    assert told.exit_code == 0, told.output
    (output,) = json.loads(told.stdout)["outputs"].values()
    np.testing.assert_array_equal(np.array(output).ravel(), wanted(model, 0).ravel())
