"""Boards that QEMU emulates, with firmware of our own (firmware/qemu): `emu:qemu_cortex_m4f` and the like.

Their disk lies in memory that is a temporary file of this process: it survives a restart of the emulator, as
flash survives a loss of power, and is gone once the device is closed. A new device begins with an empty disk.
"""

from __future__ import annotations

import os
import re
import tempfile
import weakref
from pathlib import Path

from firmware import build, qemu_plugin, qemu_port, system_packages
from firmware.errors import FirmwareError
from firmware.order import KERNELS
from host_tools.device.emulated import EmulatedDevice, inheritable, require_ptys
from host_tools.device.errors import DeviceError

# With it QEMU counts instructions: one is 128 ns of the board's time, however busy this computer is.
_COUNT_INSTRUCTIONS = ("-icount", "shift=7")
_SILENCE_S = 600.0


class QemuDevice(EmulatedDevice):
    """The board `name` of boards/, with `heap` bytes for MicroPython (default: what its board.toml says).

    `firmware` is an ELF file (default: ours with the kernels; the engine is pushed).
    With `exact` the board's clock is the number of executed instructions, 128 ns each: times repeat exactly
    and `instructions` can count. Without it the clock is this computer's. With `by_class` what is measured is counted
    by class of instruction, too, which takes three times as long; `by_class_lacks` says why that cannot be.
    """

    def __init__(
        self,
        spec: str,
        name: str,
        *,
        heap: int | None = None,
        exact: bool = True,
        firmware: Path | None = None,
        by_class: bool = False,
    ) -> None:
        require_ptys(spec)
        try:
            board = qemu_port.board(name)
            system_packages.require(f"The emulated board {name}", qemu_port.emulator_needs(name))
            firmware = build.firmware(name, KERNELS) if firmware is None else firmware
        except FirmwareError as error:
            raise DeviceError(f"{spec} cannot be had. {error}") from None
        self._exact = exact
        heap = board.heap if heap is None else heap
        with tempfile.TemporaryFile(prefix="nnmicro-disk-") as disk:
            descriptor = inheritable(disk)
        self._close_disk = weakref.finalize(self, os.close, descriptor)
        self._counts = tempfile.TemporaryFile(prefix="nnmicro-counts-")
        counts = inheritable(self._counts)
        self._close_counts = weakref.finalize(self, os.close, counts)
        command = [board.system, "-machine", f"{board.machine},memory-backend=storage", "-m", board.storage]
        command += ["-object", f"memory-backend-file,id=storage,size={board.storage},share=on"]
        command[-1] += f",mem-path=/dev/fd/{descriptor}"
        command += ["-nodefaults", "-display", "none", "-monitor", "none", "-no-reboot"]
        command += ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
        command += ["-semihosting-config", f"enable=on,target=native,arg=nnmicro,arg=heap={heap}"]
        if board.machine == "virt":
            command += ["-bios", "none"]
        if exact:
            command += _COUNT_INSTRUCTIONS
        if by_class:
            try:
                command += qemu_plugin.arguments(board.system, f"/dev/fd/{counts}")
            except FirmwareError as error:
                self.by_class_lacks = str(error)
        command += ["-kernel", str(firmware)]
        try:
            super().__init__(spec, command, open_files=[descriptor, counts])
        except BaseException:
            self._close_files()
            raise

    def instructions(self, call: str, timeout: float = _SILENCE_S) -> int:
        """How many instructions the expression `call` takes on the board, without the cost of counting.

        It runs in the device's globals and may use what earlier programs left there.
        """
        if not self._exact:
            raise DeviceError(f"{self.spec} was opened without counting instructions.")
        answer = self.exec(
            f"import qemu\nprint(qemu.instructions(lambda: ({call})), qemu.instructions(lambda: None))\n",
            timeout=timeout,
        )
        found = re.search(rb"(\d+) (\d+)\s*$", answer)
        if found is None:
            raise DeviceError(f"The device's count of instructions makes no sense: {answer[-200:]!r}.")
        return int(found[1]) - int(found[2])

    def class_counts(self) -> list[dict[str, int]]:
        """What each `qemu.measure` on the board has counted: instructions by class, words and taken branches."""
        self._counts.seek(0)
        return qemu_plugin.counts(self._counts.read().decode())

    def close(self) -> None:
        """End the emulator; its disk is gone with it. A second call does nothing."""
        try:
            super().close()
        finally:
            self._close_files()

    def _close_files(self) -> None:
        self._close_disk()
        self._close_counts()
        self._counts.close()
