"""Compares every blob of a converted model with what the source format's own runtime computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import Graph

Blobs = dict[str, np.ndarray]

TOLERANCE = 1e-4


def random_inputs(graph: Graph, seed: int = 1, low: float = -1.0, high: float = 1.0) -> Blobs:
    """Uniform values for each input; indices below 3."""
    random = np.random.default_rng(seed)
    inputs = {}
    for name in graph.inputs:
        tensor = graph.tensor(name)
        real = tensor.dtype != np.int32
        values = random.uniform(low, high, tensor.shape) if real else random.integers(0, 3, tensor.shape)
        inputs[name] = values.astype(np.float32 if real else np.int32)
    return inputs


def engine_blobs(graph: Graph, inputs: Blobs, *, fuse: bool, backend: str | None = None) -> Blobs:
    """All blobs of the graph, run with lightmode off. Conversion changes the graph."""
    net = nnmicro.Net(to_nnm(graph, fuse=fuse), nnmicro.Option(lightmode=False, backend=backend))
    with net.extractor() as extractor:
        for name, values in inputs.items():
            extractor.input(name, values)
        return {
            tensor.name: np.frombuffer(extractor.extract(tensor.name).tobytes(), tensor.dtype).reshape(tensor.shape)
            for tensor in graph.blobs()
            if tensor.name not in graph.states
        }


def onnx_blobs(model: onnx.ModelProto, inputs: Blobs) -> Blobs:
    """All blobs that onnxruntime computes, unoptimised, so that none is fused away."""
    onnxruntime = pytest.importorskip("onnxruntime")
    exposed = onnx.ModelProto()
    exposed.CopyFrom(model)
    outputs = {value.name for value in exposed.graph.output}
    for node in exposed.graph.node:
        for name in node.output:
            if name and name not in outputs:
                exposed.graph.output.append(onnx.ValueInfoProto(name=name))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(exposed.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    wide = {value.name for value in session.get_inputs() if value.type == "tensor(int64)"}
    given = {name: values.astype(np.int64) if name in wide else values for name, values in inputs.items()}
    return dict(zip(names, session.run(names, given), strict=True)) | inputs


def ncnn_blobs(param: Path, binary: Path, inputs: Blobs, names: list[str]) -> Blobs:
    """The named blobs as ncnn computes them in float32 and plain layout, every blob kept."""
    ncnn = pytest.importorskip("ncnn")
    net = ncnn.Net()
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(net.opt, option, False)
    for option in ("use_packing_layout", "use_winograd_convolution", "use_sgemm_convolution", "lightmode"):
        setattr(net.opt, option, False)
    net.opt.num_threads = 1
    assert net.load_param(str(param)) == 0, "ncnn refuses the graph"
    assert net.load_model(str(binary)) == 0, "ncnn refuses the weights"
    extractor = net.create_extractor()
    extractor.set_light_mode(False)
    for name, values in inputs.items():
        assert extractor.input(name, ncnn.Mat(values).clone()) == 0
    blobs = {}
    for name in names:
        status, mat = extractor.extract(name)
        assert status == 0, f"ncnn gives {status} for {name}"
        blobs[name] = np.array(mat)
    return blobs


def assert_same_blobs(graph: Graph, ours: Blobs, reference: Blobs) -> None:
    """Every blob that both have: the same shape, and values within the tolerance. Outputs have to be among
    them.
    """
    common = [name for name in ours if name in reference]
    assert set(graph.outputs) <= set(common)
    for name in common:
        a, b = ours[name], reference[name]
        assert a.shape == b.shape, f"{name}: shape {a.shape}, the source's runtime gives {b.shape}"
        b = b.astype(np.float32) if b.dtype == np.bool_ else b  # truth values are 1 and 0
        worst = float(np.abs(a - b).max())
        bound = TOLERANCE * float(np.abs(b).max())
        assert worst <= bound, f"{name}: differs by {worst}, allowed is {bound}"
