"""Writes UF2, the format in which a Pico's boot loader takes firmware: blocks of 512 bytes, each with its address.

Source: Microsoft's UF2 specification, and the data sheets of RP2040 and RP2350 for the families.
"""

from __future__ import annotations

import struct

MAGIC_START_0 = 0x0A324655
MAGIC_START_1 = 0x9E5D5157
MAGIC_END = 0x0AB16F30
BLOCK_BYTES = 512
PAYLOAD_BYTES = 256  # what the boot ROM takes in a block: a page of the flash
NOT_MAIN_FLASH = 0x0001
HAS_FAMILY = 0x2000
HEADER = struct.Struct("<8I")

FLASH_START = 0x10000000
RP2040 = 0xE48BFF56
RP2350_ARM_S = 0xE48BFF59
RP2350_RISCV = 0xE48BFF5A
ABSOLUTE = 0xE48BFF57  # blocks of no chip in particular; picotool adds one against a fault of the RP2350

FAMILIES = {
    RP2040: "RP2040",
    RP2350_ARM_S: "RP2350 (Arm)",
    RP2350_RISCV: "RP2350 (RISC-V)",
    ABSOLUTE: "any chip",
}


def encode(content: bytes, family: int, address: int = FLASH_START) -> bytes:
    """A UF2 that puts `content` at `address` (a multiple of 256); the last page is filled up with zeros."""
    if address % PAYLOAD_BYTES:
        raise ValueError(f"a UF2 for the Pico begins at a multiple of {PAYLOAD_BYTES}, not at {address:#x}")
    count = -(-len(content) // PAYLOAD_BYTES)
    blocks = bytearray()
    for number in range(count):
        page = content[number * PAYLOAD_BYTES : (number + 1) * PAYLOAD_BYTES]
        blocks += HEADER.pack(
            MAGIC_START_0,
            MAGIC_START_1,
            HAS_FAMILY,
            address + number * PAYLOAD_BYTES,
            PAYLOAD_BYTES,
            number,
            count,
            family,
        )
        blocks += page.ljust(BLOCK_BYTES - HEADER.size - 4, b"\0") + struct.pack("<I", MAGIC_END)
    return bytes(blocks)
