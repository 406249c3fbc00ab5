"""Models in ROMFS: used in place, and whole at whatever moment the power goes.

The partition is memory of the unix device that behaves as flash does: erasing sets a block's bits, writing clears bits,
and after a number of such operations the last one is done by half and all others not at all. MicroPython's own VfsRom
mounts it. tests/host/test_push_power_cut.py does the same on the emulated Pico.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.device import Device, DeviceError
from host_tools.device import romfs_image as image
from host_tools.device.romfs import push_romfs, remove_from_romfs
from host_tools.device.romfs_image import BLOCK, Directory, Place
from tests.models import model_file

_FLASH = """
import sys, vfs
real = vfs

class Flash(bytearray):
    def change(self, at, new):
        self.done += 1
        if self.left <= 0:
            return
        self.left -= 1
        if self.left == 0:
            new = new[: self.torn or len(new) // 2]
        self[at : at + len(new)] = new
    def writeblocks(self, block, data, offset=0):
        at = block * 4096 + offset
        assert len(data) % 256 == 0 and offset % 256 == 0
        self.change(at, bytes(a & b for a, b in zip(self[at : at + len(data)], data)))
    def ioctl(self, operation, argument):
        if operation == 6:
            self.change(argument * 4096, bytes(b"\\xff" * 4096))
            return 0
        return len(self) // 4096 if operation == 4 else 4096

flash = Flash(BLOCKS * 4096)
flash.left = 1 << 20
flash.done = 0
flash.torn = 0

class WithRom:
    VfsRom = real.VfsRom
    mount = real.mount
    umount = real.umount
    @staticmethod
    def rom_ioctl(operation, *rest):
        return flash if operation == 2 else 1

sys.modules["vfs"] = WithRom

def restart(left=1 << 20):
    flash.left = left
    flash.done = 0
    try:
        real.umount("/rom")
    except OSError:
        pass
    try:
        real.mount(real.VfsRom(flash), "/rom")
    except OSError:
        pass
"""


@pytest.fixture
def rom(device: Device) -> Iterator[Device]:
    """The unix device with a ROMFS partition of 96 KB that was never written."""
    device.soft_reset()
    device.exec(_FLASH.replace("BLOCKS", "24"))
    yield device
    device.soft_reset()


@pytest.fixture(scope="module")
def old_and_new() -> tuple[bytes, bytes]:
    old = model_file("digits.nnm").read_bytes()
    return old, old[:-1] + bytes([old[-1] ^ 1])


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def loaded(device: Device, path: str = "/rom/model.nnm") -> tuple[str, bool]:
    """The hash of what the engine loads, and whether it uses it where it lies."""
    answer = device.exec(
        "import hashlib, nnmicro\n"
        f"_n = nnmicro.Net({path!r})\n"
        "print(''.join('%02x' % b for b in hashlib.sha256(_n.data).digest()), _n.mapped)"
    )
    digest, mapped = answer.decode().split()
    return digest, mapped == "True"


def test_a_model_in_romfs_is_used_where_it_lies(rom: Device, old_and_new: tuple[bytes, bytes]) -> None:
    old, new = old_and_new
    report = push_romfs(rom, old, "in_place.nnm")
    assert (report.path, report.sha256, report.verified_by) == ("/rom/in_place.nnm", sha256(old), "device")
    assert loaded(rom, "/rom/in_place.nnm") == (sha256(old), True)
    # Found by its plain name too, since no other file has it.
    assert loaded(rom, "in_place.nnm") == (sha256(old), True)
    assert rom.eval("__import__('uctypes').addressof(_n.data) % 16") == 0
    assert push_romfs(rom, old, "in_place.nnm").skipped
    push_romfs(rom, new, "in_place.nnm")
    assert loaded(rom, "/rom/in_place.nnm") == (sha256(new), True)


def test_other_models_there_are_kept(rom: Device, old_and_new: tuple[bytes, bytes]) -> None:
    old, new = old_and_new
    push_romfs(rom, old, "a.nnm")
    push_romfs(rom, new, "b.nnm")
    push_romfs(rom, b"text", "c.txt")
    push_romfs(rom, new, "a.nnm")
    assert [(each.name, each.size) for each in rom.listdir("/rom")] == [
        ("a.nnm", len(new)), ("b.nnm", len(new)), ("c.txt", 4),
    ]  # fmt: skip
    assert rom.read_file("/rom/a.nnm") == rom.read_file("/rom/b.nnm") == new
    assert remove_from_romfs(rom, "a.nnm")
    assert not remove_from_romfs(rom, "a.nnm")
    assert [each.name for each in rom.listdir("/rom")] == ["b.nnm", "c.txt"]


def test_what_does_not_fit_beside_the_old_one_is_refused(rom: Device) -> None:
    push_romfs(rom, bytes(50_000), "model.nnm")
    with pytest.raises(DeviceError, match=r"has 60,000 bytes, and the ROMFS of 98,304 .* beside model.nnm .50,000"):
        push_romfs(rom, bytes(60_000), "model.nnm")
    assert rom.read_file("/rom/model.nnm") == bytes(50_000)
    remove_from_romfs(rom, "model.nnm")
    assert push_romfs(rom, bytes(60_000), "model.nnm").bytes == 60_000


def test_an_image_of_others_is_left_alone(rom: Device) -> None:
    others = b"\xd2\xcd\x31\x0b\x05\x09\x05a.txt\x02\x02hi"
    rom.exec(f"flash[:{len(others)}] = {others!r}\nrestart()")
    assert rom.read_file("/rom/a.txt") == b"hi"
    with pytest.raises(DeviceError, match="holds an image that nnmicro did not make"):
        push_romfs(rom, b"x", "model.nnm")
    assert rom.read_file("/rom/a.txt") == b"hi"
    # An empty image is nobody's.
    rom.exec("flash[:4] = b'\\xd2\\xcd\\x31\\x00'\nrestart()")
    push_romfs(rom, b"x", "model.nnm")


def test_a_device_without_a_partition_says_so(device: Device) -> None:
    with pytest.raises(DeviceError, match="cannot take models into ROMFS: it has no ROMFS partition"):
        push_romfs(device, b"x", "model.nnm")


def test_a_push_that_broke_off_goes_on_where_it_stopped(rom: Device) -> None:
    content = bytes(n * n % 251 for n in range(60_000))

    def stop(sent: int, total: int) -> None:
        if sent > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push_romfs(rom, content, "model.nnm", stop)
    report = push_romfs(rom, content, "model.nnm")
    assert report.resumed >= 28_672
    assert rom.read_file("/rom/model.nnm") == content


def test_a_device_without_hashlib_is_read_back(rom: Device) -> None:
    rom.exec("sys.modules['hashlib'] = object()")
    assert push_romfs(rom, bytes(5000), "model.nnm").verified_by == "read back"


def cut_everywhere(device: Device, old: bytes, new: bytes, step: int, torn: int) -> None:
    """`torn` bytes of the last operation are done, or half of it."""
    states = []
    left = 1
    while True:
        device.exec("flash[:] = b'\\xff' * len(flash)\nrestart()")
        push_romfs(device, old, "model.nnm")
        device.exec(f"flash.left = {left}\nflash.done = 0\nflash.torn = {torn}")
        with contextlib.suppress(DeviceError):  # what the board sees of its dying flash
            push_romfs(device, new, "model.nnm")
        done = device.eval("flash.done")
        device.exec("restart()")
        found, mapped = loaded(device)
        assert mapped and found in (sha256(old), sha256(new)), f"neither after {left} of {done} operations"
        states.append(found)
        push_romfs(device, new, "model.nnm")
        assert loaded(device)[0] == sha256(new)
        # And both directories say so.
        device.exec("flash[:4] = bytes(4)\nrestart()")
        assert loaded(device)[0] == sha256(new)
        if left > done:
            break
        left += step
    assert states == sorted(states, key=[sha256(old), sha256(new)].index)
    assert set(states) == {sha256(old), sha256(new)} and left > 15


def test_power_cut_at_some_operations_leaves_the_old_or_the_new_model(
    rom: Device, old_and_new: tuple[bytes, bytes]
) -> None:
    cut_everywhere(rom, *old_and_new, step=4, torn=16)


@pytest.mark.slow
@pytest.mark.parametrize("torn", [0, 2, 16, 40])
def test_power_cut_at_every_operation_leaves_the_old_or_the_new_model(
    rom: Device, old_and_new: tuple[bytes, bytes], torn: int
) -> None:
    cut_everywhere(rom, *old_and_new, step=1, torn=torn)


@given(
    st.dictionaries(st.text("abc.nm", min_size=1, max_size=9), st.integers(0, 100_000), max_size=12),
    st.sampled_from([0, BLOCK]),
    st.integers(0, 1 << 31),
)
def test_a_directory_is_read_as_it_was_written(sizes: dict[str, int], base: int, number: int) -> None:
    directory = Directory(number, {})
    for name, size in sizes.items():
        start = directory.gap(size, 1 << 21)
        assert start is not None
        directory = Directory(number, {**directory.files, name: Place(start, size)})
    block = directory.block(base)
    assert len(block) == BLOCK
    assert image.parse(block, base, 1 << 21) == directory
    places = sorted(directory.files.values(), key=lambda place: (place.start, place.end))
    assert all(a.end <= b.start for a, b in zip(places, places[1:], strict=False))


@given(st.binary(max_size=200), st.binary(max_size=64))
def test_a_directory_of_anything_is_none_or_checked(tail: bytes, records: bytes) -> None:
    assert image.parse(tail, 0, 1 << 20) is None
    head = Directory(1, {}).block(0)[:21] + len(records).to_bytes(2, "little")
    head += image.binascii.crc32(records).to_bytes(4, "little") + records
    directory = image.parse(head, 0, 1 << 20)
    if directory is not None:
        assert all(2 * BLOCK <= place.start <= place.end <= 1 << 20 for place in directory.files.values())
