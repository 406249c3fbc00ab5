"""UF2 files: what is written is read back, and nothing damaged, incomplete or foreign gets into a flash."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.rp2 import uf2 as form
from host_tools.uf2 import Uf2Error, decode

_FIRMWARE = bytes(range(256)) * 5 + b"the end"


def _changed(content: bytes, block: int, word: int, value: int) -> bytes:
    """`content` with one 32-bit word of a block's header replaced."""
    changed = bytearray(content)
    struct.pack_into("<I", changed, block * form.BLOCK_BYTES + 4 * word, value)
    return bytes(changed)


def test_a_block_is_laid_out_as_the_specification_says() -> None:
    block = form.encode(b"\x01\x02", form.RP2040)
    assert len(block) == 512
    assert block[:4] == b"UF2\n"
    # magic, magic, flags (family given), address, bytes, number, count, family
    assert struct.unpack("<8I", block[:32]) == (
        0x0A324655, 0x9E5D5157, 0x2000, 0x10000000, 256, 0, 1, 0xE48BFF56,
    )  # fmt: skip
    assert block[32:34] == b"\x01\x02"
    assert set(block[34:508]) == {0}
    assert block[508:] == struct.pack("<I", 0x0AB16F30)


@given(st.binary(min_size=1, max_size=2000))
def test_what_is_written_is_read_back(content: bytes) -> None:
    image = decode(form.encode(content, form.RP2350_ARM_S))
    assert image.family == form.RP2350_ARM_S
    flash = b"".join(image.pages[address] for address in sorted(image.pages))
    assert flash[: len(content)] == content
    assert not any(flash[len(content) :])
    assert min(image.pages) == form.FLASH_START
    assert image.size == len(flash)


def test_the_chip_is_named() -> None:
    assert decode(form.encode(_FIRMWARE, form.RP2040)).family_name == "RP2040"
    assert decode(form.encode(_FIRMWARE, 0x12345678)).family_name == "family 0x12345678"


def test_blocks_for_no_chip_in_particular_are_passed_over() -> None:
    # picotool puts one in front of firmware for the RP2350, with a count of its own.
    extra = form.encode(b"\xef" * 256, form.ABSOLUTE, 0x10FFFF00)
    image = decode(extra + form.encode(_FIRMWARE, form.RP2350_ARM_S))
    assert image.family == form.RP2350_ARM_S
    assert 0x10FFFF00 not in image.pages


def test_blocks_may_come_in_any_order() -> None:
    content = form.encode(_FIRMWARE, form.RP2040)
    blocks = [content[at : at + 512] for at in range(0, len(content), 512)]
    assert decode(b"".join(reversed(blocks))) == decode(content)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no UF2 file"),
        (b"UF2\n" * 100, "no UF2 file"),
        (bytes(512), "its marks are wrong"),
        (form.encode(_FIRMWARE, form.RP2040)[512:], "incomplete: it has 5 blocks of 6"),
        (form.encode(_FIRMWARE, form.RP2040)[:-512], "incomplete: it has 5 blocks of 6"),
        (form.encode(_FIRMWARE, form.RP2040) * 2, "incomplete: it has 12 blocks of 6"),
        (
            form.encode(_FIRMWARE, form.RP2040) + form.encode(_FIRMWARE, form.RP2350_ARM_S),
            r"several chips \(RP2040, RP2350 \(Arm\)\)",
        ),
        (form.encode(b"x", form.ABSOLUTE), "holds no firmware"),
        (_changed(form.encode(_FIRMWARE, form.RP2040), 2, 2, 0), "does not say for which chip"),
        (_changed(form.encode(_FIRMWARE, form.RP2040), 2, 4, 300), "whole pages"),
        (_changed(form.encode(_FIRMWARE, form.RP2040), 2, 3, 0x10000201), "whole pages"),
        (_changed(form.encode(_FIRMWARE, form.RP2040), 2, 3, 0x10000000), "two blocks at the same"),
        (_changed(form.encode(_FIRMWARE, form.RP2040), 2, 5, 3), "incomplete"),
    ],
)
def test_an_unsound_file_is_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(Uf2Error, match=complaint):
        decode(content)


def test_firmware_begins_at_a_page() -> None:
    with pytest.raises(ValueError, match="multiple of 256"):
        form.encode(b"x", form.RP2040, 0x10000080)
