"""Reads UF2 files: for which chip one is, and what it puts where in the flash.

A UF2 comes from anywhere, so everything in it is checked before anything is flashed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from firmware.rp2 import uf2 as form

LARGEST_FILE = 64 * 1024 * 1024


class Uf2Error(ValueError):
    """A file that is no sound UF2; the message says what is wrong with it."""


@dataclass(frozen=True)
class Uf2:
    """What a UF2 says: the chip's family number, and pages of 256 bytes by their address."""

    family: int
    pages: dict[int, bytes]

    @property
    def family_name(self) -> str:
        """The chip's name, or the family number of one that is not known here."""
        return form.FAMILIES.get(self.family, f"family {self.family:#010x}")

    @property
    def size(self) -> int:
        """The bytes of flash that it fills."""
        return form.PAYLOAD_BYTES * len(self.pages)


@dataclass(frozen=True)
class _Block:
    number: int
    count: int
    address: int
    family: int
    page: bytes


def decode(content: bytes) -> Uf2:
    """The firmware in a UF2 for one chip; Uf2Error if it is damaged, incomplete or for several chips."""
    if not content or len(content) % form.BLOCK_BYTES or len(content) > LARGEST_FILE:
        raise Uf2Error(f"This is no UF2 file: it has {len(content)} bytes, not a multiple of {form.BLOCK_BYTES}.")
    families: dict[int, list[_Block]] = {}
    for block in _blocks(content):
        families.setdefault(block.family, []).append(block)
    families.pop(form.ABSOLUTE, None)
    if not families:
        raise Uf2Error("This UF2 file holds no firmware.")
    if len(families) > 1:
        names = ", ".join(form.FAMILIES.get(family, f"{family:#010x}") for family in families)
        raise Uf2Error(f"This UF2 file holds firmware for several chips ({names}).")
    ((family, blocks),) = families.items()
    counts = {block.count for block in blocks}
    numbers = [block.number for block in blocks]
    if counts != {len(blocks)} or sorted(numbers) != list(range(len(blocks))):
        raise Uf2Error(f"This UF2 file is incomplete: it has {len(blocks)} blocks of {max(counts)}.")
    pages = {block.address: block.page for block in blocks}
    if len(pages) != len(blocks):
        raise Uf2Error("This UF2 file puts two blocks at the same address.")
    return Uf2(family, pages)


def _blocks(content: bytes) -> Iterator[_Block]:
    for start in range(0, len(content), form.BLOCK_BYTES):
        header = form.HEADER.unpack_from(content, start)
        first, second, flags, address, size, number, count, family = header
        (end,) = struct.unpack_from("<I", content, start + form.BLOCK_BYTES - 4)
        where = f"The block at byte {start} of this UF2 file"
        if (first, second, end) != (form.MAGIC_START_0, form.MAGIC_START_1, form.MAGIC_END):
            raise Uf2Error(f"{where} is none: its marks are wrong.")
        if flags & form.NOT_MAIN_FLASH:
            continue
        if not flags & form.HAS_FAMILY:
            raise Uf2Error(f"{where} does not say for which chip it is.")
        if size != form.PAYLOAD_BYTES or address % form.PAYLOAD_BYTES:
            raise Uf2Error(
                f"{where} has {size} bytes for {address:#x}; a Pico takes whole pages of {form.PAYLOAD_BYTES}."
            )
        page = content[start + form.HEADER.size : start + form.HEADER.size + size]
        yield _Block(number, count, address, family, page)
