"""What a firmware takes of a board's flash and RAM."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "sizes.json"


@dataclass(frozen=True)
class Sizes:
    """In bytes: code and constants, and variables (the static arena among them). `heap` is what is left for
    MicroPython's heap and its tables; None where the user says how large that is."""

    flash: int
    ram: int
    heap: int | None

    @property
    def text(self) -> str:
        """For a person."""
        heap = f", {self.heap:,} left for the heap" if self.heap is not None else ""
        return f"{self.flash:,} bytes of flash, {self.ram:,} of RAM{heap}"


def measure(program: Path, tools: str, heap: tuple[str, str] | None) -> Sizes:
    """The sizes of an ELF file by the compiler's tools, whose names begin with `tools`; `heap` names the symbols
    where the heap begins and ends."""
    numbers = _answer(f"{tools}size", str(program)).splitlines()[1].split()
    text, data, bss = (int(number) for number in numbers[:3])
    left = None
    if heap is not None:
        table = re.findall(r"^([0-9a-f]+) \w (\w+)$", _answer(f"{tools}nm", str(program)), re.MULTILINE)
        symbols = {name: int(address, 16) for address, name in table}
        left = symbols[heap[1]] - symbols[heap[0]]
    return Sizes(text + data, data + bss, left)


def _answer(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def keep(sizes: Sizes, folder: Path) -> None:
    """Write them beside the firmware."""
    (folder / FILE).write_text(json.dumps(asdict(sizes)) + "\n")


def kept(folder: Path) -> Sizes:
    """What `keep` wrote."""
    return Sizes(**json.loads((folder / FILE).read_text()))
