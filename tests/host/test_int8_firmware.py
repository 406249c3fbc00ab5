"""A firmware with the kernels of int8 models alone, the engine frozen in: what it runs, what it says of others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from firmware import build
from firmware.order import ENGINE, INT8
from host_tools.demo import digits
from host_tools.device.engine_for import push_engine_for
from host_tools.device.errors import RemoteError
from host_tools.device.models import push_model
from host_tools.device.qemu import QemuDevice
from host_tools.model_file import ModelFile
from host_tools.packing import pack
from host_tools.remote.inference import RemoteInference
from nnmicro import Net
from tests.host import int8_models, litert
from tests.host.blobs_on_board import compare_with_litert
from tests.host.test_qemu_device import require
from tests.models import model_file

pytestmark = pytest.mark.slow

BOARD = "qemu_cortex_m4f"


@pytest.fixture(scope="module")
def board() -> Iterator[QemuDevice]:
    require(BOARD, may_build=True)
    with QemuDevice(f"emu:{BOARD}", BOARD, firmware=build.firmware(BOARD, ENGINE, INT8)) as device:
        yield device


@pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed")
@pytest.mark.parametrize("core", ["generic", "cortex-m4"])
def test_int8_models_are_what_they_are_with_all_kernels(board: QemuDevice, core: str) -> None:
    model = ModelFile(pack(int8_models.converted("kws").data, core).data, "kws.nnm")
    compare_with_litert(board, "kws", model, 1)
    assert not board.exists("/lib/nnmicro")
    board.soft_reset()
    assert board.eval("len(memoryview(__import__('_nnmicro').arena(1024)))") == 1024


def test_the_ends_of_an_int8_model_that_takes_floats_are_kernels_too(board: QemuDevice) -> None:
    model = digits.quantised()
    assert {"quantize", "dequantize"} <= set(model.kinds)
    report = push_engine_for(board, model)
    assert (report.format, report.sent, report.warnings) == ("frozen", 0, [])
    assert found(board, model) == pytest.approx(expected(model), rel=0, abs=0)


def test_a_float_model_is_refused_with_what_to_do_and_that_helps(board: QemuDevice) -> None:
    model = ModelFile.read(model_file("digits.nnm"))
    board.write_file(model.data, "/digits.nnm")
    with pytest.raises(RemoteError, match="needs layer 'convolution', which this .* nnmicro push MODEL brings"):
        board.exec("import nnmicro\nnnmicro.Net('/digits.nnm')")
    board.soft_reset()
    report = push_engine_for(board, model)
    assert "no kernels in C for binary_op, convolution, " in report.warnings[0]
    assert (report.format, report.sent) == ("frozen", report.files) and report.files > 3
    assert found(board, model) == pytest.approx(expected(model), rel=1e-5, abs=1e-5)


def image(model: ModelFile) -> np.ndarray:
    shape = model.net.shape(model.net.inputs[0])
    return np.random.default_rng(3).random(shape, np.float32)


def found(board: QemuDevice, model: ModelFile) -> np.ndarray:
    remote = RemoteInference(board, push_model(board, model.data, f"/{model.name}").path, model)
    assert remote.backend == "_nnmicro"
    remote.input(model.net.inputs[0], image(model))
    remote.infer(*model.net.outputs)
    return remote.output(model.net.outputs[0])


def expected(model: ModelFile) -> np.ndarray:
    """Of the plain Python layers, here."""
    net = Net(model.data)
    with net.extractor() as extractor:
        name = net.inputs[0]
        extractor.input_view(name).view()[:] = memoryview(model.elements(name, image(model))).cast("B")
        (output,) = net.outputs
        return model.array(output, bytes(extractor.extract(output).view()))
