"""`convert --stream`, `--feed`, `--room` and `--board`, what the other commands say of such a file, and running it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import boards
from boards import Board
from host_tools.convert import Options, convert
from host_tools.fit import judge
from host_tools.fit.streamed import fitted
from host_tools.graph import ConversionError
from host_tools.model_file import ModelFile
from tests.host.test_cli import DIGITS, nnmicro, refused, said
from tests.models.shared import shared


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streamed")


def test_a_streamed_file_says_so(folder: Path) -> None:
    whole, small = said("convert", DIGITS, "-o", folder / "w.nnm"), folder / "s.nnm"
    streamed = said("convert", DIGITS, "-o", small, "--stream", "max")
    assert streamed["arena"]["size"] < whole["arena"]["size"]
    assert streamed["streaming"]["fed"] == [] and streamed["streaming"]["calls"] > streamed["layers"]
    assert whole["streaming"] is None
    plan = said("plan", small)
    assert plan["streamed"] and plan["size"] == streamed["arena"]["size"]
    assert all(blob["offset"] + blob["bytes"] <= plan["size"] for blob in plan["blobs"])
    assert "kernel calls" in nnmicro("info", small).stdout and "row by row" in nnmicro("info", small).stdout
    assert "kernel calls" in nnmicro("plan", small).stdout
    told = said("plan", folder / "w.nnm")
    assert not told["streamed"] and told["streamed_size"] <= told["size"]
    assert told["fed_size"] <= told["streamed_size"]


def test_a_fed_input_is_smaller_and_runs_on_a_device(folder: Path) -> None:
    name = said("convert", DIGITS, "-o", folder / "w.nnm")["inputs"][0]["name"]
    fed = said("convert", DIGITS, "-o", folder / "f.nnm", "--stream", "max", "--feed", name, "--golden", 2)
    assert fed["streaming"]["fed"] == [name]
    picture = np.random.default_rng(1).random(fed["inputs"][0]["shape"], np.float32)
    np.save(folder / "x.npy", picture)
    results = []
    for model in ("w.nnm", "f.nnm"):
        done = nnmicro(
            "run", folder / model, "--input", f"{name}={folder / 'x.npy'}", "--output", folder / "y.npz", "--json"
        )
        assert done.returncode == 0, done.stderr
        results.append(dict(np.load(folder / "y.npz")))
    for key, value in results[0].items():
        np.testing.assert_array_equal(value, results[1][key])
    assert nnmicro("verify", folder / "f.nnm").returncode == 0  # its golden vectors
    assert nnmicro("verify", folder / "f.nnm", "--against", DIGITS, "--layers", "--samples", 1).returncode == 0


def test_no_more_is_streamed_than_the_room_asks_for(folder: Path) -> None:
    whole = said("convert", DIGITS, "-o", folder / "w.nnm")["arena"]["size"]
    assert said("convert", DIGITS, "-o", folder / "r.nnm", "--room", whole)["streaming"] is None
    less = said("convert", DIGITS, "-o", folder / "r.nnm", "--room", whole - 512)
    assert less["arena"]["size"] <= whole - 512 and less["streaming"]["calls"] > 0


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--feed", "nothing"), 1, "no input is called that"),
        (("--room", "64"), 1, "too small: the smallest plan found has"),
        (("--stream", "off", "--room", "5"), 2, "need streaming"),
        (("--stream", "max", "--room", "5"), 2, "use --stream auto"),
    ],
)
def test_wrong_use_is_a_sentence(folder: Path, options: tuple[str, ...], code: int, text: str) -> None:
    # The box around a wrong use breaks lines where it likes.
    said_here = refused("convert", DIGITS, "-o", folder / "n.nnm", *options, code=code).replace("│", " ")
    assert text in " ".join(said_here.split())


def test_as_much_is_streamed_as_a_board_needs(folder: Path) -> None:
    roomy = said("convert", DIGITS, "-o", folder / "b.nnm", "--board", "rpi_pico")
    assert roomy["fits"] and roomy["streaming"] is None and "nothing is streamed" in roomy["chosen"]
    found = refused("convert", DIGITS, "-o", folder / "m.nnm", "--board", "xiao_samd21", "--stock")
    assert "not even with the smallest arena found" in found and "--feed" in found
    assert not (folder / "m.nnm").exists()


def test_a_network_between_the_two_is_streamed(folder: Path) -> None:
    model = shared("models/mlperf_tiny/vww_int8.tflite")
    whole = judge(ModelFile(convert(model)), board_with(heap=1 << 20))
    spare = whole.needs.total - 12_000  # so many bytes of arena have to go
    found = fitted(lambda streaming: convert(model, None, Options(stream=streaming)), "vww", board_with(heap=spare))
    assert found.verdict.fits and 28_032 < found.model.net.arena_size <= whole.needs.arena - 12_000
    steps = found.model.streaming()
    assert steps and str(steps["calls"]) in found.why and f"{found.model.net.arena_size:,}" in found.why
    with pytest.raises(ConversionError, match="not even with the smallest arena found, of 28,032 bytes"):
        fitted(lambda streaming: convert(model, None, Options(stream=streaming)), "vww", board_with(heap=30_000))


def board_with(heap: int) -> Board:
    """A Pico whose heap has so many bytes, in one piece, without the arena outside of it, and a ROMFS for the file."""
    pico = boards.load("rpi_pico")
    assert pico.ours
    return replace(pico, extra={}, ours=replace(pico.ours, free_heap=heap, largest_block=heap, romfs=1 << 20))


@pytest.mark.parametrize("more", [("--stream", "max"), ("--stream", "off"), ("--room", "5000")])
def test_a_board_and_another_wish_are_refused(folder: Path, more: tuple[str, ...]) -> None:
    found = refused("convert", DIGITS, "-o", folder / "x.nnm", "--board", "rpi_pico", *more, code=2)
    assert "board needs" in found and not (folder / "x.nnm").exists()
