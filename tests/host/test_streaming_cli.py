"""`convert --stream`, `--feed` and `--room`, what the other commands say of such a file, and running it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.host.test_cli import DIGITS, nnmicro, refused, said


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
