"""Which firmware of ours a device runs, asked back from the device."""

from __future__ import annotations

import re
from dataclasses import dataclass

from host_tools.device.device import Device

# One line, nothing where the firmware is not ours.
_ASK = """\
try:
    import _nnmicro
    print(getattr(_nnmicro, "BUILD", ""), _nnmicro.ABI)
except ImportError:
    print()
"""
_LINE = re.compile(r"([\w-]{1,64}) ([\w.+-]{1,32}) ([0-9a-f]{16}) ([0-9a-f]{16}|-) (\d{1,9})")


@dataclass(frozen=True)
class Build:
    """A firmware of ours: the board it was built for, nnmicro's version, the hash of everything that went into it,
    the hash of the engine that is frozen in (None: none is), and the kernels' ABI."""

    board: str
    version: str
    firmware: str
    engine: str | None
    abi: int

    @property
    def text(self) -> str:
        """For a person."""
        engine = f"engine {self.engine}" if self.engine else "no engine frozen in"
        return f"nnmicro {self.version} for {self.board}, firmware {self.firmware}, {engine}, kernel ABI {self.abi}"


def parse_build(line: str) -> Build | None:
    """What `_nnmicro.BUILD` and its ABI say; None for anything else."""
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None
    board, version, firmware, engine, abi = found.groups()
    return Build(board, version, firmware, None if engine == "-" else engine, int(abi))


def ask_build(device: Device) -> Build | None:
    """The firmware that runs on `device`, None if it is not one of ours."""
    return parse_build(device.exec(_ASK).decode("utf-8", "replace"))
