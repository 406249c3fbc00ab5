"""Real float32 TFLite networks beside LiteRT: every blob that both name, within the float tolerance."""

from __future__ import annotations

import numpy as np
import pytest

import nnmicro
from host_tools.convert import to_nnm
from host_tools.importers import load_model
from tests.host import litert
from tests.host.graph_oracle import TOLERANCE
from tests.models.shared import shared

pytestmark = pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed")

MODELS = (
    "mlperf_tiny/ad_float32.tflite",
    "mlperf_tiny/ic_float32.tflite",
    "mlperf_tiny/vww_float32.tflite",
    "tflm/hello_world_float.tflite",
    "emlearn/mnist_cnn_fp32.tflite",
)


@pytest.mark.parametrize("fuse", [False, True], ids=["whole", "fused"])
@pytest.mark.parametrize("model", MODELS)
def test_every_blob_is_what_litert_computes(model: str, fuse: bool) -> None:
    path = shared(f"models/{model}")
    net = nnmicro.Net(to_nnm(load_model(path), fuse=fuse), nnmicro.Option(lightmode=False))
    content = path.read_bytes()
    ((tensor, shape),) = litert.inputs_of(content).items()
    data = np.random.default_rng(3).uniform(-1, 1, shape).astype(np.float32)
    (results,) = litert.run_all(content, [{tensor: data}])
    names = litert.names_of(content)
    known = {net.name(i) for i in range(net.n_blobs)}
    compared = 0
    with net.extractor() as ex:
        ex.input(net.inputs[0], data)
        for index, right in results.items():
            if names.get(index) not in known:
                continue
            found = np.frombuffer(ex.extract(names[index]).tobytes(), np.float32).reshape(right.shape)
            assert np.abs(found - right).max() <= TOLERANCE * np.abs(right).max(), names[index]
            compared += 1
    assert compared >= 3
