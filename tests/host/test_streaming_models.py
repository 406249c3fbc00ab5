"""MLPerf Tiny's networks run row by row: LiteRT's bytes, in so little memory."""

from __future__ import annotations

import shutil
from array import array
from pathlib import Path

import numpy as np
import pytest

import nnmicro
from firmware.native import host
from host_tools.convert import Options, convert
from host_tools.streaming.convert import Streaming
from tests.host import litert
from tests.host.test_streaming_engine import Native, poisoned
from tests.models.shared import shared

pytestmark = [
    pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc"),
    pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed"),
    pytest.mark.slow,
]


def streamed(model: Path, mode: str, fed: list[str], room: int | None = None) -> nnmicro.Net:
    """A converted model with its kernels in C."""
    data = convert(model, None, Options(stream=Streaming(mode, fed, room)))
    net = nnmicro.Net(data, nnmicro.Option(backend="reference"))
    library = host.sanitized()
    net.native_kernels = array("h", [library.kernel(op) for op in net.op_names])
    assert min(net.native_kernels) >= -1
    net.native = Native(library, net.native_kernels)
    return net


@pytest.mark.parametrize(
    ("name", "mode", "fed", "most"),
    [
        ("kws", "max", False, 4352),
        ("kws", "max", True, 4352),
        ("kws", "auto", False, 6144),  # less takes a tenth more instructions than whole tensors
        ("ic", "max", False, 11776),
        ("ic", "max", True, 11776),
        ("ic", "auto", False, 15872),
        ("vww", "max", False, 28672),
        ("vww", "auto", False, 30720),
        ("vww", "max", True, 13056),
        ("vww", "auto", True, 17408),
    ],
)
def test_outputs_are_the_originals(name: str, mode: str, fed: bool, most: int) -> None:
    model = shared(f"models/mlperf_tiny/{name}_int8.tflite")
    content = model.read_bytes()
    ((tensor, shape),) = litert.inputs_of(content).items()
    rng = np.random.default_rng(3)
    pictures = [rng.integers(-128, 128, shape).astype(np.int8) for _ in range(2)]
    expected = litert.run_all(content, [{tensor: picture} for picture in pictures])
    whole = nnmicro.Net(convert(model))
    net = streamed(model, mode, list(whole.inputs) if fed else [])
    assert net.arena_size <= most
    assert net.arena_size % 16 == 0
    with net.extractor(arena=poisoned(net.arena_size, 1)) as ex:
        for picture, tensors in zip(pictures, expected, strict=True):
            if fed:
                for row in picture[0]:
                    ex.feed(net.inputs[0], row.tobytes())
            else:
                ex.input(net.inputs[0], picture.tobytes())
            got = np.frombuffer(ex.extract(net.outputs[0]).tobytes(), np.int8)
            assert any(np.array_equal(got, value.ravel()) for value in _outputs(content, tensors))
            ex.reset()


def _outputs(content: bytes, tensors: dict[int, np.ndarray]) -> list[np.ndarray]:
    import tflite

    graph = tflite.Model.GetRootAs(content, 0).Subgraphs(0)
    return [tensors[int(t)] for t in graph.OutputsAsNumpy()]


def test_no_more_is_streamed_than_the_room_asks_for() -> None:
    model = shared("models/mlperf_tiny/kws_int8.tflite")
    calls = []
    for room in (4096, 8192, 16000):
        data = convert(model, None, Options(stream=Streaming("auto", room=room)))
        net = nnmicro.Net(data)
        assert net.arena_size <= room
        calls.append(net.words[net.steps_at + 2] if net.steps_at else net.n_layers)
    assert calls[0] > calls[1] > calls[2] == 12
