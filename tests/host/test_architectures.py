"""Well-known architectures with random weights: converted, run on the unix device, and compared with onnxruntime."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from tests.models.architectures import ARCHITECTURES

PARAMETERS = {"vision_transformer": 200_000, "characters": 100_000}


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_unix_device_gives_what_onnxruntime_computes(name: str, tmp_path: Path) -> None:
    source, converted = tmp_path / f"{name}.onnx", tmp_path / f"{name}.nnm"
    onnx.save(ARCHITECTURES[name](), source)
    done = CliRunner().invoke(app, ["convert", str(source), "-o", str(converted)])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(app, ["verify", str(converted), "--against", str(source), "--samples", "1", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["agrees"]


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_transformers_are_as_large_as_they_say(name: str) -> None:
    stored = ARCHITECTURES[name]().graph.initializer
    count = sum(int(np.prod(tensor.dims)) for tensor in stored if tensor.data_type == onnx.TensorProto.FLOAT)
    assert 0.8 * PARAMETERS[name] < count < 1.25 * PARAMETERS[name]
