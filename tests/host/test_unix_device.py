"""The unix device as a process: what it says about itself, and that nothing is left of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from host_tools.device import Device, DeviceError, RemoteError, open_device
from host_tools.device.info import parse
from host_tools.device.unix import UnixDevice

looks_into_proc = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in Linux's /proc")


@pytest.mark.parametrize("answer", [b"", b"[1]\n", b"{'mpy': 'x'}\n", b"(" * 5000, b"\xff\xfe", b"None\n"])
def test_a_device_that_talks_nonsense_is_an_error(answer: bytes) -> None:
    with pytest.raises(DeviceError, match="makes no sense"):
        parse(answer)


def test_a_device_describes_itself(device: Device) -> None:
    info = device.info()
    assert info.machine == "unix"
    assert info.version >= (1, 25, 0)
    assert info.mpy_version == 6
    assert info.has_hashlib
    assert 0 < (info.largest_block or 0) <= info.free_heap <= info.heap


def test_the_heap_is_as_large_as_asked_for() -> None:
    with open_device("unix", heapsize="256K") as small:
        assert 200_000 < small.info().heap <= 256 * 1024
        with pytest.raises(RemoteError, match="MemoryError"):
            small.exec("bytearray(300000)")


@looks_into_proc
def test_nothing_is_left_after_closing() -> None:
    with UnixDevice() as device:
        folder, pid = device.folder, device.pid
        device.exec("import os\nos.system('sleep 60 &')")
        assert device.eval("__import__('sys').path") == ["", ".frozen", "/lib"]
    assert not folder.exists()
    # In the group of the interpreter, without zombies that this container's first process does not reap.
    left = [status for status in _statuses() if status[2] == str(pid) and status[0] != "Z"]
    assert left == []
    device.close()


def test_a_process_that_dies_is_named_and_starts_again() -> None:
    with UnixDevice() as device:
        device.write_file(b"x", "/kept")
        with pytest.raises(DeviceError, match="was ended by SIGKILL"):
            device.exec("import os\nos.system('kill -KILL $PPID')")
        device.soft_reset()
        assert device.read_file("/kept") == b"x"


@looks_into_proc
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_device_ends_with_the_program_that_opened_it(end: signal.Signals, tmp_path: Path) -> None:
    program = """
        from host_tools.device import open_device
        with open_device("unix") as device:
            print(device.pid, flush=True)
            device.exec("while True: pass")
    """
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    time.sleep(0.1)
    owner.send_signal(end)
    owner.wait(timeout=10)
    owner.stdout.close()
    deadline = time.monotonic() + 5
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(pid)
    if end == signal.SIGINT:
        assert list(tmp_path.iterdir()) == []


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return ") Z " not in status


def _statuses() -> list[list[str]]:
    """State, parent and process group of every process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found.append(path.read_text().rpartition(") ")[2].split()[:3])
    return found


def test_a_bad_heap_size_is_explained() -> None:
    with pytest.raises(DeviceError, match="is no heap size"):
        open_device("unix", heapsize="lots")
