"""Every blob that both name, computed on the device, beside the source's own runtime.

The ncnn graphs run at a small input size, as pushing and running them takes its time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from host_tools.convert import to_nnm
from host_tools.demo import digits
from host_tools.device import Device
from host_tools.graph import Graph
from host_tools.importers import load_model
from host_tools.model_file import ModelFile
from host_tools.reader import read_program
from host_tools.remote.inference import RemoteInference
from nnmicro import format as f
from tests.host.graph_oracle import TOLERANCE, Blobs, ncnn_blobs, onnx_blobs, random_inputs
from tests.models.ncnn_weights import write_random_weights
from tests.models.shared import shared


def blobs_on_device(device: Device, graph: Graph, inputs: Blobs) -> Blobs:
    """All blobs of a graph, computed on the device with lightmode off."""
    names = [tensor.name for tensor in graph.blobs()]
    model = ModelFile(to_nnm(graph, fuse=False))
    device.write_file(model.data, "/blobs.nnm")
    try:
        remote = RemoteInference(device, "/blobs.nnm", model, lightmode=False)
        for name, values in inputs.items():
            remote.input(name, values)
        found = {name: remote.output(name) for name in names}
        peak, alone = remote.infer(*model.net.outputs).live_peak, model.net.lightmode_off_size
        program = read_program(model.net)
        views = sum(blob.owner >= 0 for blob in program.blobs)
        # What a layer is written over has memory of its own then.
        over = sum(bool(step.flags & f.OVER) for step in program.layers)
        assert peak < alone if views > over else peak == alone
        return found
    finally:
        device.remove("/blobs.nnm")


def compare(found: Blobs, expected: Blobs) -> int:
    """Compare what both name; returns how many."""
    both = found.keys() & expected.keys()
    for name in sorted(both):
        right = expected[name]
        assert found[name].size == right.size, name
        difference = np.abs(found[name].ravel() - right.ravel()).max()
        assert difference <= TOLERANCE * np.abs(right).max(), (name, difference)
    return len(both)


@pytest.mark.parametrize("which", ["digits", "keywords"])
def test_onnx(device: Device, which: str) -> None:
    if which == "digits":
        path = Path(digits.__file__).with_name("digits.onnx")
    else:
        path = shared("models/mlonmcu/micro_kws_m_static_fp32.onnx")
    graph = load_model(path)
    inputs = random_inputs(graph, high=16.0)
    found = blobs_on_device(device, graph, inputs)
    assert compare(found, onnx_blobs(onnx.load(path), inputs)) >= 15


@pytest.mark.parametrize(
    "name,size,encoding,outputs",
    [
        ("squeezenet", 33, "fp16", None),
        ("mobilenet_v2", 32, "fp32", None),
        ("yolo-fastest-1.1", 64, "codebook", ["120_854", "129_922"]),
    ],
)
def test_ncnn(device: Device, tmp_path: Path, name: str, size: int, encoding: str, outputs: list[str] | None) -> None:
    param = shared(f"models/ncnn/bench_{name}.param")
    binary = tmp_path / "weights.bin"
    write_random_weights(param, binary, encoding)
    shapes = {"data": (3, size, size)}
    graph = load_model(param, binary, input_shapes=shapes, outputs=outputs)
    inputs = random_inputs(graph)
    found = blobs_on_device(device, graph, inputs)
    expected = ncnn_blobs(param, binary, inputs, [blob for blob in found if blob not in inputs])
    assert compare(found, expected) == len(found) - len(inputs)
