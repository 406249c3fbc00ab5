"""The device's files: what arrives, what is refused, and that the old file stays."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from host_tools.device import Device, DeviceError, DeviceFileNotFound
from host_tools.device.link import Link

OLD, NEW = b"old content", bytes(range(256)) * 100


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def names(device: Device, folder: str = "/") -> list[str]:
    return [entry.name for entry in device.listdir(folder)]


def test_a_file_arrives_and_is_proved_by_the_device(device: Device) -> None:
    seen: list[tuple[int, int]] = []
    report = device.write_file(NEW, "/a.bin", progress=lambda done, total: seen.append((done, total)))
    assert (report.sha256, report.bytes, report.verified_by, report.skipped) == (
        sha256(NEW), len(NEW), "device", False,
    )  # fmt: skip
    assert 100 < report.wire_bytes
    assert seen[-1] == (len(NEW), len(NEW))
    assert device.read_file("/a.bin") == NEW
    assert device.hash_file("/a.bin") == (sha256(NEW), "device")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"\r\n\x03\x04\x1b0\x1b",
        os.urandom(4097),
        b"\x03" * 4096,
        bytes(random.choices(b"\x03\r\x1b1A", k=9000)),
    ],
)
def test_any_content_survives_both_ways(device: Device, content: bytes) -> None:
    device.write_file(content, "/any.bin")
    assert device.read_file("/any.bin") == content


def test_a_device_that_cannot_inflate_gets_the_bytes_themselves(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_info", replace(device.description, has_deflate=False))
    assert device.write_file(NEW, "/plain.bin").wire_bytes > len(NEW)
    assert device.read_file("/plain.bin") == NEW


def test_a_cable_that_is_pulled_leaves_the_old_file_and_a_device_that_can_be_reached_again(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = os.urandom(100), os.urandom(20_000)
    device.write_file(old, "/model.nnm")

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # No Ctrl-C reaches the device: its program waits on for a frame.
        patch.setattr(device._link, "abandon", lambda: None)
        with pytest.raises(KeyboardInterrupt):
            device.write_file(new, "/model.nnm", progress=stop)
    device._link._transport.in_raw_repl = False
    assert device.read_file("/model.nnm") == old
    assert device.write_file(new, "/model.nnm").resumed > 8_000
    assert device.read_file("/model.nnm") == new


def test_what_is_there_already_is_not_sent_again(device: Device) -> None:
    content = os.urandom(25_000)
    assert device.write_file(content, "/same.bin").wire_bytes > 25_000
    report = device.write_file(content, "/same.bin")
    assert report.skipped and report.verified_by == "device"
    assert report.wire_bytes < 5000  # the program that looks


def test_a_same_size_file_with_other_content_is_replaced(device: Device) -> None:
    device.write_file(NEW, "/same.bin")
    assert not device.write_file(NEW[::-1], "/same.bin").skipped
    assert device.read_file("/same.bin") == NEW[::-1]


def test_an_interrupted_write_keeps_the_old_file_and_the_next_goes_on_where_it_stopped(device: Device) -> None:
    old, new = os.urandom(100), os.urandom(40_000)
    device.write_file(old, "/model.nnm")

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        device.write_file(new, "/model.nnm", progress=stop)
    assert device.read_file("/model.nnm") == old
    report = device.write_file(new, "/model.nnm")
    assert 20_000 < report.resumed <= 24_096
    assert report.wire_bytes < 26_000
    assert device.read_file("/model.nnm") == new
    assert "model.nnm.part" not in names(device)


@pytest.mark.parametrize(("left", "zeros"), [(b"something else", 0), (b"", 50_000)])
def test_what_something_else_left_behind_is_not_continued(device: Device, left: bytes, zeros: int) -> None:
    device.exec(f"with open('/model.nnm.part', 'wb') as f: f.write({left!r} + bytes({zeros}))")
    report = device.write_file(NEW, "/model.nnm")
    assert report.resumed == 0
    assert device.read_file("/model.nnm") == NEW


def damaged(link: Link, what: str) -> Callable[[bytes], None]:
    """In place of the link's `write`: changes one byte of the frames of that kind, on the way."""
    write = link.write

    def damage(frame: bytes) -> None:
        if frame[:1].lower() == what.encode() and len(frame) > 40:
            frame = frame[:40] + bytes([frame[40] ^ 64]) + frame[41:]
        write(frame)

    return damage


def test_a_frame_that_arrives_damaged_is_not_written(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = os.urandom(100), os.urandom(10_000)
    device.write_file(old, "/model.nnm")
    with monkeypatch.context() as patch:
        patch.setattr(device._link, "write", damaged(device._link, "s"))
        with pytest.raises(DeviceError, match="arrived damaged. Sending it again goes on"):
            device.write_file(new, "/model.nnm")
    assert device.read_file("/model.nnm") == old
    device.write_file(new, "/model.nnm")
    assert device.read_file("/model.nnm") == new


def test_a_file_that_its_file_system_damaged_is_not_put_in_place(device: Device) -> None:
    """The hash is that of the file read back, not of what came in."""
    device.write_file(OLD, "/model.nnm")
    device.exec(
        "import builtins\n_open = open\n"
        "def damage(path, mode='r'):\n"
        " file = _open(path, mode)\n"
        " if path.endswith('.part') and mode == 'rb': file.seek(1)\n"
        " return file\n"
        "builtins.open = damage\n"
    )
    try:
        with pytest.raises(DeviceError, match="model.nnm arrived damaged .SHA-256 .* and was not put in place"):
            device.write_file(NEW, "/model.nnm")
    finally:
        device.exec("builtins.open = _open")
        device.soft_reset()
    assert device.read_file("/model.nnm") == OLD
    assert "model.nnm.part" not in names(device)


@pytest.mark.parametrize("dropped", ["bytes", "the whole frame"])
def test_a_frame_that_is_lost_ends_in_a_sentence(device: Device, monkeypatch: pytest.MonkeyPatch, dropped: str) -> None:
    write = device._link.write
    monkeypatch.setattr("host_tools.device.conversation._ANSWER_SILENCE_S", 0.3)
    monkeypatch.setattr("host_tools.device.link._READ_TIMEOUT_S", 0.1)

    def lossy(frame: bytes) -> None:
        if frame[:1] in b"sS":
            frame = frame[:-7] if dropped == "bytes" else b""
        write(frame)

    with monkeypatch.context() as patch:
        patch.setattr(device._link, "write", lossy)
        with pytest.raises(DeviceError, match="said nothing"):
            device.write_file(os.urandom(5000), "/lost.bin")
    assert device.eval("1 + 1") == 2
    assert not device.exists("/lost.bin")


def test_many_files_are_written_in_one_go(device: Device) -> None:
    device.makedirs("/many")
    files = {f"/many/{n}": os.urandom(n * 37) for n in range(30)}
    seen: list[tuple[int, int]] = []
    reports = device.write_files(files, progress=lambda done, total: seen.append((done, total)))
    assert [(each.path, each.sha256) for each in reports] == [(path, sha256(c)) for path, c in files.items()]
    assert all(device.read_file(path) == content for path, content in files.items())
    assert seen == sorted(seen) and seen[-1] == (sum(map(len, files.values())),) * 2
    assert sum(each.wire_bytes for each in reports) < sum(map(len, files.values())) * 1.05 + 10_000


def test_a_device_without_hashlib_is_read_back(device: Device) -> None:
    device.exec("import sys\nsys.modules['hashlib'] = object()")  # import then finds no sha256 in it
    try:
        report = device.write_file(os.urandom(3000), "/back.bin")
    finally:
        device.soft_reset()
    assert report.verified_by == "read back"


def test_a_full_device_says_what_it_needs(device: Device) -> None:
    device.exec(
        "import os, sys\n"
        "class Full:\n"
        " stat = os.stat\n"
        " @staticmethod\n"
        " def statvfs(path): return (512, 512, 9, 2, 2)\n"
        "sys.modules['os'] = Full\n"
    )
    try:
        with pytest.raises(DeviceError, match="needs 25600 bytes and the device has 1024 free"):
            device.write_file(NEW, "/full.bin")
    finally:
        device.soft_reset()
    assert not device.exists("/full.bin.part")


def test_missing_files_and_folders_are_named(device: Device) -> None:
    with pytest.raises(DeviceFileNotFound, match="The device has no /nothing."):
        device.read_file("/nothing")
    with pytest.raises(DeviceError, match="no folder /nowhere"):
        device.write_file(b"x", "/nowhere/x")
    with pytest.raises(DeviceError, match="/lib is a folder"):
        device.write_file(b"x", "/lib")


def test_folders_are_made_listed_and_files_renamed_and_removed(device: Device) -> None:
    device.makedirs("/d/e/f")
    device.makedirs("/d/e/f")
    device.write_file(b"1", "/d/e/one")
    device.write_file(b"2", "/d/e/two")
    device.rename("/d/e/one", "/d/e/two")
    assert [(entry.name, entry.is_folder) for entry in device.listdir("/d/e")] == [
        ("f", True),
        ("two", False),
    ]
    assert device.read_file("/d/e/two") == b"1"
    device.remove("/d/e/two")
    assert not device.exists("/d/e/two") and device.stat("/d/e").is_folder
