"""A push onto the emulated Pico whose power goes in the middle, at many moments: the old model or the new.

The emulator's flash is a file that follows every erasing and programming at once, and killing the emulator is the loss
of power. The moment is after so many frames and then some milliseconds, in which the board hashes, erases, renames.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator

import pytest

from host_tools.device import DeviceError, push_engine
from host_tools.device.models import push_model
from host_tools.device.pico import PicoDevice
from host_tools.device.romfs import push_romfs
from host_tools.device.transfer import WriteReport
from tests.host.pico_board import built_firmware
from tests.models import model_file

Push = Callable[[PicoDevice, bytes], WriteReport]
_LOAD = """
import hashlib
from nnmicro.generations import newest
with open(newest({path!r}), 'rb') as _f:
    _s = hashlib.sha256()
    while True:
        _d = _f.read(1024)
        if not _d: break
        _s.update(_d)
print(''.join('%02x' % _b for _b in _s.digest()))
"""


def to_littlefs(device: PicoDevice, content: bytes) -> WriteReport:
    return push_model(device, content, "/model.nnm")


def to_romfs(device: PicoDevice, content: bytes) -> WriteReport:
    return push_romfs(device, content, "model.nnm")


WAYS = [pytest.param(to_littlefs, "/model.nnm", id="littlefs"), pytest.param(to_romfs, "/rom/model.nnm", id="romfs")]


@pytest.fixture(scope="module")
def pico() -> Iterator[PicoDevice]:
    """A board with the part of the engine that finds models."""
    with PicoDevice(firmware=built_firmware()) as device:
        push_engine(device, modules=["generations", "port"])
        yield device


@pytest.fixture(scope="module")
def old_and_new() -> tuple[bytes, bytes]:
    old = model_file("digits.nnm").read_bytes()
    return old, old[:16_000] + bytes(byte ^ 0x55 for byte in old[16_000:])


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def loaded(device: PicoDevice, path: str) -> str:
    return device.exec(_LOAD.format(path=path)).decode().strip()


def push_and_cut(device: PicoDevice, push: Push, content: bytes, frames: int, delay: float) -> bool:
    """Push, and take the power away `delay` seconds after so many frames; False if the push was over before."""
    link, sent = device._link, 0
    write = link.write

    def counted(frame: bytes) -> None:
        nonlocal sent
        write(frame)
        sent += 1
        if sent == frames:
            time.sleep(delay)
            device.cut_power()

    link.write = counted  # type: ignore[method-assign]
    try:
        push(device, content)
    except DeviceError:
        pass
    finally:
        link.write = write  # type: ignore[method-assign]
    cut = not device.is_running
    device.restart()
    return cut


@pytest.mark.parametrize(("push", "path"), WAYS)
def test_power_cut_while_a_model_is_pushed_leaves_the_old_one(
    pico: PicoDevice, old_and_new: tuple[bytes, bytes], push: Push, path: str
) -> None:
    old, new = old_and_new
    push(pico, old)
    assert push_and_cut(pico, push, new, frames=5, delay=0.0)
    assert loaded(pico, path) == sha256(old)
    push(pico, new)
    assert loaded(pico, path) == sha256(new)


@pytest.mark.slow
@pytest.mark.parametrize(("push", "path"), WAYS)
def test_power_cut_at_many_moments_leaves_the_old_or_the_new_model(
    pico: PicoDevice, old_and_new: tuple[bytes, bytes], push: Push, path: str
) -> None:
    old, new = old_and_new
    moments = random.Random(1)
    found = set()
    frames = 1
    while True:
        push(pico, old)
        # Longest where the board does most behind one frame: hashing and renaming.
        if not push_and_cut(pico, push, new, frames, moments.choice([0.0, 0.002, 0.01, 0.05, 0.2])):
            break
        got = loaded(pico, path)
        assert got in (sha256(old), sha256(new)), frames
        found.add(got)
        frames += 1
    assert sha256(old) in found and frames > 6
    if path.startswith("/rom"):
        assert sha256(new) in found
