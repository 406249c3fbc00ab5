"""The models that measurements run: the demo's, and those of the shared folder that are there."""

from __future__ import annotations

from host_tools.convert import to_nnm
from host_tools.demo import digits
from host_tools.importers import load_model
from host_tools.model_file import ModelFile
from tests.models.shared import found

SHARED = {
    "hello": "tflm/hello_world_int8.tflite",
    "hello_float": "tflm/hello_world_float.tflite",
    "speech": "tflm/micro_speech_quantized.tflite",
    "mnist": "emlearn/mnist_cnn_int8.tflite",
    "mnist_float": "emlearn/mnist_cnn_fp32.tflite",
    "kws": "mlperf_tiny/kws_int8.tflite",
    "ad": "mlperf_tiny/ad_int8.tflite",
    "ic": "mlperf_tiny/ic_int8.tflite",
    "vww": "mlperf_tiny/vww_int8.tflite",
}


def bench_models() -> dict[str, ModelFile]:
    """By name; smallest first within each source."""
    models = {"digits": digits.converted(), "digits_int8": digits.quantised()}
    for name, file in SHARED.items():
        path = found(f"models/{file}")
        if path is not None:
            models[name] = ModelFile(to_nnm(load_model(path)), f"{name}.nnm")
    return models
