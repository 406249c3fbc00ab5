"""What a device is: its interpreter, its native code, its memory."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from host_tools.device.errors import DeviceError

# Index in the upper bits of sys.implementation._mpy -> mpy-cross's name (py/persistentcode.h of MicroPython).
_ARCHITECTURES = (
    None, "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa",
    "xtensawin", "rv32imc", "rv64imc",
)  # fmt: skip

# A function, so that nothing is left in the device's globals but its name.
PROBE = """\
def _probe():
    import gc, sys
    i = sys.implementation
    r = {"platform": sys.platform, "version": tuple(i[1])[:3], "machine": getattr(i, "_machine", ""),
         "mpy": getattr(i, "_mpy", 0), "word": 8 if sys.maxsize > 1 << 32 else 4}
    try:
        import hashlib
        r["hashlib"] = hasattr(hashlib, "sha256")
    except ImportError:
        r["hashlib"] = False
    try:
        import deflate
        r["deflate"] = True
    except ImportError:
        r["deflate"] = False
    try:
        import os
        r["sysname"] = os.uname()[0]
    except (ImportError, AttributeError):
        r["sysname"] = sys.platform
    gc.collect()
    r["free"] = gc.mem_free()
    r["allocated"] = gc.mem_alloc()
    print(r)
    try:
        import micropython
        micropython.mem_info()
    except (ImportError, AttributeError):
        pass
_probe()
del _probe
"""


def arch_number(name: str) -> int:
    """MicroPython's number of an architecture, as in the header of a .mpy file; ValueError for an unknown name."""
    return _ARCHITECTURES.index(name)


@dataclass(frozen=True)
class DeviceInfo:
    """A device's answers about itself; sizes in bytes, None where it cannot tell."""

    sysname: str
    machine: str
    version: tuple[int, ...]
    mpy_version: int
    mpy_sub_version: int
    native_arch: str | None
    word_bytes: int
    has_hashlib: bool
    has_deflate: bool
    free_heap: int
    heap: int
    largest_block: int | None

    @property
    def version_text(self) -> str:
        """MicroPython's version as people write it, `1.26.1`."""
        return ".".join(str(part) for part in self.version)


def parse(answer: bytes) -> DeviceInfo:
    """The device's answer to PROBE, every field checked: a device may run anything."""
    head, _, memory = answer.decode("utf-8", "replace").partition("\n")
    try:
        raw = ast.literal_eval(head)
        mpy = int(raw["mpy"])
        arch = mpy >> 10 & 0xF
        word = int(raw["word"])
        return DeviceInfo(
            sysname=str(raw["sysname"])[:100],
            machine=str(raw["machine"])[:200],
            version=tuple(int(part) for part in raw["version"]),
            mpy_version=mpy & 0xFF,
            mpy_sub_version=mpy >> 8 & 3,
            native_arch=_ARCHITECTURES[arch] if arch < len(_ARCHITECTURES) else None,
            word_bytes=word,
            has_hashlib=bool(raw["hashlib"]),
            has_deflate=bool(raw["deflate"]),
            free_heap=int(raw["free"]),
            heap=int(raw["free"]) + int(raw["allocated"]),
            largest_block=_largest_block(memory, word),
        )
    except (ValueError, SyntaxError, TypeError, KeyError, AttributeError, RecursionError, MemoryError):
        raise DeviceError(f"The device's description of itself makes no sense: {head[:200]!r}.") from None


def _largest_block(memory: str, word_bytes: int) -> int | None:
    # mem_info counts in the collector's blocks of four words.
    match = re.search(r"max free sz: (\d{1,12})\b", memory)
    return int(match[1]) * 4 * word_bytes if match else None
