"""Whole int8 networks on the emulated Pico, whose flashed firmware has the engine in it: `nnmicro run` pushes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import nnmicro
from host_tools.cli.main import app
from host_tools.convert import convert, to_nnm
from host_tools.model_file import ModelFile
from host_tools.quantise import quantised_graph
from tests.host import int8_models
from tests.host.pico_board import BOARD, built_firmware

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[2] / "host_tools" / "demo"


def run_there(model: ModelFile, given: np.ndarray, folder: Path) -> np.ndarray:
    """The bytes of the only output."""
    built_firmware()
    (folder / model.name).write_bytes(model.data)
    np.save(folder / "input.npy", given)
    (name,) = model.net.inputs
    arguments = ["run", str(folder / model.name), "--device", f"emu:{BOARD}", "--json"]
    arguments += ["--input", f"{name}={folder / 'input.npy'}", "--output", str(folder / "output.npz")]
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["backend"] == "_nnmicro"
    with np.load(folder / "output.npz") as outputs:
        (found,) = outputs.values()
    return np.asarray(found)


def test_keyword_spotting_gives_the_bytes_of_litert(tmp_path: Path) -> None:
    model = ModelFile(bytes(convert(int8_models.path("kws"))), "kws.nnm")
    for i in range(2):
        (expected,) = (int8_models.expected("kws", 2)[i][str(name)] for name in model.net.outputs)
        found = run_there(model, int8_models.inputs("kws", 2)[i], tmp_path)
        np.testing.assert_array_equal(found.ravel(), expected.ravel())


def test_digits_in_int8_give_the_bytes_of_plain_python_here(tmp_path: Path) -> None:
    graph, _ = quantised_graph(DEMO / "digits.onnx", DEMO / "digits_calibration.npz")
    model = ModelFile(bytes(to_nnm(graph)), "digits.nnm")
    given = np.random.default_rng(0).uniform(0, 1, model.net.shape(model.net.inputs[0])).astype(np.float32)
    net = nnmicro.Net(model.data, nnmicro.Option(backend="reference"))
    with net.extractor() as ex:
        ex.input(net.inputs[0], given)
        blob = ex.extract(net.outputs[0])
        expected = np.frombuffer(blob.tobytes(), blob.dtype)
    np.testing.assert_array_equal(run_there(model, given, tmp_path).ravel(), expected)
