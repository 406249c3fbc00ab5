"""Programs on a device: what they print and raise, how they are stopped, and what is no device."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from host_tools.device import Device, DeviceError, RemoteError, open_device
from host_tools.device.errors import LinkLost
from host_tools.device.link import Link


def test_a_program_prints_and_evaluates(device: Device) -> None:
    assert device.exec("print('one')\nprint('two')") == b"one\ntwo\n"
    assert device.eval("{'a': (1, 2.5, b'\\x00\\xff', None)}") == {"a": (1, 2.5, b"\x00\xff", None)}


def test_output_comes_while_the_program_runs(device: Device) -> None:
    pieces: list[tuple[float, bytes]] = []
    device.exec(
        "import time\nprint('a')\ntime.sleep(0.2)\nprint('b')",
        on_output=lambda piece: pieces.append((time.monotonic(), piece)),
    )
    assert b"".join(piece for _, piece in pieces) == b"a\nb\n"
    assert pieces[-1][0] - pieces[0][0] > 0.1


def test_a_remote_exception_is_a_sentence_and_keeps_its_traceback(device: Device) -> None:
    with pytest.raises(RemoteError) as caught:
        device.exec("print('before')\ndef f():\n  raise ValueError('too small')\nf()")
    assert str(caught.value) == "The device raised ValueError: too small."
    assert caught.value.kind == "ValueError"
    assert caught.value.output == b"before\n"
    assert "line 3, in f" in caught.value.traceback
    assert device.eval("1") == 1


def test_floats_are_single_precision(device: Device) -> None:
    assert device.eval("16777216.0 + 1.0 == 16777216.0") is True


def test_what_is_no_plain_value_is_refused(device: Device) -> None:
    with pytest.raises(DeviceError, match="no plain value"):
        device.eval("object()")


def test_a_silent_program_is_interrupted(device: Device) -> None:
    with pytest.raises(DeviceError, match="said nothing for 0.2 s"):
        device.exec("while True: pass", timeout=0.2)
    assert device.eval("2") == 2


@pytest.mark.parametrize(
    "program", ["while True: pass", "import time; time.sleep(60)", "import sys; sys.stdin.read(1)"]
)
def test_ctrl_c_interrupts_whatever_the_device_does(device: Device, program: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        device.exec(f"print('runs')\n{program}", on_output=raise_keyboard_interrupt)
    started = time.monotonic()
    assert device.eval("3") == 3
    assert time.monotonic() - started < 5


def raise_keyboard_interrupt(_: bytes) -> None:
    raise KeyboardInterrupt


class PressCtrlC:
    """Sends Ctrl-C as a byte on the wire, as mpremote does, when the program has printed something."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.pressed = False

    def __call__(self, piece: bytes) -> None:
        if not self.pressed:
            self.pressed = True
            self.device._link._port.write(b"\x03")


def test_a_program_can_catch_ctrl_c(device: Device) -> None:
    output = device.exec(
        "try:\n  print('runs')\n  while True: pass\nexcept KeyboardInterrupt:\n  print('caught')",
        on_output=PressCtrlC(device),
    )
    assert output.split()[-1] == b"caught"


def test_a_program_may_take_ctrl_c_as_data(device: Device) -> None:
    output = device.exec(
        "import micropython, sys\nmicropython.kbd_intr(-1)\nprint('runs')\nprint(repr(sys.stdin.read(1)))",
        on_output=PressCtrlC(device),
        timeout=10,
    )
    assert output == b"runs\n'\\x03'\n"


def test_a_soft_reset_gives_a_fresh_heap_and_keeps_files(device: Device) -> None:
    device.write_file(b"x", "/kept.txt")
    free = device.info().free_heap
    device.exec("big = bytearray(1000000)\nhandle = open('/kept.txt')")
    device.soft_reset()
    with pytest.raises(RemoteError, match="NameError"):
        device.eval("big")
    assert device.info().free_heap >= free - 10_000
    assert device.read_file("/kept.txt") == b"x"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("pico", "'pico' is no device"),
        ("emu:nothing", "no emulator of this board"),
        ("/dev/no-such-port", "There is no port /dev/no-such-port"),
        ("id:no-such-board", "no such board is connected"),
        ("socket://127.0.0.1:1", "cannot be opened"),
    ],
)
def test_a_device_that_cannot_be_had_is_explained(spec: str, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        open_device(spec)


@pytest.fixture
def bare_link(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Link, int]]:
    """A link to a pty with no MicroPython on it, and the other end of the pty."""
    pty, tty = pytest.importorskip("pty"), pytest.importorskip("tty")
    monkeypatch.setattr("host_tools.device.link._PROMPT_TIMEOUT_S", 0.3)
    monkeypatch.setattr("host_tools.device.link._READ_TIMEOUT_S", 0.1)
    master, slave = pty.openpty()
    tty.setraw(slave)
    link = Link(os.ttyname(slave))
    yield link, master
    link.close()
    os.close(slave)


def test_a_port_that_nobody_answers_on_is_explained(bare_link: tuple[Link, int]) -> None:
    link, master = bare_link
    with pytest.raises(DeviceError, match="does not answer"):
        link.enter_raw_repl()
    os.close(master)
    with pytest.raises(LinkLost):
        link.run("1", 1, None)


def test_a_device_that_never_stops_talking_is_given_up(bare_link: tuple[Link, int]) -> None:
    link, master = bare_link
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            os.write(master, b"chatter ")

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        started = time.monotonic()
        with pytest.raises(DeviceError, match="does not answer"):
            link.enter_raw_repl()
        assert time.monotonic() - started < 10
    finally:
        stop.set()
        while talker.is_alive():  # it may wait for room in the pty
            link._port.read_available()
            talker.join(timeout=0.05)
        os.close(master)


def test_an_endless_output_is_cut_off(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host_tools.device.link.OUTPUT_LIMIT", 1 << 20)
    with pytest.raises(DeviceError, match="more than 1 MB"):
        device.exec("while True: print('x' * 1000)")
    assert device.eval("4") == 4
