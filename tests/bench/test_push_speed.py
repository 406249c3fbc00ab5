"""Pushing a 300 KB file onto the emulated Pico beside `mpremote cp` of the same file: time and bytes on the wire.

    pytest tests/bench/test_push_speed.py -m bench -s

The emulator computes with what this computer has left, so seconds depend on what else runs; each pair is measured one
right after the other. A push hashes on the board what it wrote, which cp does not.
"""

from __future__ import annotations

import os
import time

import pytest

from host_tools.convert import convert
from host_tools.device.models import push_model
from host_tools.device.pico import PicoDevice
from tests.host.pico_board import built_firmware
from tests.models.shared import shared

pytestmark = pytest.mark.bench


def converted_visual_wake_words() -> bytes:
    """A real int8 model of 263 KB."""
    return bytes(convert(shared("models/mlperf_tiny/vww_int8.tflite")))


def copied(device: PicoDevice, content: bytes, path: str) -> tuple[float, int]:
    """Seconds and bytes on the wire of mpremote's own way, `fs_writefile`, over the same link."""
    device.eval("1")
    started, sent = time.monotonic(), device.bytes_sent
    device._link._transport.fs_writefile(path, content)
    return time.monotonic() - started, device.bytes_sent - sent


def test_a_push_is_faster_than_a_copy() -> None:
    with PicoDevice(firmware=built_firmware()) as device:
        print(f"\n{'':<14}{'bytes':>9}{'cp s':>8}{'push s':>8}{'of cp':>7}{'cp wire':>10}{'push wire':>10}{'of cp':>7}")
        for name, content, most in (
            ("vww int8", converted_visual_wake_words(), 1 / 3),
            ("random bytes", os.urandom(300_000), 1.0),
        ):
            cp_seconds, cp_wire = copied(device, content, "/copied.bin")
            assert device.hash_file("/copied.bin")[1] == "device"
            device.remove("/copied.bin")
            started = time.monotonic()
            report = push_model(device, content, "/pushed.nnm")
            seconds = time.monotonic() - started
            assert report.verified_by == "device" and not report.skipped
            print(
                f"{name:<14}{len(content):>9,}{cp_seconds:>8.1f}{seconds:>8.1f}"
                f"{seconds / cp_seconds:>7.2f}{cp_wire:>10,}{report.wire_bytes:>10,}"
                f"{report.wire_bytes / cp_wire:>7.2f}"
            )
            device.remove("/pushed.nnm")
            assert seconds <= most * cp_seconds
            assert report.wire_bytes <= most * cp_wire
