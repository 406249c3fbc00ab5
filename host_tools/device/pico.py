"""A Raspberry Pi Pico without hardware: its firmware in an emulated RP2040, with its USB serial port on a pty.

The flash is a file that follows every write at once, so `cut_power` in the middle of anything leaves what a real
board would have. When the chip resets or goes to its boot loader the port vanishes, as a board's does, and the
emulator ends; what it was tells its exit status.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import weakref
from pathlib import Path
from typing import IO

from firmware.errors import FirmwareError
from firmware.rp2 import uf2 as uf2_form
from host_tools import uf2
from host_tools.device.emulated import EmulatedDevice, inheritable, require_ptys
from host_tools.device.errors import DeviceError, LinkLost

FLASH_BYTES = 2 * 1024 * 1024
_SECTOR = 4096
# Exit statuses of firmware/emulator/pico.mjs.
_FORCED_RESET, _WATCHDOG_RESET, _BOOTLOADER, _FAULT = 10, 11, 12, 13
# What the chip's watchdog says after a reset (RP2040 data sheet, register REASON).
_WATCHDOG_REASONS = {_FORCED_RESET: 2, _WATCHDOG_RESET: 1}
_END_TIMEOUT_S = 10.0


class PicoDevice(EmulatedDevice):
    """An emulated Pico with the UF2 file `firmware`, by default the one that `firmware.build rpi_pico` makes.

    `flash` is the file with the content of its flash: one that exists is used as it is (but for `firmware`, if
    that is given too), one that does not is made, and it stays. Without it the flash is gone when the device is
    closed.
    """

    def __init__(
        self,
        spec: str = "emu:rpi_pico",
        board: str = "rpi_pico",
        *,
        flash: Path | None = None,
        firmware: Path | None = None,
    ) -> None:
        require_ptys(spec)
        emulator = _emulator(board)
        if firmware is None and (flash is None or not flash.exists() or flash.stat().st_size == 0):
            firmware = _built_firmware(board)
        self._flash: IO[bytes] = _open_flash(flash)
        self._close_flash = weakref.finalize(self, _close_flash, self._flash)
        self._watchdog_reason = 0
        try:
            if firmware is not None:
                self._write_firmware(firmware)
            # By number and not by name: a temporary flash has no name, so nothing is left when we are killed.
            self._emulator = [*emulator, "--flash"]
            super().__init__(spec, emulator)
        except BaseException:
            self._close_flash()
            raise

    def _start(self, spec: str) -> None:
        descriptor = inheritable(self._flash)
        try:
            self._open_files = (descriptor,)
            self._command = [*self._emulator, f"/dev/fd/{descriptor}"]
            self._command += ["--watchdog-reason", str(self._watchdog_reason)]
            super()._start(spec)
        finally:
            os.close(descriptor)

    @property
    def is_running(self) -> bool:
        """Whether the board has power and is neither in its boot loader nor stopped by a fault."""
        return self._end_process.alive and self._process.poll() is None

    @property
    def in_bootloader(self) -> bool:
        """Whether the board waits for a UF2 (BOOTSEL)."""
        return self._end_process.alive and self._process.poll() == _BOOTLOADER

    def cut_power(self) -> None:
        """Take the power away, at this moment and whatever the board is doing; `restart` gives it back."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_END_TIMEOUT_S)

    def hard_reset(self) -> None:
        """`machine.reset()`: the chip starts anew, boot.py and main.py included; files stay."""
        self._run_to_its_end("machine.reset()", _FORCED_RESET)
        self._connect_after_reset()

    def enter_bootloader(self) -> None:
        """`machine.bootloader()`: the board waits for a UF2 and has no prompt any more."""
        self._run_to_its_end("machine.bootloader()", _BOOTLOADER)

    def flash_uf2(self, firmware: Path) -> None:
        """Give the board in its boot loader a UF2 file, and connect to what that starts; files stay."""
        if not self.in_bootloader:
            raise DeviceError(f"{self.spec} is not in its boot loader: enter_bootloader() brings it there.")
        self._write_firmware(firmware)
        self._watchdog_reason = 0
        super().restart()

    def soft_reset(self) -> None:
        """A fresh heap and fresh modules; files stay. A board that has reset itself is connected to again."""
        if self.in_bootloader:
            raise DeviceError(f"{self.spec} is in its boot loader and waits for a UF2: flash_uf2().")
        if self.is_running:
            super().soft_reset()
        else:
            self._connect_after_reset()

    def restart(self) -> None:
        """Take the power away and give it back: RAM is lost, the flash stays as it is at this moment."""
        self._watchdog_reason = 0
        super().restart()

    def _connect_after_reset(self) -> None:
        self._watchdog_reason = _WATCHDOG_REASONS.get(self._process.poll() or 0, 0)
        super().restart()

    def _run_to_its_end(self, call: str, status: int) -> None:
        with contextlib.suppress(DeviceError):
            self.exec(f"import machine\n{call}", timeout=_END_TIMEOUT_S)
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._process.wait(_END_TIMEOUT_S) == status:
                return
        raise DeviceError(f"{self.spec} was to do {call} and {self._how_it_ended() or 'runs on as if nothing were'}.")

    def _how_it_ended(self) -> str | None:
        ended = super()._how_it_ended()
        if ended is None:
            return None
        said = ended.partition(" and said: ")[2]
        return {
            _FORCED_RESET: "has reset itself, and its port was closed",
            _WATCHDOG_RESET: "was reset by its watchdog, and its port was closed",
            _BOOTLOADER: "is in its boot loader and waits for a UF2",
            _FAULT: f"has stopped with a fault: {said}",
        }.get(self._process.returncode, ended)

    def _explain(self, lost: LinkLost) -> DeviceError:
        ended = self._how_it_ended()
        if ended is None:
            return lost
        way_out = "flash_uf2() gives it one" if self.in_bootloader else "soft_reset() connects again"
        return DeviceError(f"{self.spec} {ended}; {way_out}.")

    def _write_firmware(self, firmware: Path) -> None:
        """What a boot loader does: every sector that the UF2 touches is erased and written."""
        image = read_uf2(firmware)
        sectors = {(address - uf2_form.FLASH_START) // _SECTOR for address in image.pages}
        for sector in sectors:
            os.pwrite(self._flash.fileno(), b"\xff" * _SECTOR, sector * _SECTOR)
        for address, page in image.pages.items():
            os.pwrite(self._flash.fileno(), page, address - uf2_form.FLASH_START)

    def close(self) -> None:
        """End the emulator; a flash without a name of its own is gone. A second call does nothing."""
        try:
            super().close()
        finally:
            self._close_flash()


def read_uf2(firmware: Path) -> uf2.Uf2:
    """The firmware in a UF2 file for the RP2040; DeviceError says why one cannot be used."""
    try:
        image = uf2.decode(firmware.read_bytes())
    except (OSError, uf2.Uf2Error) as error:
        raise DeviceError(f"{firmware} cannot be flashed: {error}") from None
    if image.family != uf2_form.RP2040:
        raise DeviceError(f"{firmware} is for {image.family_name}; a Pico needs one for the RP2040.")
    last = uf2_form.FLASH_START + FLASH_BYTES - uf2_form.PAYLOAD_BYTES
    if not all(uf2_form.FLASH_START <= address <= last for address in image.pages):
        raise DeviceError(f"{firmware} goes beyond the {FLASH_BYTES >> 20} MB of a Pico's flash.")
    return image


def _open_flash(path: Path | None) -> IO[bytes]:
    """The flash's file, of the right size and locked for as long as it is open."""
    import fcntl

    try:
        if path is None:
            file: IO[bytes] = tempfile.TemporaryFile(prefix="nnmicro-flash-")
        else:
            file = path.open("r+b" if path.exists() else "w+b")
    except OSError as error:
        raise DeviceError(f"The flash of the emulated Pico cannot be opened: {error}.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            os.pwrite(file.fileno(), b"\xff" * FLASH_BYTES, 0)
        elif size != FLASH_BYTES:
            raise DeviceError(f"{path} has {size} bytes; the flash of a Pico has {FLASH_BYTES}.")
    except BaseException as error:
        file.close()
        if isinstance(error, BlockingIOError):
            raise DeviceError(f"{path} is the flash of an emulator that runs.") from None
        raise
    return file


def _close_flash(file: IO[bytes]) -> None:
    import fcntl

    # An emulator that was killed a moment ago may still have it open, and the lock is its as well.
    fcntl.flock(file, fcntl.LOCK_UN)
    file.close()


def _emulator(board: str) -> list[str]:
    from firmware.emulator import install

    try:
        return install.command()
    except FirmwareError as error:
        raise DeviceError(f"The emulator of {board} cannot be had. {error}") from None


def _built_firmware(board: str) -> Path:
    from firmware import build

    try:
        return build.firmware(board)
    except FirmwareError as error:
        raise DeviceError(f"The firmware of {board} cannot be built. {error}") from None
