"""The device that every computer has: MicroPython's unix port as a process on a pty, in a folder of its own.

The interpreter sits on the pty's master side and we on the slave, so that mpremote opens it like any serial
port. We also keep the slave open ourselves: when this process ends, however it ends, the interpreter sees its
terminal close and ends too.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from pathlib import Path

from firmware.errors import FirmwareError
from host_tools.device.device import Device
from host_tools.device.errors import DeviceError, LinkLost

_FOLDER_PREFIX = "nnmicro-unix-"
_ABANDONED_AFTER_S = 60.0


class UnixDevice(Device):
    """A MicroPython process with `heapsize` (`64M`, `256K`) of heap; its file system is a temporary folder.

    `folder` is that folder here: what the device calls `/lib` is `folder / "lib"`.
    """

    def __init__(self, heapsize: str = "64M", interpreter: Path | None = None) -> None:
        if not re.fullmatch(r"[1-9]\d{0,11}[kKmM]?", heapsize):
            raise DeviceError(f"{heapsize!r} is no heap size: give a number of bytes, or one with K or M (64M).")
        _require_ptys()
        self._heapsize = heapsize
        self._interpreter = interpreter if interpreter is not None else _built_interpreter()
        self.folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX))
        self._hold_folder = _hold(self.folder)
        self._remove_folder = weakref.finalize(self, _remove, self.folder, self._hold_folder)
        (self.folder / "lib").mkdir()
        _remove_abandoned(self.folder.parent)
        self._start()

    def _start(self) -> None:
        slave, self._process = _start_on_pty(self._interpreter, self._heapsize, self.folder)
        self._end_process = weakref.finalize(self, _end, self._process, slave)
        try:
            super().__init__("unix", os.ttyname(slave))
        except BaseException as error:
            status = self._process.poll()
            self._end_process()
            # An OSError is the pty of an interpreter that is gone already.
            if isinstance(error, (DeviceError, OSError)) and status is not None:
                raise DeviceError(f"The unix device {_how_it_ended(status)} (heap size {self._heapsize}).") from None
            raise

    @property
    def pid(self) -> int:
        """The interpreter's process."""
        return self._process.pid

    def soft_reset(self) -> None:
        """A fresh heap and fresh modules; files stay. A process that has died is started again."""
        if self._process.poll() is None:
            super().soft_reset()
            return
        self._link.close()
        self._end_process()
        self._start()

    def _explain(self, lost: LinkLost) -> DeviceError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._process.wait(timeout=0.5)
            return DeviceError(f"The unix device {_how_it_ended(status)}. A soft reset starts it again.")
        return lost

    def close(self) -> None:
        """End the process and remove its folder. A second call does nothing."""
        try:
            if self._end_process.alive:
                super().close()
        finally:
            self._end_process()
            self._remove_folder()


def _require_ptys() -> None:
    try:
        import fcntl  # noqa: F401
        import pty  # noqa: F401
    except ImportError:
        raise DeviceError("This operating system has no ptys, which the unix device needs; use a board.") from None


def _built_interpreter() -> Path:
    from firmware import build
    from firmware.order import KERNELS

    try:
        # Not with the engine in it: what is being developed is pushed, and nothing has to be compiled for it.
        return build.firmware("unix", KERNELS)
    except FirmwareError as error:
        raise DeviceError(f"The unix device cannot be built. {error}") from None


def _start_on_pty(interpreter: Path, heapsize: str, folder: Path) -> tuple[int, subprocess.Popen[bytes]]:
    import pty
    import tty

    master, slave = pty.openpty()
    try:
        tty.setraw(slave)
        # A session of its own: Ctrl-C in the user's terminal is for us, and we tell the device.
        process = subprocess.Popen(
            [str(interpreter), "-X", f"heapsize={heapsize}", "-m", "unix_device", str(folder), heapsize],
            stdin=master,
            stdout=master,
            stderr=master,
            cwd=folder,
            env={"HOME": str(folder), "PATH": os.defpath},
            start_new_session=True,
        )
    except BaseException as error:
        os.close(slave)
        if isinstance(error, OSError):
            raise DeviceError(f"The interpreter {interpreter} cannot be started: {error}.") from None
        raise
    finally:
        os.close(master)
    return slave, process


def _end(process: subprocess.Popen[bytes], slave: int) -> None:
    os.close(slave)
    # The group, for what a program on the device may have started itself. Only while the process is not
    # waited for: after that its number may be somebody else's.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _how_it_ended(status: int) -> str:
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-status).name}"
    return f"has ended with status {status}"


def _hold(folder: Path) -> int:
    """Lock the folder for as long as this process lives; the descriptor that holds the lock."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _remove(folder: Path, hold: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(hold)


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of devices whose owner was killed: those that nobody holds any more."""
    import fcntl

    for folder in parent.glob(_FOLDER_PREFIX + "*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime < _ABANDONED_AFTER_S:
                continue  # it may be just about to be locked
            descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
