"""What the engine costs on a 32-bit board: heap and instructions on an emulated Cortex-M4F."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from host_tools.device import push_engine
from host_tools.device.qemu import QemuDevice
from tests.boards import lacking
from tests.models import model_file

BOARD = "qemu_cortex_m4f"
pytestmark = pytest.mark.bench

LOAD = """\
import nnmicro
image = bytes((i * 7 + 3) % 17 for i in range(64))
net = nnmicro.Net("/digits.nnm", nnmicro.Option(backend="reference"))
ex = net.extractor()
def infer():
    ex.reset()
    ex.input("image", image)
    return ex.extract("scores")
infer()
"""


@pytest.fixture(scope="module")
def board() -> Iterator[QemuDevice]:
    reason = lacking(f"emu:{BOARD}", may_build=True)
    if reason:
        pytest.skip(reason)
    with QemuDevice(f"emu:{BOARD}", BOARD) as device:
        push_engine(device)
        device.write_file(model_file("digits.nnm"), "/digits.nnm")
        device.soft_reset()
        yield device


def heap(board: QemuDevice) -> int:
    """Bytes in use. A program of its own, for a frame that is still there may hold on to what it is done with."""
    return int(board.eval("(__import__('gc').collect(), __import__('gc').mem_alloc())[1]"))


def test_heap_of_the_engine_and_of_a_network(board: QemuDevice, capsys: pytest.CaptureFixture[str]) -> None:
    board.soft_reset()
    start = heap(board)
    board.exec("import nnmicro")
    package = heap(board) - start
    board.exec(LOAD)
    everything = heap(board) - start
    arena, file = board.eval("(ex.arena.size, __import__('os').stat('/digits.nnm')[6])")
    board.exec("ex.close()\nex = net = infer = image = None")
    modules = heap(board) - start
    net = everything - modules - arena - file
    with capsys.disabled():
        print(
            f"\n{BOARD}: modules from /lib as .mpy {modules} bytes of heap ({package} after import nnmicro alone); "
            f"Net and Extractor of digits {net} beyond the arena ({arena}) and the file ({file})"
        )
    assert modules < 96 * 1024
    assert net < 8 * 1024


def test_instructions_of_an_inference(board: QemuDevice, capsys: pytest.CaptureFixture[str]) -> None:
    board.soft_reset()
    board.exec(LOAD)
    counts = []
    for _ in range(3):
        board.exec("import gc\ngc.collect()")  # so that the collector has the same to do each time
        counts.append(board.instructions("infer()", timeout=300))
    with capsys.disabled():
        print(f"\n{BOARD}: one inference of digits with the plain Python kernels: {counts} instructions")
    assert max(counts) - min(counts) < max(counts) // 1000
