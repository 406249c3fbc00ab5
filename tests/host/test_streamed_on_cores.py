"""Streamed int8 networks on every emulated core: the kernels' assembler over rings gives the bytes of LiteRT."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import boards
from firmware import qemu_port
from host_tools.convert import Options, convert
from host_tools.device import Device
from host_tools.device.engine_for import push_engine_for
from host_tools.device.models import push_model
from host_tools.device.pico import PicoDevice
from host_tools.device.qemu import QemuDevice
from host_tools.device.romfs import push_romfs
from host_tools.model_file import ModelFile
from host_tools.packing import core_of_board, pack
from host_tools.remote.inference import RemoteInference
from host_tools.streaming.convert import Streaming
from tests.host import int8_models, litert, pico_board
from tests.host.test_qemu_device import require

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed"),
]


@pytest.fixture(scope="module", params=[*qemu_port.BOARDS, pico_board.BOARD])
def board(request: pytest.FixtureRequest) -> Iterator[Device]:
    """The board, its kernels in the firmware."""
    name = request.param
    if name == pico_board.BOARD:
        pico_board.built_firmware()
        with PicoDevice(f"emu:{name}", name) as pico:
            yield pico
    else:
        require(name, may_build=True)
        with QemuDevice(f"emu:{name}", name) as device:
            yield device


@pytest.mark.parametrize("name", ["kws", "ic"])
def test_rings_give_the_bytes_of_litert(board: Device, name: str) -> None:
    plain = convert(int8_models.path(name), None, Options(stream=Streaming("max")))
    core = core_of_board(boards.load(board.spec.removeprefix("emu:")))
    for data in dict.fromkeys((plain, pack(plain, core).data)):
        model = ModelFile(data, f"{name}.nnm")
        assert model.net.steps_at
        in_place = isinstance(board, PicoDevice)  # a streamed model's weights stay in no file
        assert push_engine_for(board, model, mapped=in_place).backend == "_nnmicro"
        path = (push_romfs(board, data, model.name) if in_place else push_model(board, data, f"/{model.name}")).path
        remote = RemoteInference(board, path, model)
        for i, values in enumerate(int8_models.inputs(name, 2)):
            remote.input(model.net.inputs[0], values)
            (output,) = model.net.outputs
            remote.infer(output)
            np.testing.assert_array_equal(remote.output(output), int8_models.expected(name, 2)[i][str(output)])
            remote.reset()
        if not in_place:
            board.remove(path)
