"""Models on FAT: numbered files, of which the engine takes the newest whole one, whatever moment the power goes.

The file system is MicroPython's own, in memory of the unix device, on a block device that stops writing after a number
of blocks, as a board without power does. Mounting it anew afterwards is the restart.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator

import pytest

from host_tools.device import Device, DeviceError
from host_tools.device.models import file_system, models, push_model, remove_model
from tests.models import model_file

_DISK = """
import vfs

class Disk:
    def __init__(self, blocks):
        self.blocks = blocks
        self.memory = bytearray(blocks * 512)
        self.left = 1 << 20
        self.written = 0
    def readblocks(self, block, buffer):
        buffer[:] = self.memory[block * 512 : block * 512 + len(buffer)]
    def writeblocks(self, block, buffer):
        for i in range(len(buffer) // 512):
            self.written += 1
            if self.left > 0:
                self.left -= 1
                self.memory[(block + i) * 512 : (block + i + 1) * 512] = buffer[i * 512 : (i + 1) * 512]
    def ioctl(self, operation, argument):
        return self.blocks if operation == 4 else 512 if operation == 5 else 0

disk = Disk(300)
vfs.VfsFat.mkfs(disk)
vfs.mount(vfs.VfsFat(disk), "/fat")
"""


@pytest.fixture
def fat(device: Device) -> Iterator[Device]:
    """The unix device with an empty FAT file system of 150 KB on /fat."""
    device.soft_reset()
    device.exec(_DISK)
    yield device
    device.soft_reset()


@pytest.fixture(scope="module")
def old_and_new() -> tuple[bytes, bytes]:
    """Two models of the same size; the labels, at the end, differ."""
    old = model_file("digits.nnm").read_bytes()
    return old, old[:-1] + bytes([old[-1] ^ 1])


def names(device: Device) -> list[str]:
    return [entry.name for entry in device.listdir("/fat")]


def loaded(device: Device, path: str = "/fat/model.nnm") -> str:
    """The hash of what the engine loads as `path`."""
    return device.exec(
        "import hashlib, nnmicro\n"
        f"_d = hashlib.sha256(nnmicro.Net({path!r}).data).digest()\n"
        "print(''.join('%02x' % b for b in _d))"
    ).decode().strip()  # fmt: skip


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def restart(device: Device) -> None:
    """The board gets its power back."""
    device.exec("vfs.umount('/fat')\ndisk.left = 1 << 20\nvfs.mount(vfs.VfsFat(disk), '/fat')")


def test_fat_is_told_from_other_file_systems(fat: Device) -> None:
    assert file_system(fat, "/fat/model.nnm") == "VfsFat"
    assert file_system(fat, "/fatter.nnm") != "VfsFat"


def test_generations_count_up_and_the_engine_takes_the_newest(fat: Device, old_and_new: tuple[bytes, bytes]) -> None:
    old, new = old_and_new
    assert push_model(fat, old, "/fat/model.nnm").path == "/fat/model.1.nnm"
    assert loaded(fat) == sha256(old)
    assert push_model(fat, new, "/fat/model.nnm").path == "/fat/model.2.nnm"
    assert loaded(fat) == sha256(new)
    assert names(fat) == ["model.2.nnm"]
    again = push_model(fat, new, "/fat/model.nnm")
    assert again.skipped and again.path == "/fat/model.2.nnm"


def test_a_file_of_the_plain_name_is_replaced_too(fat: Device, old_and_new: tuple[bytes, bytes]) -> None:
    old, new = old_and_new
    fat.write_file(old, "/fat/model.nnm")
    assert loaded(fat) == sha256(old)
    push_model(fat, new, "/fat/model.nnm")
    assert names(fat) == ["model.1.nnm"]
    assert loaded(fat) == sha256(new)


def test_a_newest_generation_that_is_not_whole_is_passed_over(fat: Device, old_and_new: tuple[bytes, bytes]) -> None:
    old, new = old_and_new
    push_model(fat, old, "/fat/model.nnm")
    for number, content in (
        (2, new[:-16]),
        (3, new[:8] + b"\0\0\0\0" + new[12:]),
        (4, b""),
        (10, new[:100]),
        (9, new[:48] + b"x" + new[49:]),
    ):
        fat.write_file(content, f"/fat/model.{number}.nnm")
    fat.write_file(b"", "/fat/model.x.nnm")
    assert loaded(fat) == sha256(old)
    assert [each.path for each in models(fat, "/fat") if each.whole] == ["/fat/model.1.nnm"]
    assert push_model(fat, new, "/fat/model.nnm").path == "/fat/model.11.nnm"
    assert loaded(fat) == sha256(new)
    assert names(fat) == ["model.11.nnm", "model.x.nnm"]


def test_a_model_that_is_nowhere_is_said_to_be_missing(fat: Device) -> None:
    with pytest.raises(DeviceError, match="OSError.*ENOENT"):
        loaded(fat, "/fat/nothing.nnm")


def test_models_are_listed_and_removed_with_all_that_belongs_to_them(
    fat: Device, old_and_new: tuple[bytes, bytes]
) -> None:
    old, new = old_and_new
    for number, content in ((1, old), (2, new)):
        fat.write_file(content, f"/fat/model.{number}.nnm")
    fat.write_file(old, "/fat/model.x.nnm")
    fat.write_file(b"half", "/fat/model.3.nnm.part")
    assert [(each.name, each.path, each.whole, each.superseded) for each in models(fat, "/fat")] == [
        ("model.nnm", "/fat/model.1.nnm", True, True),
        ("model.nnm", "/fat/model.2.nnm", True, False),
        ("model.nnm", "/fat/model.3.nnm.part", False, False),
        ("model.x.nnm", "/fat/model.x.nnm", True, False),
    ]
    assert len(remove_model(fat, "/fat/model.nnm")) == 3
    assert names(fat) == ["model.x.nnm"]
    assert remove_model(fat, "/fat/model.nnm") == []


def cut_everywhere(device: Device, old: bytes, new: bytes, step: int) -> None:
    """Replace `old` by `new` with the power going after every `step`-th block that is written."""
    states = set()
    left = 0
    while True:
        device.exec("vfs.umount('/fat')\nvfs.VfsFat.mkfs(disk)\nvfs.mount(vfs.VfsFat(disk), '/fat')")
        push_model(device, old, "/fat/model.nnm")
        device.exec(f"disk.left = {left}\ndisk.written = 0")
        with contextlib.suppress(DeviceError):  # what the board sees of its dying flash
            push_model(device, new, "/fat/model.nnm")
        written = device.eval("disk.written")
        restart(device)
        found = loaded(device)
        assert found in (sha256(old), sha256(new)), f"neither after {left} of {written} blocks"
        states.add(found)
        # The next push works, whatever is there.
        push_model(device, new, "/fat/model.nnm")
        assert loaded(device) == sha256(new)
        if left >= written:
            break
        left += step
    assert states == {sha256(old), sha256(new)}
    assert left > 40


def test_power_cut_at_many_blocks_leaves_the_old_or_the_new_model(
    fat: Device, old_and_new: tuple[bytes, bytes]
) -> None:
    cut_everywhere(fat, *old_and_new, step=13)


@pytest.mark.slow
def test_power_cut_at_every_block_leaves_the_old_or_the_new_model(
    fat: Device, old_and_new: tuple[bytes, bytes]
) -> None:
    cut_everywhere(fat, *old_and_new, step=1)
