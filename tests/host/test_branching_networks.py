"""Networks that concatenate and cut: the source's runtime gives the same, and the arena is never larger than that of
layers that copy."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnx
import pytest
import tflite

import nnmicro
from host_tools.graph import Graph
from host_tools.importers import load_model
from host_tools.layout import lower
from host_tools.passes import run_passes
from host_tools.planner import plan_memory
from host_tools.writer import write
from tests.host import litert
from tests.host.graph_oracle import TOLERANCE, onnx_blobs, random_inputs
from tests.models.branching import NETWORKS, onnx_model, tflite_model

# Bytes of a pixel's element, for each channel of a map.
_MAP = 12 * 12
# Channels in memory at most: layers that copy, and the plan. The 24 that a concatenation of `dense` reads and the 24
# that it makes are not both there where they are made at their place; else a layer's input and output are the peak.
_CHANNELS = {"dense": (48, 36), "inception": (56, 56), "shuffle": (32, 32)}


def loaded(content: bytes, path: Path) -> Graph:
    path.write_bytes(content)
    graph = load_model(path)
    run_passes(graph)
    return graph


def net_of(graph: Graph, item: int, name: str, backend: str) -> nnmicro.Net:
    """With the arena that is said above."""
    program = lower(graph)
    copying, planned = _CHANNELS[name]
    assert plan_memory(copy.deepcopy(program), views=False).size == copying * _MAP * item
    plan = plan_memory(program)
    assert plan.size == plan.lower_bound == planned * _MAP * item
    assert any(blob.owner >= 0 for blob in program.blobs)
    return nnmicro.Net(write(program, plan), nnmicro.Option(backend=backend))


@pytest.mark.parametrize("name", NETWORKS)
def test_float32_is_what_onnxruntime_gives(tmp_path: Path, name: str) -> None:
    model = onnx_model(name)
    graph = loaded(model.SerializeToString(), tmp_path / "small.onnx")
    inputs = random_inputs(graph)
    expected = onnx_blobs(onnx.load_from_string(model.SerializeToString()), inputs)[graph.outputs[0]]
    net = net_of(graph, 4, name, "vector")
    with net.extractor() as ex:
        ex.input("b0", inputs["b0"])
        found = np.array(ex.extract(net.outputs[0]).tolist(), np.float32)
        assert ex.arena.live_peak == net.live_peak and ex.placement == "plan"
    assert np.abs(found - expected).max() <= TOLERANCE * np.abs(expected).max()


@pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed")
@pytest.mark.parametrize("name", NETWORKS)
def test_int8_is_what_litert_gives(tmp_path: Path, name: str) -> None:
    content = tflite_model(name)
    values = np.random.default_rng(2).integers(-128, 128, (1, 12, 12, 3)).astype(np.int8)
    (right,) = litert.run_all(content, [{0: values}])
    graph = loaded(content, tmp_path / "small.tflite")
    expected = right[tflite.Model.GetRootAs(content, 0).Subgraphs(0).Outputs(0)]
    net = net_of(graph, 1, name, "reference")
    with net.extractor() as ex:
        ex.input(net.inputs[0], values)
        found = np.frombuffer(ex.extract(net.outputs[0]).tobytes(), np.int8)
        assert ex.arena.live_peak == net.live_peak and ex.placement == "plan"
    np.testing.assert_array_equal(found, expected.ravel())
    assert len(np.unique(found)) > 20
