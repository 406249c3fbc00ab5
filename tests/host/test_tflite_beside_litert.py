"""Every operator of the TFLite importer, from file to answer: the small models of tflite_models.py beside LiteRT."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.pool import Pool
from pathlib import Path

import numpy as np
import pytest

import nnmicro
from host_tools.convert import to_nnm
from host_tools.importers import load_model
from tests.host import litert
from tests.host.graph_oracle import TOLERANCE
from tests.host.tflite_models import CASES

pytestmark = pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed")

# LiteRT takes only inputs that a random one is not among, or none at all in this type.
NOT_COMPARED = {"SQRT, int8": "LiteRT refuses negative inputs"}


@pytest.fixture(scope="module")
def interpreters() -> Iterator[Pool]:
    """A process for each model (a second model in one has crashed), forked so that each starts in no time."""
    import ai_edge_litert.interpreter  # noqa: F401

    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        yield pool


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_answer_is_litert_s(interpreters: Pool, tmp_path: Path, name: str) -> None:
    if name in NOT_COMPARED:
        pytest.skip(NOT_COMPARED[name])
    path = tmp_path / "small.tflite"
    path.write_bytes(CASES[name]())
    random = np.random.default_rng(11)
    shapes, types = litert.inputs_of(path.read_bytes()), litert.types_of(path.read_bytes())
    given = {}
    for index, shape in shapes.items():
        if types[index] == np.int8:
            given[index] = random.integers(-128, 128, shape).astype(np.int8)
        else:
            given[index] = random.uniform(0.1, 3, shape).astype(types[index])
    (right,) = interpreters.apply(litert.run_here, (path.read_bytes(), [given]))
    names = litert.names_of(path.read_bytes())
    for fuse in (False, True):
        net = nnmicro.Net(to_nnm(load_model(path), fuse=fuse), nnmicro.Option(backend="reference"))
        with net.extractor() as ex:
            for index, values in given.items():
                if names[index] in net.inputs:
                    ex.input(names[index], values)
            for output in net.outputs:
                expected = next(right[i] for i, known in names.items() if known == output and i in right)
                blob = ex.extract(output)
                found = np.frombuffer(blob.tobytes(), blob.dtype).reshape(blob.shape)
                if blob.dtype == "float32":
                    assert np.abs(found - expected.reshape(found.shape)).max() <= TOLERANCE * np.abs(expected).max()
                else:
                    np.testing.assert_array_equal(found, expected.reshape(found.shape))
