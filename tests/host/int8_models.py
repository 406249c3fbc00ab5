"""The int8 networks of the shared folder, their inputs (random and real), and LiteRT's every tensor for them."""

from __future__ import annotations

import functools
import wave
from pathlib import Path

import numpy as np

from host_tools.convert import to_nnm
from host_tools.importers import load_model
from host_tools.model_file import ModelFile
from tests.host import litert
from tests.models.shared import shared

Blobs = dict[str, np.ndarray]

MODELS = {
    "kws": "mlperf_tiny/kws_int8.tflite",
    "ic": "mlperf_tiny/ic_int8.tflite",
    "vww": "mlperf_tiny/vww_int8.tflite",
    "ad": "mlperf_tiny/ad_int8.tflite",
    "hello_world": "tflm/hello_world_int8.tflite",
    "micro_speech": "tflm/micro_speech_quantized.tflite",
    "mnist": "emlearn/mnist_cnn_int8.tflite",
}


@functools.cache
def converted(name: str) -> ModelFile:
    """The model as an `.nnm` file with every blob of the source."""
    return ModelFile(to_nnm(load_model(shared(f"models/{MODELS[name]}")), fuse=False), f"{name}.nnm")


@functools.cache
def inputs(name: str, count: int) -> tuple[np.ndarray, ...]:
    """`count` inputs as the model takes them, int8: real ones first, then random ones of several kinds."""
    (shape,) = litert.inputs_of(path(name).read_bytes()).values()
    found = _real(name, shape)
    random = np.random.default_rng(7)
    while len(found) < count:
        kind = len(found) % 4
        if kind == 0:  # all values alike
            values = random.integers(-128, 128, shape)
        elif kind == 1:  # few extremes
            values = random.choice([-128, 127], shape)
        elif kind == 2:  # smooth
            values = np.clip(np.cumsum(random.normal(0, 9, int(np.prod(shape)))).reshape(shape), -128, 127)
        else:  # nearly constant
            values = random.integers(-128, 128) + random.integers(-3, 4, shape)
        found.append(np.clip(values, -128, 127).astype(np.int8))
    return tuple(found[:count])


def path(name: str) -> Path:
    return shared(f"models/{MODELS[name]}")


def _real(name: str, shape: tuple[int, ...]) -> list[np.ndarray]:
    if name == "kws":
        return [np.fromfile(shared("inputs/kws_input_s8_49x10x1.bin"), np.int8).reshape(shape)]
    if name == "mnist":
        return [(digit(i).astype(np.int16) - 128).astype(np.int8).reshape(shape) for i in range(10)]
    if name == "vww":
        pictures = [
            np.fromfile(shared(f"inputs/person/{n}.bmp"), np.uint8)[-96 * 96 :] for n in ("person", "no_person")
        ]
        grey = [(p.reshape(96, 96)[::-1].astype(np.int16) - 128).astype(np.int8) for p in pictures]
        return [np.repeat(g[..., None], 3, 2).reshape(shape) for g in grey]
    if name == "ad":
        spectrogram = np.fromfile(shared("inputs/ad_normal_id_01_00000000_hist_librosa.bin"), np.float32)
        scale, zero = converted(name).net.quantisation(converted(name).net.inputs[0])
        values = np.clip(np.round(spectrogram / scale) + zero, -128, 127).astype(np.int8).reshape(-1, 128)
        return [values[i : i + 5].reshape(shape) for i in range(0, 60, 12)]
    if name == "micro_speech":
        return [_energies(word, shape) for word in ("yes", "no")]
    return []


def digit(i: int) -> np.ndarray:
    """A real handwritten digit `i`: 28 x 28 grey values, 0 to 255."""
    return np.fromfile(shared(f"inputs/mnist/mnist_example_{i}.bin"), np.uint8).reshape(28, 28)


def _energies(word: str, shape: tuple[int, ...]) -> np.ndarray:
    """A second of speech as 49 frames of 40 log energies, scaled to int8: real sound, but not the model's front end."""
    with wave.open(str(shared(f"inputs/speech/{word}_1000ms.wav"))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32)
    frames = np.stack([samples[i * 320 : i * 320 + 480] for i in range(49)]) * np.hanning(480)
    bands = np.abs(np.fft.rfft(frames, 512))[:, 1:241].reshape(49, 40, 6).sum(2)
    energy = np.log1p(bands)
    return np.clip(energy / energy.max() * 255 - 128, -128, 127).astype(np.int8).reshape(shape)


@functools.cache
def expected(name: str, count: int) -> tuple[Blobs, ...]:
    """LiteRT's value of every tensor, by the blob's name, for each input."""
    model = path(name).read_bytes()
    (tensor,) = litert.inputs_of(model)
    results = litert.run_all(model, [{tensor: values} for values in inputs(name, count)])
    names = litert.names_of(model)
    known = {str(converted(name).net.name(i)) for i in range(converted(name).net.n_blobs)}
    return tuple({names[t]: value for t, value in result.items() if names.get(t) in known} for result in results)
