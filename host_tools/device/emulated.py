"""A device that is a program on this computer: an emulator of a board, on a pty, started and ended by us.

The emulator sits on the pty's master side and we on the slave, so that mpremote opens it like any serial port.
An emulator, unlike an interpreter, does not notice when nobody listens any more; a shell beside it does: it
holds the reading end of a pipe whose writing end only we have, and when that closes, because we closed it or
because this process ended in whatever way, it kills the emulator's whole process group.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import IO

from host_tools.device.device import Device
from host_tools.device.errors import DeviceError, LinkLost

# Standard input is the pipe, standard output the pty. Descriptor 9 because a background command's standard input
# is /dev/null by definition, and dash knows descriptors of one digit only.
_GUARD = """\
exec 9<&0
{ read -r _ <&9; kill -KILL 0; } >/dev/null 2>&1 &
"$@" <&1 9<&-
"""
_FIRST_FREE_DESCRIPTOR = 10
_START_TIMEOUT_S = 30.0
_RETRY_S = 0.1
_LOG_BYTES = 2000


class EmulatedDevice(Device):
    """The emulator that `command` starts, with the board's console as its standard input and output.

    `open_files` are descriptors of ours that the emulator inherits; `inheritable` makes them. What it
    writes to standard error is shown if it ends by itself. RAM and files are the emulator's business: what
    survives `restart` is for the subclass to say.
    """

    def __init__(
        self,
        spec: str,
        command: Sequence[str],
        *,
        open_files: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
        start_timeout: float = _START_TIMEOUT_S,
    ) -> None:
        require_ptys(spec)
        self._command = list(command)
        self._open_files = tuple(open_files)
        self._environment = dict(os.environ if environment is None else environment)
        self._start_timeout = start_timeout
        self._start(spec)

    def _start(self, spec: str) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile(prefix="nnmicro-emulator-")
        slave, lifeline, self._process = _start_on_pty(self._command, self._open_files, self._environment, self._log)
        self._end_process = weakref.finalize(self, _end, self._process, lifeline, slave, self._log)
        try:
            self._address = os.ttyname(slave)
            self._wait_for_prompt(spec, self._address)
        except BaseException as error:
            # An OSError is the pty of an emulator that is gone already.
            ended = self._how_it_ended() if isinstance(error, (DeviceError, OSError)) else None
            self._end_process()
            if ended is not None:
                raise DeviceError(f"The emulator of {spec} {ended}.") from None
            raise

    def _wait_for_prompt(self, spec: str, address: str) -> None:
        deadline = time.monotonic() + self._start_timeout
        while True:
            try:
                super().__init__(spec, address)
                return
            except DeviceError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_S)

    @property
    def pid(self) -> int:
        """The process group in which the emulator runs."""
        return self._process.pid

    def soft_reset(self) -> None:
        """A fresh heap and fresh modules; files stay. An emulator that has ended is started again."""
        if self._process.poll() is None:
            super().soft_reset()
        else:
            self.restart()

    @property
    def address(self) -> str:
        """The port on which the board is, for other programs; another one after a restart."""
        return self._address

    def hand_over(self) -> None:
        """Leave the board at its friendly prompt and let go of its port, so that another program can open it."""
        self._link.close()

    def wait(self) -> str:
        """Wait until the emulator ends by itself, as at a reset; how it ended, in words."""
        self._process.wait()
        return self._how_it_ended() or "has ended"

    def restart(self) -> None:
        """End the emulator and start it anew, as if the board had lost its power for a moment."""
        self._link.close()
        self._end_process()
        self._start(self.spec)

    def _explain(self, lost: LinkLost) -> DeviceError:
        ended = self._how_it_ended()
        if ended is None:
            return lost
        return DeviceError(f"The emulator of {self.spec} {ended}. A soft reset starts it again.")

    def _how_it_ended(self) -> str | None:
        """What became of the process if it has ended by itself, with the end of what it said."""
        try:
            status = self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            return None
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - _LOG_BYTES))
        lines = self._log.read().decode("utf-8", "replace").splitlines()
        said = " ".join(line.strip() for line in lines if line.strip() and "warning:" not in line)
        return how_it_ended(status) + (f" and said: {said}" if said else "")

    def close(self) -> None:
        """End the emulator and everything that it started. A second call does nothing."""
        try:
            if self._end_process.alive:
                super().close()
        finally:
            self._end_process()


def require_ptys(spec: str) -> None:
    """DeviceError where the operating system has no ptys."""
    try:
        import fcntl  # noqa: F401
        import pty  # noqa: F401
    except ImportError:
        raise DeviceError(f"This operating system has no ptys, which {spec} needs; use a connected board.") from None


def inheritable(file: IO[bytes]) -> int:
    """A new descriptor of `file` for `open_files`, with a number that the shell in between leaves alone."""
    import fcntl

    return fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_DESCRIPTOR)


def how_it_ended(status: int) -> str:
    """A shell's exit status in words."""
    number = -status if status < 0 else status - 128
    if number > 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(number).name}"
    return f"has ended with status {status}"


def _start_on_pty(
    command: list[str], open_files: tuple[int, ...], environment: dict[str, str], log: IO[bytes]
) -> tuple[int, int, subprocess.Popen[bytes]]:
    import pty

    master, slave = pty.openpty()
    watched, lifeline = os.pipe()
    try:
        _set_transparent(slave)
        # A session of its own: Ctrl-C in the user's terminal is for us, and we tell the device.
        process = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "emulator", *command],
            stdin=watched,
            stdout=master,
            stderr=log,
            pass_fds=open_files,
            env=environment,
            start_new_session=True,
        )
    except BaseException as error:
        os.close(slave)
        os.close(lifeline)
        if isinstance(error, OSError):
            raise DeviceError(f"{command[0]} cannot be started: {error}.") from None
        raise
    finally:
        os.close(master)
        os.close(watched)
    return slave, lifeline, process


def _set_transparent(terminal: int) -> None:
    """Every byte goes through as it is, even if the emulator turns output processing on again, as QEMU does."""
    import termios
    import tty

    tty.setraw(terminal)
    attributes = termios.tcgetattr(terminal)
    attributes[1] = 0
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)


def _end(process: subprocess.Popen[bytes], lifeline: int, slave: int, log: IO[bytes]) -> None:
    # Closing the pipe would do, but this is sooner. Only while the process is not waited for: after that its
    # number may be somebody else's.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    os.close(lifeline)
    os.close(slave)
    process.wait()
    log.close()
