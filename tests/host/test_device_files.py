"""The device's files: what arrives, what is refused, and that the old file stays."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import pytest

from host_tools.device import Device, DeviceError, DeviceFileNotFound

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
    assert report.wire_bytes > len(NEW)
    assert seen[-1] == (len(NEW), len(NEW))
    assert device.read_file("/a.bin") == NEW
    assert device.hash_file("/a.bin") == (sha256(NEW), "device")


@pytest.mark.parametrize("content", [b"", b"\x00", b"\r\n\x03\x04", os.urandom(4097)])
def test_any_content_survives_both_ways(device: Device, content: bytes) -> None:
    device.write_file(content, "/any.bin")
    assert device.read_file("/any.bin") == content


def test_what_is_there_already_is_not_sent_again(device: Device) -> None:
    device.write_file(NEW, "/same.bin")
    report = device.write_file(NEW, "/same.bin")
    assert report.skipped and report.verified_by == "device"
    assert report.wire_bytes < 1000


def test_a_same_size_file_with_other_content_is_replaced(device: Device) -> None:
    device.write_file(NEW, "/same.bin")
    assert not device.write_file(NEW[::-1], "/same.bin").skipped
    assert device.read_file("/same.bin") == NEW[::-1]


def test_an_interrupted_write_keeps_the_old_file(device: Device) -> None:
    device.write_file(OLD, "/model.nnm")

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        device.write_file(NEW, "/model.nnm", progress=stop)
    assert device.read_file("/model.nnm") == OLD
    assert "model.nnm.part" not in names(device)


def test_a_transfer_that_arrives_damaged_is_not_put_in_place(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    device.write_file(OLD, "/model.nnm")
    real = device._link.run

    def damage(code: str | bytes, *rest: Any) -> tuple[bytes, bytes]:
        # A base64 digit that became another one: still base64, of the same length.
        return real(code.replace(b"_p(b'AAEC", b"_p(b'AAED") if isinstance(code, bytes) else code, *rest)

    monkeypatch.setattr(device._link, "run", damage)
    with pytest.raises(DeviceError, match="arrived damaged"):
        device.write_file(NEW, "/model.nnm")
    assert device.read_file("/model.nnm") == OLD
    assert "model.nnm.part" not in names(device)


def test_a_device_without_hashlib_is_read_back(device: Device) -> None:
    device.exec("import sys\nsys.modules['hashlib'] = object()")  # import then finds no sha256 in it
    try:
        report = device.write_file(os.urandom(3000), "/back.bin")
    finally:
        device.soft_reset()
    assert report.verified_by == "read back"


def test_a_full_device_says_what_it_needs(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "eval", lambda expression, timeout=0: (512, 2))
    with pytest.raises(DeviceError, match="needs 25600 bytes and the device has 1024 free"):
        device.write_file(NEW, "/full.bin")


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
