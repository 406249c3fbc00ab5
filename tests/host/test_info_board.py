"""`nnmicro info MODEL --board B`: the sum, the answer, and what would help."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import boards
from boards import profile
from host_tools.cli.main import app
from host_tools.convert import Options, convert
from host_tools.demo import digits
from host_tools.fit import heap, judge, speed
from host_tools.model_file import ModelFile
from host_tools.streaming.convert import Streaming
from tests.host.test_cli import DIGITS


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    models = {"float": digits.converted(), "int8": digits.quantised()}
    for name, model in models.items():
        (folder / f"{name}.nnm").write_bytes(model.data)
    return {name: folder / f"{name}.nnm" for name in models}


def info(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["info", *map(str, arguments)])


def told(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(info(*arguments, "--json").stdout)
    return found


def test_a_model_that_fits(files: dict[str, Path]) -> None:
    result = info(files["int8"], "--board", "rpi_pico")
    assert result.exit_code == 0, result.output
    assert "it fits" in result.stdout and "Raspberry Pi Pico" in result.stdout and "an estimate" in result.stdout


def test_the_sum_adds_up_and_is_compared_with_what_the_board_has(files: dict[str, Path]) -> None:
    for name in files:
        for arguments in (("rpi_pico",), ("rpi_pico", "--stock"), ("xiao_samd21", "--stock")):
            found = told(files[name], "--board", *arguments)
            needs = dict(found["needs"])
            assert needs.pop("total") == sum(needs.values())
            enough = found["needs"]["total"] <= found["has"]["free_heap"]
            assert found["fits"] == enough
            assert found["largest_block"] <= found["has"]["free_heap"]
            # Our own firmware has it outside the heap.
            assert found["needs"]["arena"] == (found["arena"]["size"] if "--stock" in arguments else 0)
            assert bool(found["reasons"]) != found["fits"]


def documented_size(arch: str, family: str) -> int:
    """Bytes of a native module, from the table of firmware/native/README.md."""
    text = (Path(__file__).parents[2] / "firmware" / "native" / "README.md").read_text()
    (row,) = (line for line in text.splitlines() if line.strip().startswith(f"| {arch} ") and line.count("|") == 5)
    sizes = [int(cell.replace(",", "")) for cell in row.split("|")[2:5]]
    return dict(zip(("all", "float", "int8"), sizes, strict=True))[family]


def test_weights_stay_in_romfs_where_there_is_one(files: dict[str, Path]) -> None:
    ours, stock = (told(files["int8"], "--board", "rpi_pico", *option) for option in ((), ("--stock",)))
    assert ours["in_place"] and ours["needs"]["weights"] == 0 and ours["needs"]["native"] == 0
    assert not stock["in_place"]
    assert stock["needs"]["weights"] == -(-stock["file_bytes"] // 16) * 16
    assert stock["needs"]["native"] == -(-documented_size("armv6m", "int8") // 16) * 16
    assert ours["needs"]["total"] < stock["needs"]["total"]


def test_without_a_board_nothing_changes(files: dict[str, Path]) -> None:
    assert told(files["int8"]) == ModelFile.read(files["int8"]).describe()


def test_a_model_that_does_not_fit_ends_with_1_and_says_what_would_help(files: dict[str, Path]) -> None:
    result = info(files["float"], "--board", "xiao_samd21", "--stock")
    assert result.exit_code == 1
    assert "it does not fit" in result.stdout and "bytes of heap" in result.stdout
    assert "--quantize" in result.stderr and "it fits" in result.stderr
    assert told(files["float"], "--board", "xiao_samd21", "--stock")["fits"] is False


def test_weights_alone_that_do_not_fit_can_stay_in_the_file() -> None:
    pico = boards.load("rpi_pico")
    assert pico.ours

    def advice(stream: Streaming | None) -> str:
        model = ModelFile(convert(DIGITS, None, Options(stream=stream)))
        ours = replace(pico.ours, romfs=0)
        short = judge(model, replace(pico, extra={}, ours=ours)).needs.total - 16
        ours = replace(ours, free_heap=short, largest_block=short)
        found = judge(model, replace(pico, extra={}, ours=ours))
        assert not found.fits
        return " ".join(found.advice)

    assert 'weights="window"' in advice(None)
    # Its weights would be read again for every few rows.
    assert "ROMFS" in advice(Streaming("max")) and "window" not in advice(Streaming("max"))


def test_a_wrong_board_and_wrong_use(files: dict[str, Path]) -> None:
    result = info(files["float"], "--board", "rpi_pic")
    assert result.exit_code == 1 and "did you mean rpi_pico" in result.stderr and "Traceback" not in result.output
    assert info(files["float"], "--stock").exit_code == 2
    result = info(files["float"], "--board", "esp32")
    assert result.exit_code == 1 and "--stock" in result.stderr
    result = info(files["float"], "--board", "unix", "--stock")
    assert result.exit_code == 1 and "leave --stock out" in result.stderr


TINY = """
name = "Tiny"
chip = "Chip"
core = "cortex-m4f"
clock = 64000000
word_bytes = 4
arch = "armv7emsp"
[memory]
ram = 1000000
flash = 1048576
storage = 65536
[stock]
free_heap = {free}
largest_block = {largest}
lacks = ["ROMFS"]
[flashing]
method = "dfu"
"""


def tiny(free: int, largest: int) -> boards.Board:
    return profile.parse("tiny", TINY.format(free=free, largest=largest))


def test_one_byte_less_heap_than_the_sum_does_not_fit(files: dict[str, Path]) -> None:
    model = ModelFile.read(files["int8"])
    total = judge(model, tiny(900_000, 900_000), stock=True).needs.total
    assert judge(model, tiny(total, total), stock=True).fits
    verdict = judge(model, tiny(total - 1, total - 1), stock=True)
    assert not verdict.fits and f"needs {total:,} bytes of heap" in verdict.reasons[0]


def test_the_largest_block_counts_and_not_only_the_sum(files: dict[str, Path]) -> None:
    model = ModelFile.read(files["float"])  # viper or not: the file and the arena are two pieces
    needs = judge(model, tiny(900_000, 900_000), stock=True).needs
    file, arena = needs.pieces[:2]
    assert judge(model, tiny(900_000, file), stock=True).fits
    verdict = judge(model, tiny(900_000, file - 1), stock=True)
    assert not verdict.fits and "in one piece" in verdict.reasons[0]
    # Two blocks: the file fills the one, what is left beside it has to hold the arena.
    enough = tiny(needs.total + arena, needs.total)
    assert judge(model, enough, stock=True).fits


def test_two_pieces_need_room_beside_each_other(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = heap.Needs(engine=100, native=0, net=100, arena=60_000, workspace=0, weights=60_000)
    monkeypatch.setattr(heap, "needs", lambda *_, **__: asked)
    model = ModelFile.read(files["float"])
    assert judge(model, tiny(130_000, 120_000), stock=True).fits  # both in the large block
    assert judge(model, tiny(130_000, 65_000), stock=True).fits  # one in each
    verdict = judge(model, tiny(130_000, 90_000), stock=True)
    assert not verdict.fits and "do not fit beside each other into blocks of 90,000 and 40,000" in verdict.reasons[0]


def test_a_file_that_the_flash_cannot_hold(files: dict[str, Path]) -> None:
    text = TINY.format(free=900_000, largest=900_000).replace("storage = 65536", "storage = 4096")
    verdict = judge(ModelFile.read(files["float"]), profile.parse("tiny", text), stock=True)
    assert not verdict.fits and "keeps 4,096 of files" in verdict.reasons[0]


def test_backends(files: dict[str, Path]) -> None:
    model = ModelFile.read(files["int8"])
    assert judge(model, boards.load("rpi_pico")).backend == "_nnmicro"
    assert judge(model, boards.load("nrf52840_dk"), stock=True).backend == "_nnmicro"
    assert judge(model, boards.load("esp32"), stock=True).backend == "viper"
    assert judge(model, boards.load("xiao_samd21"), stock=True).backend == "reference"


def test_faster_clocks_and_backends_take_less_time(files: dict[str, Path]) -> None:
    model = ModelFile.read(files["int8"])
    pico, board = boards.load("rpi_pico"), tiny(900_000, 900_000)
    for one in (pico, board):
        native, viper, plain = (speed.estimated_ms(model, one, backend) for backend in speed.BACKENDS)
        assert native and viper and plain and native < viper < plain
    assert speed.estimated_ms(model, boards.load("unix"), "_nnmicro") is None
    for name in boards.names():
        if boards.load(name).core != "host":
            assert speed.estimated_ms(model, boards.load(name), "_nnmicro") is not None, name


def test_the_work_of_a_model_is_its_macs(files: dict[str, Path]) -> None:
    for file in files.values():
        model = ModelFile.read(file)
        assert sum(work.macs for work in speed.works(model)) == model.describe()["macs"]


def test_what_importing_a_layer_brings_along() -> None:
    found = heap.closure("reference.depthwise_int8")
    assert {"reference.__init__", "reference.depthwise_int8", "reference.checks_int8", "errors", "port"} <= set(found)
    assert found.index("reference.checks") < found.index("reference.checks_int8") < len(found) - 1
    assert found[-1] == "reference.depthwise_int8" and "reference.softmax_int8" not in found
    assert heap.closure("reference.share") == ()
