"""A model in ROMFS takes none of a board's RAM for its weights; the heap proves it, on the emulated Cortex-M4F."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from host_tools.device import push_engine
from host_tools.device.qemu import QemuDevice
from host_tools.device.romfs import push_romfs
from tests.boards import lacking
from tests.models import model_file

BOARD = "qemu_cortex_m4f"
_LOAD = """
import gc, nnmicro
from nnmicro import arena, check, load, names, net
gc.collect()
_before = gc.mem_alloc()
_n = nnmicro.Net({path!r})
gc.collect()
print(gc.mem_alloc() - _before, _n.mapped)
"""


@pytest.fixture(scope="module")
def board() -> Iterator[QemuDevice]:
    reason = lacking(f"emu:{BOARD}")
    if reason:
        pytest.skip(reason)
    with QemuDevice(f"emu:{BOARD}", BOARD) as device:
        push_engine(device)
        yield device


def heap_of(board: QemuDevice, path: str) -> tuple[int, bool]:
    """Bytes of heap that a loaded net keeps, and whether it says that it uses the file where it lies."""
    board.soft_reset()
    taken, mapped = board.exec(_LOAD.format(path=path)).decode().split()
    return int(taken), mapped == "True"


def test_a_net_from_romfs_keeps_less_heap_by_the_size_of_the_file(board: QemuDevice) -> None:
    model = model_file("digits.nnm").read_bytes()
    push_romfs(board, model, "digits.nnm")
    board.write_file(model, "/copy.nnm")
    in_place, mapped = heap_of(board, "/rom/digits.nnm")
    copied, not_mapped = heap_of(board, "/copy.nnm")
    print(f"\nheap of a net of {len(model):,} bytes: {in_place:,} from ROMFS, {copied:,} from littlefs")
    assert mapped and not not_mapped
    assert abs(copied - in_place - len(model)) < 512
    # Found by its plain name where no other file has it.
    by_name, mapped = heap_of(board, "digits.nnm")
    assert mapped and by_name - in_place < 512
