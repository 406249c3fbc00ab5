"""Models in a device's ROMFS partition, where the engine uses them without a copy in RAM.

Pushing and removing keep, at every moment, one whole directory with the old files or the new ones; `romfs_image.py`
says how. A partition with an image that others made is left alone.
"""

from __future__ import annotations

import binascii
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from host_tools.device import romfs_image as image
from host_tools.device.conversation import Receiver
from host_tools.device.device import Device
from host_tools.device.errors import DeviceError
from host_tools.device.files import Progress
from host_tools.device.on_device import program
from host_tools.device.romfs_image import BLOCK, Directory, Place
from host_tools.device.transfer import WriteReport

FOLDER = "/rom"
_SILENCE_S = 300.0
_READ_BYTES = 2048


def push_romfs(device: Device, content: bytes, name: str, progress: Progress | None = None) -> WriteReport:
    """Put a file into the ROMFS partition, as `/rom/<name>`; an old one of that name stays until the new one is proved.

    DeviceError says why it cannot be: no partition, somebody else's files in it, no room beside the old one.
    """
    started, sent_before = time.monotonic(), device.bytes_sent
    wanted = hashlib.sha256(content).hexdigest()
    advance = progress or (lambda sent, total: None)
    with _partition(device) as partition:
        old = partition.directory.files.get(name)
        skipped = old is not None and old.size == len(content) and partition.hash(old) == (wanted, "device")
        resumed, verified_by = 0, "device"
        if skipped:
            advance(len(content), len(content))
        else:
            place = partition.room(name, len(content))
            resumed = partition.write(place, content, lambda sent: advance(min(sent, len(content)), len(content)))
            got, verified_by = partition.hash(place)
            if got != wanted:
                raise DeviceError(
                    f"{FOLDER}/{name} arrived damaged (SHA-256 {got[:16]}… instead of {wanted[:16]}…) "
                    "and was not put in place."
                )
            partition.commit({**partition.directory.files, name: place})
    wire_bytes, seconds = device.bytes_sent - sent_before, time.monotonic() - started
    return WriteReport(
        f"{FOLDER}/{name}", wanted, len(content), wire_bytes, seconds, verified_by, skipped, min(resumed, len(content))
    )


def remove_from_romfs(device: Device, name: str) -> bool:
    """Take a file out of the ROMFS partition; False if it is not there."""
    with _partition(device) as partition:
        files = dict(partition.directory.files)
        if files.pop(name, None) is None:
            return False
        partition.commit(files)
    return True


@contextmanager
def _partition(device: Device) -> Iterator[_Partition]:
    with device.receiver(program("romfs"), lambda chunk: "_Rom()") as receiver:
        partition = _Partition(device.spec, receiver)
        partition.finish()
        yield partition


class _Partition:
    """The partition while the receiver runs on the device; `directory` is what it holds."""

    def __init__(self, spec: str, receiver: Receiver) -> None:
        self._receiver = receiver
        answer = self._ask("look", tuple)
        if [type(each) for each in answer] != [str, int, str, str]:
            raise DeviceError(f"The device's answer about its ROMFS makes no sense: {answer!r}.")
        why, self.size, *heads = answer
        if why:
            raise DeviceError(f"{spec} cannot take models into ROMFS: {why}. Push without --romfs.")
        first, second = (bytes.fromhex(head) for head in heads)
        if image.is_of_others(first):
            raise DeviceError(
                f"The ROMFS of {spec} holds an image that nnmicro did not make, whose files would be lost. Push "
                "without --romfs, or put an empty image there first (mpremote romfs deploy)."
            )
        self._both = {0: image.parse(first, 0, self.size), BLOCK: image.parse(second, BLOCK, self.size)}
        whole = [each for each in self._both.values() if each is not None]
        self.directory = max(whole, key=lambda each: each.number, default=Directory(0, {}))

    def finish(self) -> None:
        """Bring a change that broke off to its end, before any block is taken for free."""
        for base, directory in self._both.items():
            if self.directory.number and directory != self.directory:
                self._write_directory(self.directory, base)

    def room(self, name: str, size: int) -> Place:
        """A free place for a file. DeviceError if there is none."""
        start = self.directory.gap(size, self.size)
        if start is None:
            others = ", ".join(f"{each} ({place.size:,} bytes)" for each, place in self.directory.files.items())
            raise DeviceError(
                f"{FOLDER}/{name} has {size:,} bytes, and the ROMFS of {self.size:,} bytes has no free place of that "
                f"size beside {others or 'its directories'}. An old model stays until the new one is verified: "
                f"`nnmicro rm {FOLDER}/…` makes room first."
            )
        return Place(start, size)

    def write(self, place: Place, content: bytes, advance: Callable[[int], None]) -> int:
        """Write a file's data, from the first block on that is not there already; how many bytes were there."""
        padded = content + bytes(place.end - place.start - len(content))
        there = self._ask(f"write {place.start} {len(padded)}", list)
        blocks = [binascii.crc32(padded[at : at + BLOCK]) for at in range(0, len(padded), BLOCK)]
        same = 0
        while same < min(len(blocks), len(there)) and there[same] == blocks[same]:
            same += 1
        self._ask(f"skip {same * BLOCK}", int)
        for at in range(same * BLOCK, len(padded), self._receiver.chunk):
            self._receiver.send(padded[at : at + self._receiver.chunk])
            advance(at + self._receiver.chunk)
        self._receiver.end(_SILENCE_S)
        return same * BLOCK

    def hash(self, place: Place) -> tuple[str, str]:
        """The SHA-256 of a file, and who computed it: `device`, or we from a `read back`."""
        digest = self._ask(f"hash {place.start} {place.size}", str)
        if digest:
            return str(digest), "device"
        state = hashlib.sha256()
        for at in range(0, place.size, _READ_BYTES):
            count = min(_READ_BYTES, place.size - at)
            state.update(bytes.fromhex(str(self._ask(f"read {place.start + at} {count}", str))))
        return state.hexdigest(), "read back"

    def commit(self, files: dict[str, Place]) -> None:
        """Make `files` what the partition holds: in the second directory first, so that one of the two is whole."""
        self.directory = Directory(self.directory.number + 1, files)
        for base in (BLOCK, 0):
            self._write_directory(self.directory, base)

    def _write_directory(self, directory: Directory, base: int) -> None:
        try:
            block = directory.block(base)
        except ValueError as error:
            raise DeviceError(f"The ROMFS is full: {error}.") from None
        # The device puts the first four bytes in when all the others are there.
        pending = b"\xff" * len(image.MAGIC) + block[len(image.MAGIC) :]
        self._ask(f"directory {base}", int)
        for at in range(0, BLOCK, self._receiver.chunk):
            self._receiver.send(pending[at : at + self._receiver.chunk])
        got = self._receiver.end(_SILENCE_S)
        if got not in ("", hashlib.sha256(block).hexdigest()):
            raise DeviceError("The directory of the ROMFS arrived damaged. Push again: that repairs it.")

    def _ask(self, command: str, kind: type) -> Any:
        answer = self._receiver.begin(command, _SILENCE_S)
        if not isinstance(answer, kind):
            raise DeviceError(f"The device's answer about its ROMFS makes no sense: {answer!r}.")
        return answer
