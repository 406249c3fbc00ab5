"""Writes files to a device so that it has, under a file's name, either the old file or the whole new one.

The new content goes beside the target under a temporary name, is hashed on the device after it was closed, compared,
and only then renamed over the target. Reports of files that arrived damaged exist (micropython issue 17865); a copy
that nobody compared is a guess. What a transfer that broke off has left is hashed too, and sending goes on behind it.

A rename over a file is one step on littlefs and on a computer; FAT removes the old name first. `models.py` has what a
model needs there.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from host_tools.device import info
from host_tools.device.conversation import Receiver
from host_tools.device.errors import DeviceError
from host_tools.device.files import DeviceFiles, Progress
from host_tools.device.on_device import program

TEMPORARY_SUFFIX = ".part"
_HASH_SILENCE_S = 300.0


@dataclass(frozen=True)
class WriteReport:
    """What became of a file: where it is, its hash and length, what it cost, and who vouches for it.

    `verified_by` is `device` or `read back` (the board has no hashlib: the file was sent back and hashed
    here); `skipped` means that the device already had it; `resumed` is how many of its bytes an earlier transfer had
    left; `wire_bytes` is what was sent for it in all.
    """

    path: str
    sha256: str
    bytes: int
    wire_bytes: int
    seconds: float
    verified_by: str
    skipped: bool
    resumed: int = 0


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

    def receiver(self, code: str, target: Callable[[int], str]) -> Receiver:
        """See Device.receiver."""
        raise NotImplementedError

    def write_file(self, source: bytes | Path, remote: str, progress: Progress | None = None) -> WriteReport:
        """Write `source` (content, or a file here) to the path `remote`, whose folder must exist.

        Whatever goes wrong, the old file stays. `progress` is called with the bytes sent and their total.
        """
        return self.write_files({remote: source}, progress)[0]

    def write_files(
        self, sources: Mapping[str, bytes | Path], progress: Progress | None = None, *, directly: bool = False
    ) -> list[WriteReport]:
        """Write several files, given by their path on the device, in one go; a report for each.

        As `write_file` for each of them; many small files take far less time than one by one. Whatever goes wrong,
        each of the files is the old one or the whole new one. `directly` leaves that out and writes under the names
        themselves, for a caller that knows by other means that a transfer broke off: renaming takes littlefs longer
        than all the rest of a small file.
        """
        suffix = "" if directly else TEMPORARY_SUFFIX
        contents = {path: each if isinstance(each, bytes) else each.read_bytes() for path, each in sources.items()}
        total = sum(map(len, contents.values()))
        reports: list[WriteReport] = []
        done = 0

        def advance(sent: int) -> None:
            if progress is not None:
                progress(done + sent, total)

        unproved: list[int] = []
        sent_before, started = self.bytes_sent, time.monotonic()
        with self.receiver(program("files"), lambda chunk: f"_Files({suffix!r}, {chunk})") as receiver:
            for path, content in contents.items():
                state, resumed = self._write_one(receiver, path, content, advance)
                if state == "unproved":
                    unproved.append(len(reports))
                # What it takes to begin is counted with the first file.
                wire_bytes, sent_before = self.bytes_sent - sent_before, self.bytes_sent
                now = time.monotonic()
                seconds, started = now - started, now
                digest = hashlib.sha256(content).hexdigest()
                same = state == "same"
                reports.append(WriteReport(path, digest, len(content), wire_bytes, seconds, "device", same, resumed))
                done += len(content)
                advance(0)
        for index in unproved:
            reports[index] = self._prove_by_reading_back(reports[index], suffix)
        return reports

    def _write_one(
        self, receiver: Receiver, path: str, content: bytes, advance: Callable[[int], None]
    ) -> tuple[str, int]:
        """(`same`, `sent`, or `unproved` where the device has no hashlib; bytes that an earlier transfer had left)"""
        wanted = hashlib.sha256(content).hexdigest()
        if "\n" in path or "\0" in path:
            raise DeviceError(f"{path!r} is no name for a file on a device.")
        state, left, digest, free = self._begin(receiver, path, content, wanted, again=True)
        if state == "same":
            advance(len(content))
            return state, 0
        if left > len(content) or (left and digest != hashlib.sha256(content[:left]).hexdigest()):
            # Something else was left there.
            state, _, _, _ = self._begin(receiver, path, content, wanted, again=False)
            free, left = free + left, 0
        if free + left < len(content):
            raise DeviceError(
                f"{path} needs {len(content)} bytes and the device has {free + left} free. "
                "The old file stays until the new one is verified, so there must be room for both."
            )
        for start in range(left, len(content), receiver.chunk):
            piece = content[start : start + receiver.chunk]
            receiver.send(piece)
            advance(start + len(piece))
        got = receiver.end(_HASH_SILENCE_S)
        if got == "":
            return "unproved", left
        if got != wanted:
            raise DeviceError(
                f"{path} arrived damaged (SHA-256 {str(got)[:16]}… instead of {wanted[:16]}…) and was not put in place."
            )
        return "sent", left

    def _begin(
        self, receiver: Receiver, path: str, content: bytes, wanted: str, *, again: bool
    ) -> tuple[str, int, str, int]:
        """(state, bytes left by an earlier transfer, their hash, free bytes)"""
        answer = receiver.begin(f"{path}\n{len(content)}\n{wanted}\n{'again' if again else ''}", _HASH_SILENCE_S)
        if not isinstance(answer, tuple) or [type(each) for each in answer] != [str, int, str, int, int]:
            raise DeviceError(f"The device's answer about {path} makes no sense: {answer!r}.")
        state, left, digest, block, blocks = answer
        if state == "folder":
            raise DeviceError(f"{path} is a folder on the device.")
        if state == "no folder":
            raise DeviceError(f"The device has no folder {path.rpartition('/')[0] or '/'} to write {path} to.")
        # Multiplied here, not there: a product of 2**30 or more is an allocation on a small board.
        return state, max(0, left), digest, block * blocks

    def _prove_by_reading_back(self, report: WriteReport, suffix: str) -> WriteReport:
        temporary = report.path + suffix
        started = time.monotonic()
        if hashlib.sha256(self.read_file(temporary)).hexdigest() != report.sha256:
            with contextlib.suppress(DeviceError):
                self.remove(temporary)
            raise DeviceError(f"{report.path} arrived damaged and was not put in place.")
        if suffix:
            self.rename(temporary, report.path)
        seconds = report.seconds + time.monotonic() - started
        return WriteReport(**{**report.__dict__, "seconds": seconds, "verified_by": "read back"})
