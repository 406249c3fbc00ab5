"""The form of a ROMFS partition that holds models: two directories, and behind them the models' data.

MicroPython mounts the image at the partition's start. Here that image's records are a directory of one block, whose
files point to data further on, each file in blocks of its own; so a file is at a multiple of 4096 bytes and the engine
reads it where it lies. The second block holds the same directory once more, as an image whose start is that block.

A change writes new data into blocks that neither directory uses, then the second directory, then the first, and the
first four bytes of each after all its others. So at every moment one of the two is whole, and says the old files or
the new ones. The engine looks into the second where the first is not mounted (nnmicro/generations.py).

    byte 0    D2 CD 31, and the length in four bytes    header of a ROMFS (MicroPython's extmod/vfs_rom.c)
         7    01 12, then 18 bytes of padding record:
         9    "nnmicro", 1
        17    number, counted up by every change        4 bytes, little-endian
        21    bytes of file records                     2
        23    their CRC-32                              4
        27    file records, then a padding record up to the end of the last file
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass

BLOCK = 4096
MAGIC = b"\xd2\xcd\x31\x80"  # with the first byte of the length, which is always padded
FIRST_DATA = 2 * BLOCK
_HEADER_BYTES, _RECORDS_AT = 7, 27
_MARK = b"nnmicro\x01"
_PADDING, _POINTER, _FILE = 1, 3, 5


@dataclass(frozen=True)
class Place:
    """Where a file's data lies in the partition, in bytes; `start` is the start of a block."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """The end of its last block."""
        return self.start + -(-self.size // BLOCK) * BLOCK


@dataclass(frozen=True)
class Directory:
    """One state of the partition: its number, and the files by name."""

    number: int
    files: Mapping[str, Place]

    def block(self, base: int) -> bytes:
        """The directory's block as it lies at `base` (0 or BLOCK). ValueError if there are too many files."""
        records = b"".join(_file(name, place, base) for name, place in sorted(self.files.items()))
        end = max([base + BLOCK, *(place.end for place in self.files.values())])
        padding = end - base - _RECORDS_AT - len(records) - 5
        if _RECORDS_AT + len(records) + 5 > BLOCK:
            raise ValueError(f"the {len(self.files)} names of files do not fit into a directory of {BLOCK} bytes")
        head = MAGIC[:3] + _uint(end - base - _HEADER_BYTES, 4)
        head += bytes([_PADDING, 18]) + _MARK + self.number.to_bytes(4, "little")
        head += len(records).to_bytes(2, "little") + binascii.crc32(records).to_bytes(4, "little")
        block = head + records + bytes([_PADDING]) + _uint(padding, 4)
        return block + bytes(BLOCK - len(block))

    def gap(self, size: int, partition: int) -> int | None:
        """Where `size` bytes have room beside all files, the first such place; None if there is none."""
        needed = -(-size // BLOCK) * BLOCK
        start = FIRST_DATA
        for place in sorted(self.files.values(), key=lambda place: place.start):
            if place.start - start >= needed:
                return start
            start = max(start, place.end)
        return start if partition // BLOCK * BLOCK - start >= needed else None


def parse(head: bytes, base: int, partition: int) -> Directory | None:
    """The directory at `base` from the beginning of its block (what `block` makes, or anything); None if it is none.

    Every field is checked: what is in a flash may be anything.
    """
    if head[:4] != MAGIC or head[9:17] != _MARK:
        return None
    records = head[_RECORDS_AT : _RECORDS_AT + int.from_bytes(head[21:23], "little")]
    if binascii.crc32(records) != int.from_bytes(head[23:27], "little"):
        return None
    files: dict[str, Place] = {}
    try:
        at = 0
        while at < len(records):
            kind, at = _read_uint(records, at)
            size, at = _read_uint(records, at)
            payload, at = records[at : at + size], at + size
            length, start = _read_uint(payload, 0)
            name = payload[start : start + length].decode()
            pointer, start = _read_uint(payload, start + length)
            _, start = _read_uint(payload, start)
            nbytes, start = _read_uint(payload, start)
            offset, start = _read_uint(payload, start)
            place = Place(offset + base + _HEADER_BYTES, nbytes)
            if kind != _FILE or pointer != _POINTER or place.start % BLOCK or place.start < FIRST_DATA:
                return None
            if place.end > partition:
                return None
            files[name] = place
    except (IndexError, UnicodeDecodeError):
        return None
    return Directory(int.from_bytes(head[17:21], "little"), files)


def is_of_others(head: bytes) -> bool:
    """Whether the partition begins with an image that is not ours and has something in it."""
    return head[:3] == MAGIC[:3] and head[3:4] != b"\0" and head[9:17] != _MARK


def _file(name: str, place: Place, base: int) -> bytes:
    encoded = name.encode()
    pointer = _uint(place.size) + _uint(place.start - base - _HEADER_BYTES)
    payload = _uint(len(encoded)) + encoded + bytes([_POINTER]) + _uint(len(pointer)) + pointer
    return bytes([_FILE]) + _uint(len(payload)) + payload


def _uint(value: int, width: int = 1) -> bytes:
    """Seven bits in a byte, the highest first; leading 0x80 make it `width` bytes long."""
    encoded = [value & 0x7F]
    while value := value >> 7:
        encoded.insert(0, 0x80 | value & 0x7F)
    return bytes([0x80] * (width - len(encoded)) + encoded)


def _read_uint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
