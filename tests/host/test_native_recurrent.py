"""The loop in C over imported models of the less common layers: what is remembered, too, equals the Python loop's."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import nnmicro
from firmware.native import host
from host_tools.convert import to_nnm
from tests.host.test_native_float_kernels import close
from tests.host.test_native_run import Inference, extract_natively

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert, the oracle of these layers, is not installed")
pytest.importorskip("tflite", reason="tflite, the schema that the models are built with, is not installed")

from tests.host.more_layer_calls import LAYERS, graph_of  # noqa: E402

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")


@pytest.mark.parametrize("op", sorted(LAYERS))
def test_three_inferences_equal_the_python_loop(op: str) -> None:
    native = host.sanitized()
    assert native.kernel(op) >= 0
    graph, _, layers = graph_of(*LAYERS[op])
    net = nnmicro.Net(to_nnm(graph, fuse=False), nnmicro.Option(backend="reference", lightmode=False))
    size = net.lightmode_off_size
    ours, theirs = (net.extractor(lightmode=False, arena=nnmicro.Arena(size, net.n_blobs + 8)) for _ in range(2))
    inference = Inference(native, net, ours, set())
    for inputs in (layers.inputs, layers.more_inputs(), layers.more_inputs()):
        for ex in (ours, theirs):
            for tensor, values in inputs.items():
                ex.input(f"t{tensor}", values)
        for name in net.outputs:
            extract_natively(inference, name, 100)
            a, b = (np.frombuffer(x.tobytes(), x.dtype) for x in (ours.extract(name), theirs.extract(name)))
            assert close(a, b) if a.dtype == np.float32 else np.array_equal(a, b), name
        for ex in (ours, theirs):
            ex.reset()
