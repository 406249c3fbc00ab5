"""Writes RESULTS.md: instructions and estimated cycles of the int8 kernels and of whole inferences, beside others'.

    python -m tests.bench.results            # all that this computer can count: about ten minutes
    python -m tests.bench.results --fast     # kernels alone, and inferences with `_nnmicro`; the other rows stay
    python -m tests.bench.results --kernels  # the kernels alone; the inferences stay

`make bench` does the first. What is lacking (a compiler, an emulator, the shared models) is named, and nothing is
written. Rows stay only where they were measured with the same tools.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from firmware import source
from firmware.emulator import install
from tests.bench.kernels.count import CORES as COUNTED
from tests.bench.kernels.count import Counted, count
from tests.bench.results_file import COLUMNS, RESULTS, Sums, parsed, text
from tests.bench.rows import BACKENDS, CORES, FIRMWARE, MPY, NETWORKS, PACKED, Row, model
from tests.bench.whole import measured, sessions
from tests.boards import lacking as lacking_board


def versions() -> list[str]:
    """The first lines of what compilers and emulators say of themselves, and what else figures depend on."""
    tools = sorted({tool for core in COUNTED.values() for tool in (core.compiler, core.emulator[0])})
    said = [
        subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in tools
    ]
    lock = json.loads((Path(install.__file__).parent / "package-lock.json").read_text())
    emulator = f"rp2040js {lock['packages']['node_modules/rp2040js']['version']}"
    chosen = source.candidates()[0]
    micropython = f"MicroPython {chosen.release.version if chosen.release else chosen.identity}"
    return [*dict.fromkeys(said), emulator, micropython]


def lacking() -> list[str]:
    """What the kernels cannot be counted without and is not here."""
    return sorted({tool for core in COUNTED.values() for tool in core.lacks()})


def lacking_boards() -> list[str]:
    """Why inferences cannot be measured; nothing where they can."""
    reasons = [lacking_board(f"emu:{core.board}", may_build=True) for core in CORES.values()]
    try:
        for net in NETWORKS:
            model(net)
    except FileNotFoundError as error:
        reasons.append(str(error))
    return sorted(set(filter(None, reasons)))


def counted() -> dict[str, list[Counted]]:
    """The kernels alone on each core."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: count(core, Path(folder)) for name, core in COUNTED.items()}


def slower_kernels(before: Sums, now: Sums) -> list[str]:
    """What takes more than 1 % more instructions than before, as sentences."""
    return [
        f"{COLUMNS[core]}, {NETWORKS[net]}: {now[core][net]:,} instructions instead of {figure:,}"
        for core, networks in before.items()
        for net, figure in networks.items()
        if now[core][net] > figure * 1.01
    ]


def slower_inferences(before: Sequence[Row], now: Sequence[Row]) -> list[str]:
    """The same of inferences: by instructions, else by cycles; what cannot be measured any more counts as slower."""
    found = {row.key: row for row in now}
    sentences = []
    for row in before:
        if row.key not in found or row.why:
            continue
        each = found[row.key]
        what = f"{CORES[row.core].name}, {NETWORKS[row.network]}, {row.backend}"
        unit = "instructions" if row.instructions is not None else "cycles"
        figure, figure_now = (one.instructions if unit == "instructions" else one.cycles for one in (row, each))
        if figure is not None and figure_now is None:
            sentences.append(f"{what}: {each.why} instead of {figure:,} {unit}")
        elif figure is not None and figure_now is not None and figure_now > figure * 1.01:
            sentences.append(f"{what}: {figure_now:,} {unit} instead of {figure:,}")
    return sentences


def main(arguments: Sequence[str]) -> None:
    if unknown := set(arguments) - {"--fast", "--kernels"}:
        raise SystemExit(f"{', '.join(unknown)}? There are --fast and --kernels")
    renewed = () if "--kernels" in arguments else (FIRMWARE, PACKED, MPY) if "--fast" in arguments else BACKENDS
    if missing := lacking() + (lacking_boards() if renewed else []):
        raise SystemExit(f"not here: {', '.join(missing)}")
    tools = versions()
    kept: list[Row] = []
    if arguments:
        before, kept, _ = parsed(RESULTS.read_text())
        if before != tools:
            raise SystemExit(f"RESULTS.md was measured with {', '.join(before)}: renew all of it")
    print("the kernels alone", file=sys.stderr)
    kernels = counted()
    rows = [row for row in kept if row.backend not in renewed] + measured(sessions(renewed))
    RESULTS.write_text(text(tools, rows, kernels))
    print(RESULTS.read_text())


if __name__ == "__main__":
    main(sys.argv[1:])
