"""Models packed for the Cortex-M4, on the emulated one: every blob identical to LiteRT's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import boards
from host_tools.device import DeviceError
from host_tools.device.engine_for import push_engine_for
from host_tools.device.models import push_model
from host_tools.device.qemu import QemuDevice
from host_tools.fit import judge
from host_tools.model_file import ModelFile
from host_tools.packing import pack
from host_tools.remote.inference import RemoteInference
from tests.host import int8_models, litert, stock_boards
from tests.host.blobs_on_board import compare_with_litert
from tests.host.test_qemu_device import require

pytestmark = pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed")

BOARD, OTHER = "qemu_cortex_m4f", "qemu_cortex_m3"
FAST = "kws"
COUNT = 4


@pytest.fixture(scope="module")
def board() -> Iterator[QemuDevice]:
    require(BOARD)
    with QemuDevice(f"emu:{BOARD}", BOARD) as device:
        yield device


def packed(name: str) -> ModelFile:
    return ModelFile(pack(int8_models.converted(name).data, "cortex-m4").data, f"{name}.nnm")


@pytest.mark.parametrize(
    "name",
    [name if name == FAST else pytest.param(name, marks=pytest.mark.slow) for name in sorted(int8_models.MODELS)],
)
def test_every_blob_is_that_of_litert(board: QemuDevice, name: str) -> None:
    model = packed(name)
    assert model.packed == (0 if name == "micro_speech" else model.packable)
    compare_with_litert(board, name, model, 1 if name == FAST else COUNT)


@pytest.mark.slow
def test_a_board_without_our_firmware_gets_the_kernels_with_the_model() -> None:
    with stock_boards.qemu(BOARD) as device:
        model = packed(FAST)
        engine = push_engine_for(device, model)
        assert engine.native == "int8" and not engine.warnings
        remote = RemoteInference(device, push_model(device, model.data, f"/{model.name}").path, model)
        remote.input(model.net.inputs[0], int8_models.inputs(FAST, 1)[0])
        (output,) = model.net.outputs
        remote.infer(output)
        np.testing.assert_array_equal(remote.output(output), int8_models.expected(FAST, 1)[0][output])
        # Python has no such layers.
        with pytest.raises(DeviceError, match="--core generic"):
            push_engine_for(device, model, backend="viper")


@pytest.mark.slow
def test_a_core_without_the_kernels_gets_nothing() -> None:
    require(OTHER, may_build=True)
    with QemuDevice(f"emu:{OTHER}", OTHER) as device:
        with pytest.raises(DeviceError, match="Cortex-M4, M7 and M33.*repack MODEL --core generic"):
            push_engine_for(device, packed(FAST))


def test_info_says_which_boards_can_run_it() -> None:
    model = packed(FAST)
    for name in ("rpi_pico2", "nrf52840_dk", "teensy41", BOARD):
        board = boards.load(name)
        assert judge(model, board, stock=board.ours is None).fits, name
    for name in ("rpi_pico", "esp32c3", OTHER, "unix"):
        board = boards.load(name)
        found = judge(model, board, stock=board.ours is None)
        assert any("--core generic" in reason for reason in found.reasons), name
        assert not any(other in " ".join(found.advice) for other in ("RP2040", "ESP32"))
