"""Models on the emulated RISC-V board, whose kernels are for that core alone: every blob identical to LiteRT's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from host_tools.device.qemu import QemuDevice
from host_tools.model_file import ModelFile
from tests.host import int8_models, litert
from tests.host.blobs_on_board import compare_with_litert
from tests.host.test_qemu_device import require

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed"),
]

BOARD = "qemu_rv32"
COUNT = 4


@pytest.fixture(scope="module")
def board() -> Iterator[QemuDevice]:
    require(BOARD, may_build=True)
    with QemuDevice(f"emu:{BOARD}", BOARD) as device:
        yield device


@pytest.mark.parametrize("name", sorted(int8_models.MODELS))
def test_every_blob_is_that_of_litert(board: QemuDevice, name: str) -> None:
    compare_with_litert(board, name, ModelFile(int8_models.converted(name).data, f"{name}.nnm"), COUNT)
