"""What goes wrong with a device, told to the person who uses it."""

from __future__ import annotations

import errno
import re


class DeviceError(Exception):
    """A device could not be reached or did not do what was asked; the message is a sentence."""

    traceback: str = ""


class LinkLost(DeviceError):
    """The connection itself broke: the process died, the cable is out."""


class RemoteError(DeviceError):
    """A program on the device raised an exception.

    `traceback` is the device's whole report, `output` what the program had printed before, `kind` the
    exception's class name, `errno` the number of an OSError (or None).
    """

    def __init__(self, traceback: str, output: bytes = b"") -> None:
        self.traceback = traceback.replace("\r\n", "\n").strip()
        self.output = output
        last = self.traceback.rsplit("\n", 1)[-1].strip() or "an exception without a name"
        self.kind = last.split(":", 1)[0].strip()
        self.errno = _errno(last)
        super().__init__(f"The device raised {last.rstrip('.')}.")


class DeviceFileNotFound(RemoteError):
    """A path that the device does not have."""

    def __init__(self, path: str, cause: RemoteError) -> None:
        super().__init__(cause.traceback, cause.output)
        self.args = (f"The device has no {path}.",)


def _errno(last_line: str) -> int | None:
    match = re.match(r"OSError: \[?(?:Errno )?(\d{1,4})\b", last_line) or re.match(
        r"OSError: .*?\b(E[A-Z]+)\b", last_line
    )
    if match is None:
        return None
    return int(match[1]) if match[1].isdigit() else getattr(errno, match[1], None)
