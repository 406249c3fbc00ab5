"""Emulated boards as devices: what they do as a board does, and that nothing is left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import nnmicro
from firmware import build, qemu_port, system_packages
from host_tools.device import DeviceError, RemoteError, open_device, push_engine
from host_tools.device.emulated import EmulatedDevice
from host_tools.device.qemu import QemuDevice
from tests.boards import lacking
from tests.models import model_file

BOARD = "qemu_cortex_m4f"
looks_into_proc = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in Linux's /proc")


def require(board: str, *, may_build: bool = False) -> None:
    pytest.importorskip("pty", reason="emulated boards need an operating system with ptys")
    reason = lacking(f"emu:{board}", may_build=may_build)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def board() -> Iterator[QemuDevice]:
    require(BOARD)
    with QemuDevice(f"emu:{BOARD}", BOARD) as device:
        yield device


# Any emulator


def test_an_emulator_that_ends_at_once_is_reported_with_what_it_said() -> None:
    pytest.importorskip("pty", reason="emulated boards need an operating system with ptys")
    with pytest.raises(DeviceError, match="of emu:none has ended with status 3 and said: no such board"):
        EmulatedDevice("emu:none", ["sh", "-c", "echo no such board >&2; exit 3"])


def test_an_emulator_that_is_not_installed_is_reported() -> None:
    pytest.importorskip("pty", reason="emulated boards need an operating system with ptys")
    with pytest.raises(DeviceError, match="status 127 and said: .*qemu-system-abacus.* not found"):
        EmulatedDevice("emu:none", ["qemu-system-abacus"])


def test_a_board_without_emulator_is_named_with_those_that_have_one() -> None:
    with pytest.raises(DeviceError, match="emu:abacus: there is no emulator.*qemu_cortex_m4f"):
        open_device("emu:abacus")


def test_what_a_board_needs_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert build.missing(BOARD) == ["make", "gcc-arm-none-eabi", "libnewlib-arm-none-eabi"]
    assert system_packages.missing(qemu_port.emulator_needs(BOARD)) == ["qemu-system-arm"]
    assert system_packages.missing(qemu_port.emulator_needs("qemu_rv32")) == ["qemu-system-misc"]


# A board


def test_a_board_describes_itself(board: QemuDevice) -> None:
    info = board.info()
    assert (info.sysname, info.native_arch, info.word_bytes) == ("qemu", "armv7emsp", 4)
    assert info.has_hashlib
    # What the collector keeps for itself is a 33rd part.
    assert 0.95 * 1048576 < info.heap < 1048576
    assert board.eval("__import__('sys').path") == ["", ".frozen", "/lib"]


def test_files_stay_and_names_go_at_a_soft_reset(board: QemuDevice) -> None:
    content = bytes(range(256)) * 20
    report = board.write_file(content, "/kept.bin")
    assert (report.verified_by, report.bytes) == ("device", len(content))
    board.exec("forgotten = 1")
    board.soft_reset()
    assert board.eval("'forgotten' in globals()") is False
    assert board.hash_file("/kept.bin") == (report.sha256, "device")
    assert board.read_file("/kept.bin") == content


def test_an_exception_comes_back(board: QemuDevice) -> None:
    with pytest.raises(RemoteError, match="ZeroDivisionError"):
        board.eval("1 // 0")
    with pytest.raises(RemoteError, match="recursion"):
        board.exec("def f(n): return f(n + 1)\nf(0)")


@pytest.mark.parametrize(
    "program",
    ["while True: pass", "import time\ntime.sleep(100000)", "input()", "import sys\nsys.stdin.buffer.read(1)"],
)
def test_ctrl_c_stops_a_program_whatever_it_does(board: QemuDevice, program: str) -> None:
    with pytest.raises(DeviceError, match="said nothing"):
        board.exec(program, timeout=0.3)
    assert board.eval("1 + 1") == 2


def test_time_is_counted_in_instructions(board: QemuDevice) -> None:
    board.exec("import time\ndef nap():\n t = time.ticks_us()\n time.sleep_ms(20)\n return time.ticks_us() - t")
    assert 20_000 <= board.eval("nap()") < 21_000
    counts = [board.instructions("sum((1, 2, 3))") for _ in range(3)]
    assert counts[0] == counts[1] == counts[2] > 100
    assert board.instructions("None") == 0


def test_the_heap_is_as_large_as_asked_for() -> None:
    require(BOARD)
    with QemuDevice(f"emu:{BOARD}", BOARD, heap=64 * 1024) as small:
        assert 60_000 < small.info().heap <= 64 * 1024


def test_a_fault_ends_the_emulator_with_a_message_and_a_restart_has_the_files() -> None:
    require(BOARD)
    with QemuDevice(f"emu:{BOARD}", BOARD) as device:
        device.write_file(b"x", "/kept")
        with pytest.raises(DeviceError, match="Hard fault at 0x.* address 0x90000001"):
            device.exec("import uctypes\nuctypes.bytearray_at(0x90000001, 4)[0]")
        device.soft_reset()
        assert device.read_file("/kept") == b"x"


def test_a_new_device_begins_with_an_empty_disk(board: QemuDevice) -> None:
    board.write_file(b"x", "/mine")
    with open_device(f"emu:{BOARD}") as other:
        assert other.listdir("/") == []


@pytest.mark.slow
@pytest.mark.parametrize("name", qemu_port.BOARDS)
def test_the_digits_network_gives_what_it_gives_here(name: str) -> None:
    require(name, may_build=True)
    image = bytes((i * 7 + 3) % 17 for i in range(64))
    net = nnmicro.Net(str(model_file("digits.nnm")), nnmicro.Option(backend="reference"))
    with net.extractor() as ex:
        ex.input("image", image)
        expected = np.array(ex.extract("scores").tolist()).ravel()
    with open_device(f"emu:{name}") as device:
        report = push_engine(device)
        assert (report.format, report.verified_by, report.warnings) == ("mpy", "device", [])
        assert push_engine(device).sent == 0
        device.write_file(model_file("digits.nnm"), "/digits.nnm")
        device.exec(
            "import nnmicro\n"
            'net = nnmicro.Net("/digits.nnm")\n'
            "ex = net.extractor()\n"
            f'ex.input("image", {image!r})\n'
            'scores = ex.extract("scores")\n'
        )
        got = np.frombuffer(device.eval("bytes(scores.tobytes())"), np.float32)
    assert np.abs(got - expected).max() <= 1e-4 * np.abs(expected).max()
    assert got.argmax() == expected.argmax()


# What is left


@looks_into_proc
def test_nothing_is_left_after_closing() -> None:
    require(BOARD)
    with QemuDevice(f"emu:{BOARD}", BOARD) as device:
        group = device.pid
        assert len(running(group)) >= 2  # the emulator and what watches it
    assert ended(group)
    device.close()


@looks_into_proc
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_emulator_ends_with_the_program_that_opened_it(end: signal.Signals) -> None:
    require(BOARD)
    program = f"""
        from host_tools.device import open_device
        with open_device("emu:{BOARD}") as device:
            print(device.pid, flush=True)
            device.exec("while True: pass")
    """
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert owner.stdout is not None
    group = int(owner.stdout.readline())
    assert running(group)
    owner.send_signal(end)
    owner.wait(timeout=10)
    owner.stdout.close()
    assert ended(group)


def ended(group: int) -> bool:
    deadline = time.monotonic() + 5
    while running(group) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not running(group)


def running(group: int) -> list[str]:
    """The processes of a group, without zombies that a container's first process does not reap."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text().rpartition(") ")[2].split()[:3]
        except OSError:
            continue
        if its_group == str(group) and state != "Z":
            found.append(path.parent.name)
    return found
