"""The emulated Pico: a board with a prompt, a flash that survives, a boot loader, and faults that have names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nnmicro
from firmware import engine, system_packages
from firmware.emulator import install
from firmware.errors import FirmwareError
from firmware.rp2 import uf2
from host_tools.device import DeviceError, RemoteError, open_device, push_engine
from host_tools.device.pico import FLASH_BYTES, PicoDevice
from host_tools.flashing.firmware import FlashError, find
from host_tools.flashing.flash import flash_emulated
from tests.host.pico_board import BOARD, built_firmware
from tests.models import model_file

looks_into_proc = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in Linux's /proc")


@pytest.fixture(scope="session")
def firmware() -> Path:
    return built_firmware()


@pytest.fixture(scope="module")
def opened() -> Iterator[list[PicoDevice]]:
    """The device that tests share, once one of them has opened it; closed after the last."""
    devices: list[PicoDevice] = []
    yield devices
    for device in devices:
        device.close()


@pytest.fixture
def board(firmware: Path, opened: list[PicoDevice]) -> PicoDevice:
    """A board for tests that leave it running."""
    if not opened:
        opened.append(PicoDevice(firmware=firmware))
    return opened[0]


@pytest.fixture
def pico(firmware: Path) -> Iterator[PicoDevice]:
    """A board for tests that reset it, stop it or fill it."""
    with PicoDevice(firmware=firmware) as device:
        yield device


def test_the_lock_file_names_no_registry() -> None:
    lock = (install.RECIPE / "package-lock.json").read_text()
    assert "integrity" in lock
    assert "resolved" not in lock and "://" not in lock


def test_a_missing_system_package_is_named_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages, "_as_root", lambda: None)
    needs = [system_packages.program("no-such-program", "its-package"), system_packages.program("sh", "dash")]
    with pytest.raises(FirmwareError, match="Emulating still needs its-package.* apt-get install .* its-package$"):
        system_packages.require("Emulating", needs)
    system_packages.require("Emulating", needs[1:])


def test_the_board_describes_itself(firmware: Path) -> None:
    with open_device("emu:rpi_pico") as device:
        info = device.info()
        assert info.machine == "Raspberry Pi Pico with RP2040"
        assert info.sysname == "rp2"
        assert info.version >= (1, 25, 0)
        assert info.native_arch == "armv6m"
        assert info.word_bytes == 4
        assert info.has_hashlib
        # 264 KB of RAM less the firmware's own and the static arena, as boards/rpi_pico says.
        assert 170_000 < info.free_heap < info.heap < 200 * 1024
        # 2 MB of flash less 1408 KB for firmware and ROMFS.
        assert device.eval("__import__('os').statvfs('/')[:3]") == (4096, 4096, 160)


def test_programs_print_and_fail_as_on_a_board(board: PicoDevice) -> None:
    assert board.exec("for i in range(3): print(i)") == b"0\n1\n2\n"
    with pytest.raises(RemoteError, match="ZeroDivisionError"):
        board.exec("1/0")
    assert board.eval("bytes(range(256))") == bytes(range(256))


def test_a_program_that_hangs_is_interrupted(board: PicoDevice) -> None:
    with pytest.raises(DeviceError, match="said nothing for 1 s"):
        board.exec("while True: pass", timeout=1)
    assert board.eval("1 + 1") == 2


def test_native_code_runs(board: PicoDevice) -> None:
    board.exec("@micropython.viper\ndef add(a: int, b: int) -> int:\n return a + b\n")
    board.exec("@micropython.asm_thumb\ndef nine():\n mov(r0, 9)\n")
    assert board.eval("(add(2, 3), nine())") == (5, 9)


def test_float_results_are_those_of_ieee_754(board: PicoDevice) -> None:
    random = np.random.default_rng(7)
    a, b = (random.normal(size=100) * 10.0 ** random.integers(-15, 15, 100) for _ in range(2))
    a, b = a.astype(np.float32), np.abs(b.astype(np.float32))
    board.exec(
        "from array import array\nfrom math import sqrt\nfrom binascii import hexlify\n"
        f"a = array('f', bytes.fromhex('{a.tobytes().hex()}'))\n"
        f"b = array('f', bytes.fromhex('{b.tobytes().hex()}'))\n"
    )
    expected = {
        "x + y": a + b,
        "x - y": a - b,
        "x * y": a * b,
        "x / y": a / b,
        "sqrt(y)": np.sqrt(b),
    }
    for expression, wanted in expected.items():
        code = f"print(hexlify(array('f', [{expression} for x, y in zip(a, b)])).decode())"
        got = np.frombuffer(bytes.fromhex(board.exec(code).decode()), np.float32)
        assert got.tobytes() == wanted.tobytes(), expression


def test_an_unaligned_access_stops_the_board_as_it_does_the_chip(pico: PicoDevice) -> None:
    pico.exec("@micropython.viper\ndef load(at: int) -> int:\n p = ptr32(at)\n return p[0]\n")
    assert isinstance(pico.eval("load(0x20000000)"), int)
    with pytest.raises(DeviceError, match="fault.*unaligned read of a word at 0x20000002"):
        pico.eval("load(0x20000002)")
    assert not pico.is_running
    pico.soft_reset()
    assert pico.eval("1 + 1") == 2


def test_starting_the_second_core_is_named_and_not_waited_for(pico: PicoDevice) -> None:
    with pytest.raises(DeviceError, match="the second core.*not emulated"):
        pico.exec("import _thread\n_thread.start_new_thread(print, ())")


def test_a_written_file_is_hashed_on_the_board_and_read_back(board: PicoDevice) -> None:
    content = os.urandom(5000)
    report = board.write_file(content, "/data.bin")
    assert report.verified_by == "device"
    assert not report.skipped
    assert board.read_file("/data.bin") == content
    assert board.write_file(content, "/data.bin").skipped


def test_a_soft_reset_clears_the_heap_and_keeps_the_files(board: PicoDevice) -> None:
    board.write_file(b"kept", "/kept")
    board.exec("left = 1")
    board.soft_reset()
    assert board.eval("'left' in globals()") is False
    assert board.read_file("/kept") == b"kept"


def test_a_reset_is_told_from_a_loss_of_power(pico: PicoDevice) -> None:
    cause = "__import__('machine').reset_cause()"
    power_on, watchdog = pico.eval("(lambda m: (m.PWRON_RESET, m.WDT_RESET))(__import__('machine'))")
    assert pico.eval(cause) == power_on
    pico.hard_reset()
    assert pico.eval(cause) == watchdog
    pico.restart()
    assert pico.eval(cause) == power_on


def test_a_program_that_resets_the_board_loses_its_port(pico: PicoDevice) -> None:
    with pytest.raises(DeviceError, match="has reset itself"):
        pico.exec("import machine\nmachine.reset()")
    pico.soft_reset()
    with pytest.raises(DeviceError, match="was reset by its watchdog"):
        pico.exec("import machine\nmachine.WDT(timeout=100)\nwhile True: pass")
    pico.soft_reset()
    assert pico.eval("1 + 1") == 2


def test_a_flash_file_outlives_the_device(firmware: Path, tmp_path: Path) -> None:
    flash = tmp_path / "pico.flash"
    with PicoDevice(flash=flash, firmware=firmware) as device:
        device.write_file(b"kept", "/kept")
        with pytest.raises(DeviceError, match="an emulator that runs"):
            PicoDevice(flash=flash)
    assert flash.stat().st_size == FLASH_BYTES
    with PicoDevice(flash=flash) as device:
        assert device.read_file("/kept") == b"kept"


def test_a_file_that_is_no_flash_is_refused(firmware: Path, tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"x")
    with pytest.raises(DeviceError, match="has 1 bytes; the flash of a Pico has 2097152"):
        PicoDevice(flash=tmp_path / "small")


@pytest.mark.slow
def test_power_cut_while_a_file_is_written_leaves_the_old_file_whole(firmware: Path, tmp_path: Path) -> None:
    old, new = os.urandom(30_000), os.urandom(30_000)
    with PicoDevice(flash=tmp_path / "flash", firmware=firmware) as device:
        device.write_file(old, "/model.nnm")
        for share in (0.2, 0.6, 1.0):

            def cut(sent: int, total: int, share: float = share) -> None:
                if sent >= share * total:
                    device.cut_power()

            with pytest.raises(DeviceError, match="ended by SIGKILL"):
                device.write_file(new, "/model.nnm", progress=cut)
            device.restart()
            assert device.read_file("/model.nnm") == old
        device.write_file(new, "/model.nnm")
        assert device.read_file("/model.nnm") == new
        assert [entry.name for entry in device.listdir("/")] == ["model.nnm"]


@pytest.mark.slow
def test_the_boot_loader_takes_a_uf2_and_starts_it(firmware: Path, tmp_path: Path) -> None:
    with PicoDevice(firmware=firmware) as device:
        version = device.info().version
        device.write_file(b"kept", "/kept")
        with pytest.raises(DeviceError, match="not in its boot loader"):
            device.flash_uf2(firmware)
        device.enter_bootloader()
        assert device.in_bootloader
        with pytest.raises(DeviceError, match="waits for a UF2"):
            device.eval("1 + 1")
        with pytest.raises(DeviceError, match="waits for a UF2"):
            device.soft_reset()
        device.flash_uf2(firmware)
        assert not device.in_bootloader
        assert device.info().version == version
        assert device.read_file("/kept") == b"kept"


def test_flashing_is_proven_by_asking_the_board_what_it_runs(pico: PicoDevice, firmware: Path, tmp_path: Path) -> None:
    chosen = find(BOARD, firmware)
    assert chosen.stamp is not None
    pico.write_file(b"kept", "/kept")
    answer = flash_emulated(pico, chosen)
    assert answer is not None and answer.engine == engine.identity()
    assert answer.firmware == firmware.parent.name.rsplit("-", 1)[-1]
    assert pico.read_file("/kept") == b"kept"
    # A file that says it is another firmware than the board then runs.
    other = replace(chosen, stamp=replace(chosen.stamp, firmware="0" * 16))
    with pytest.raises(FlashError, match=f"runs .*{answer.firmware}.* and firmware.uf2 is .*0000.*: it was not taken"):
        flash_emulated(pico, other)


def test_firmware_for_another_chip_is_refused_and_the_boot_loader_waits_on(pico: PicoDevice, tmp_path: Path) -> None:
    pico.enter_bootloader()
    wrong = tmp_path / "wrong.uf2"
    for content, complaint in (
        (uf2.encode(b"x", uf2.RP2350_ARM_S), r"is for RP2350 \(Arm\); a Pico needs one for the RP2040"),
        (uf2.encode(b"x", uf2.RP2040, 0x10200000), "goes beyond the 2 MB"),
        (uf2.encode(bytes(600), uf2.RP2040)[512:], "incomplete"),
    ):
        wrong.write_bytes(content)
        with pytest.raises(DeviceError, match=complaint):
            pico.flash_uf2(wrong)
    assert pico.in_bootloader
    pico.restart()
    assert pico.eval("1 + 1") == 2


@looks_into_proc
def test_nothing_is_left_after_closing(firmware: Path) -> None:
    with PicoDevice(firmware=firmware) as device:
        group = device.pid
        assert _processes_of(group)
    assert _vanish(group)
    device.close()


@looks_into_proc
def test_nothing_is_left_when_the_owner_is_killed(firmware: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom host_tools.device.pico import PicoDevice\n"
        "device = PicoDevice(firmware=Path(sys.argv[1]))\nprint(device.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(firmware)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as owner:
        assert owner.stdout is not None
        group = int(owner.stdout.readline())
        assert _processes_of(group)
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    assert _vanish(group)


def _vanish(group: int) -> bool:
    """Whether all processes of a group end soon: they are killed by then, and a busy computer takes its time."""
    deadline = time.monotonic() + 10
    while _processes_of(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _processes_of(group)


def _processes_of(group: int) -> list[str]:
    """The processes of a group that are no zombies (which a container's first process may not reap)."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:
            continue
        state, _, its_group = text.rpartition(")")[2].split()[:3]
        if its_group == str(group) and state != "Z":
            found.append(status.parent.name)
    return found


@pytest.mark.slow
def test_an_inference_on_the_board_equals_one_here(pico: PicoDevice) -> None:
    path = model_file("digits.nnm")
    pixels = array("f", np.random.default_rng(1).random(64).astype(np.float32).tolist())
    with nnmicro.Net(str(path)).extractor() as here:
        here.input("image", pixels)
        wanted = np.array(here.extract("scores").tolist()).ravel()
    push_engine(pico)
    pico.write_file(path, "/digits.nnm")
    pico.exec(
        "import nnmicro\nfrom array import array\n"
        f"pixels = array('f', {list(pixels)!r})\n"
        "ex = nnmicro.Net('/digits.nnm').extractor()\n"
        "ex.input('image', pixels)\n"
        "scores = ex.extract('scores')\n",
        timeout=120,
    )
    got = np.array(pico.eval("scores.tolist()")).ravel()
    assert np.max(np.abs(got - wanted)) <= 1e-4 * np.max(np.abs(wanted))
    assert pico.eval("scores.argmax()") == int(wanted.argmax())
