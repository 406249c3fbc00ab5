"""Writes a file to a device so that the device has either the old file or the whole new one.

The new content goes beside the target under a temporary name, is hashed on the device after it was closed,
compared, and only then renamed over the target. Reports of files that arrived damaged exist (micropython
issue 17865); a copy that nobody compared is a guess.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from host_tools.device import info
from host_tools.device.errors import DeviceError, DeviceFileNotFound, RemoteError
from host_tools.device.files import DeviceFiles, Progress

TEMPORARY_SUFFIX = ".part"
# A chunk needs about 5 times its size of the device's heap while it is compiled and decoded.
_SMALLEST_CHUNK, _LARGEST_CHUNK, _HEAP_SHARE = 192, 4096, 32


@dataclass(frozen=True)
class WriteReport:
    """What became of a file: where it is, its hash and length, what it cost, and who vouches for it.

    `verified_by` is `device` or `read back` (the board has no hashlib: the file was sent back and hashed
    here); `skipped` means that the device already had it; `wire_bytes` is what was sent for it in all.
    """

    path: str
    sha256: str
    bytes: int
    wire_bytes: int
    seconds: float
    verified_by: str
    skipped: bool


class DeviceTransfer(DeviceFiles):
    """The writing of files of a Device."""

    @property
    def bytes_sent(self) -> int:
        """See Device.bytes_sent."""
        raise NotImplementedError

    @property
    def description(self) -> info.DeviceInfo:
        """See Device.description."""
        raise NotImplementedError

    def write_file(self, source: bytes | Path, remote: str, progress: Progress | None = None) -> WriteReport:
        """Write `source` (content, or a file here) to the path `remote`, whose folder must exist.

        Whatever goes wrong, the old file stays. `progress` is called with the bytes sent and their total.
        """
        started, sent_before = time.monotonic(), self.bytes_sent
        content = source if isinstance(source, bytes) else source.read_bytes()
        wanted = hashlib.sha256(content).hexdigest()
        verified_by = self._already_there(remote, content, wanted)
        skipped = bool(verified_by)
        if not skipped:
            verified_by = self._replace(remote, content, wanted, progress)
        elif progress is not None:
            progress(len(content), len(content))
        wire_bytes, seconds = self.bytes_sent - sent_before, time.monotonic() - started
        return WriteReport(remote, wanted, len(content), wire_bytes, seconds, verified_by, skipped)

    def _already_there(self, remote: str, content: bytes, wanted: str) -> str:
        try:
            there = self.stat(remote)
        except DeviceFileNotFound:
            return ""
        if there.is_folder:
            raise DeviceError(f"{remote} is a folder on the device.")
        if there.size != len(content):
            return ""
        got, verified_by = self.hash_file(remote)
        return verified_by if got == wanted else ""

    def _replace(self, remote: str, content: bytes, wanted: str, progress: Progress | None) -> str:
        temporary = remote + TEMPORARY_SUFFIX
        self._check_space(remote, len(content))
        try:
            self._send(temporary, content, progress)
            got, verified_by = self.hash_file(temporary)
            if got != wanted:
                raise DeviceError(
                    f"{remote} arrived damaged (SHA-256 {got[:16]}… instead of {wanted[:16]}…) "
                    "and was not put in place."
                )
            self.rename(temporary, remote)
        except BaseException:
            # Also on Ctrl-C. A device that is gone keeps the temporary file; the next write to the path
            # replaces it.
            with contextlib.suppress(DeviceError):
                self.exec("try:\n _w.close()\nexcept NameError:\n pass", timeout=10)
            with contextlib.suppress(DeviceError):
                self.exec(f"import os\nos.remove({temporary!r})", timeout=10)
            raise
        return verified_by

    def _check_space(self, remote: str, size: int) -> None:
        folder = remote.rpartition("/")[0] or "/"
        try:
            # Multiplied here, not there: a product of 2**30 or more is an allocation on a small board.
            block, free_blocks = self.eval(f"(lambda s: (s[0], s[4]))(__import__('os').statvfs({folder!r}))")
            free = int(block) * int(free_blocks)
        except RemoteError as error:
            if error.kind == "AttributeError":
                return  # a device without statvfs: the write itself will tell
            if error.errno == 2:
                raise DeviceError(f"The device has no folder {folder} to write {remote} to.") from None
            raise
        except (TypeError, ValueError):
            raise DeviceError("The device's answer about its free space makes no sense.") from None
        if free < size:
            raise DeviceError(
                f"{remote} needs {size} bytes and the device has {free} free. "
                "The old file stays until the new one is verified, so there must be room for both."
            )

    def _send(self, temporary: str, content: bytes, progress: Progress | None) -> None:
        chunk = min(_LARGEST_CHUNK, max(_SMALLEST_CHUNK, self.description.free_heap // _HEAP_SHARE)) // 3 * 3
        self.exec(
            "from binascii import a2b_base64 as _a\n"
            f"_w = open({temporary!r}, 'wb')\n"
            "def _p(text):\n"
            " data = _a(text)\n"
            " if _w.write(data) != len(data): raise OSError(28)\n"
        )
        for start in range(0, len(content), chunk):
            piece = content[start : start + chunk]
            self.exec(b"_p(b'" + base64.b64encode(piece) + b"')")
            if progress is not None:
                progress(start + len(piece), len(content))
        self.exec("_w.close()\ndel _w, _p, _a")
