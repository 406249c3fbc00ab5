"""The curve of streaming on an emulated Cortex-M4F: bytes against kernel calls against instructions."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from host_tools.convert import Options, convert
from host_tools.device import push_engine
from host_tools.device.qemu import QemuDevice
from host_tools.model_file import ModelFile
from host_tools.streaming.convert import Streaming
from tests.boards import lacking
from tests.host import int8_models
from tests.models.shared import shared

BOARD = "qemu_cortex_m4f"
pytestmark = pytest.mark.bench

# Bytes: what has to be reached with `max` (inputs given whole, then by rows), and what is aimed at.
REQUIRED = {
    ("kws", False): (5632, 4352),
    ("ic", False): (15872, 11776),
    ("vww", False): (29696, 28672),
    ("vww", True): (17408, 11776),
}

LOAD = """\
import nnmicro
net = nnmicro.Net("/model.nnm")
ex = net.extractor()
name = net.inputs[0]
def infer():
    ex.reset()
    ex.input(name, data)
    return ex.extract(net.outputs[0])
found = bytes(infer().tobytes())
import gc
gc.collect()
"""


@pytest.mark.parametrize("name", ["kws", "ic", "vww"])
def test_bytes_against_calls_against_instructions(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    reason = lacking(f"emu:{BOARD}", may_build=True)
    if reason:
        pytest.skip(reason)
    path = shared(f"models/mlperf_tiny/{name}_int8.tflite")
    whole = ModelFile(convert(path))
    image = whole.net.inputs[0]
    asked: list[tuple[str, Streaming | None]] = [("whole tensors", None)]
    size = whole.net.arena_size
    for percent in (56,) if name == "vww" else (50, 33):  # its input alone is half of it
        asked.append((f"{percent} % of it", Streaming("auto", room=size * percent // 1600 * 16)))
    asked += [("auto", Streaming("auto")), ("max", Streaming("max"))]
    asked += [("auto, fed", Streaming("auto", [image])), ("max, fed", Streaming("max", [image]))]
    table = Table(title=f"{name}: arena of an inference on {BOARD}, kernels in C")
    for column in ("streamed", "bytes", "of whole", "bound", "kernel calls", "instructions", "of whole"):
        table.add_column(column, justify="left" if column == "streamed" else "right")
    data = int8_models.inputs(name, 1)[0]
    base = 0
    ratios = []
    with QemuDevice(f"emu:{BOARD}", BOARD) as board:
        push_engine(board)
        for label, wanted in asked:
            model = ModelFile(convert(path, None, Options(stream=wanted)))
            streaming = model.streaming()
            board.write_file(model.data, "/model.nnm")
            board.soft_reset()
            board.exec(f"data = {model.elements(image, data)!r}\n" + LOAD, timeout=3600)
            found = np.frombuffer(board.eval("found"), np.int8)
            np.testing.assert_array_equal(found, int8_models.expected(name, 1)[0][model.net.outputs[0]].ravel())
            count = board.instructions("infer()", timeout=3600)
            base = base or count
            net = model.net
            calls = streaming["calls"] if streaming else net.n_layers
            table.add_row(
                label, f"{net.arena_size:,}", f"{net.arena_size / size:.3f}", f"{net.lower_bound:,}", f"{calls}",
                f"{count:,}", f"{count / base:.3f}",
            )  # fmt: skip
            if label.startswith("auto"):
                ratios.append(count / base)
            if label.startswith("max"):
                required = REQUIRED.get((name, "fed" in label))
                assert required is None or net.arena_size <= required[0]
    with capsys.disabled():
        Console(width=110).print(table)
    assert max(ratios) <= 1.1
