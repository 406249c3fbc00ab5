"""RESULTS.md: its text from figures, and the figures from its text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from host_tools.fit.cycles import estimated
from tests.bench.anchors import PEER, PEER_KINDS, PEER_REFERENCE, PUBLISHED
from tests.bench.kernels.count import CORES as COUNTED
from tests.bench.kernels.count import Counted
from tests.bench.rows import BACKENDS, CORES, FIRMWARE, NETWORKS, PACKED, TINY, Row, macs

RESULTS = Path(__file__).parent / "RESULTS.md"
KINDS = ("first", "1x1", "3x3", "depthwise", "dense", "average", "add")
WHOLE, KERNELS = "## Whole inferences", "## Kernels alone"

# The cores of kernels/count.py; "packed" is with weights laid out by the converter as the core reads them.
COLUMNS = {name: CORES[name.split()[0]].name + (", packed" if name.endswith(" packed") else "") for name in COUNTED}

Kernels = Mapping[str, Sequence[Counted]]  # by core
Sums = Mapping[str, Mapping[str, int]]  # core → network or kind of layer → instructions
Groups = Mapping[str, tuple[str, Callable[[Counted], bool]]]  # title → key, and which layers belong to it

HEAD = """\
# What an inference costs

Written by `make bench`. Instructions are counted exactly. **Cycles are estimated, not measured on silicon**: from how
often each class of instruction is executed, and what the core's manual says that such a one takes
(`host_tools/fit/cycles.py`), with memory without wait states. Cycles of the Cortex-M7 are an upper bound: that it
issues two instructions at a time is left out. Those of the Pico are what its emulator has counted. RV32IMC is taken as
an in-order core of two stages. Code for the Cortex-M0+ is counted on a Cortex-M3, which executes all of it. Measured
with:
"""
WHOLE_TEXT = """\
On the emulated boards, from the user's call to the answer, Python included. `_nnmicro`: the kernels in the firmware;
packed: with weights laid out for the core (`nnmicro convert --core`); as `.mpy`: as a native module, on MicroPython
without anything of ours. "CMSIS-NN" and "reference" are how many times as many instructions TensorFlow Lite Micro takes
with these kernels. The Pico's emulator counts no instructions.
"""
KERNELS_TEXT = """\
Instructions of all int8 layers of a network, each called once as the engine calls it; in brackets how many times as
many TensorFlow Lite Micro with CMSIS-NN takes for an inference.
"""
TITLES = ("network", "core", "backend", "instructions", "a MAC", "CMSIS-NN", "reference", "estimated cycles", "a MAC")


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _head(texts: int, *cells: str) -> list[str]:
    return [_row(*cells), _row(*["---"] * texts, *["--:"] * (len(cells) - texts))]


def _number(value: float | None, form: str = ",") -> str:
    return "–" if value is None else format(value, form)


def sums(kernels: Kernels) -> dict[str, dict[str, int]]:
    return {
        core: {net: sum(row.times * row.instructions for row in rows if row.network == net) for net in TINY}
        for core, rows in kernels.items()
    }


def text(versions: Sequence[str], rows: Sequence[Row], kernels: Kernels) -> str:
    """The whole file."""
    parts = [HEAD, "".join(f"- {line}\n" for line in versions), whole_text(rows), published_text(rows)]
    return "\n".join([*parts, kernels_text(kernels)])


def whole_text(rows: Sequence[Row]) -> str:
    """The section about inferences, a row for each network, core and backend, and why some are lacking."""
    lines = [WHOLE, "", WHOLE_TEXT, *_head(3, *TITLES)]
    by_key = {row.key: row for row in rows}
    notes: list[str] = []
    for net, name in NETWORKS.items():
        for core, about in CORES.items():
            for backend in BACKENDS:
                row = by_key[net, core, backend]
                peers = [peer.get(core, {}).get(net) for peer in (PEER, PEER_REFERENCE)]
                ratios = [peer / row.instructions if peer and row.instructions else None for peer in peers]
                if row.why and row.why not in notes:
                    notes.append(row.why)
                mark = f" [{notes.index(row.why) + 1}]" if row.why else ""
                lines.append(
                    _row(
                        name,
                        about.name,
                        backend + mark,
                        _number(row.instructions),
                        _number(row.instructions / macs(net) if row.instructions else None, ".2f"),
                        *(_number(ratio, ".3g") for ratio in ratios),
                        _number(row.cycles),
                        _number(row.cycles / macs(net) if row.cycles else None, ".2f"),
                    )
                )
    lines += ["", *(f"[{number}] {note}  " for number, note in enumerate(notes, 1))]
    return "\n".join(lines).rstrip() + "\n"


def published_text(rows: Sequence[Row]) -> str:
    """What others have measured on silicon, beside our estimate."""
    by_key = {row.key: row for row in rows}
    lines = ["Cycles for each multiplication: ours estimated, the others' published by MLPerf Tiny, on silicon.", ""]
    lines += _head(2, "core", "", *(NETWORKS[net] for net in TINY))
    for core, others in PUBLISHED.items():
        ours = [by_key[net, core, PACKED].cycles or by_key[net, core, FIRMWARE].cycles for net in TINY]
        cells = [_number(cycles / macs(net) if cycles else None, ".2f") for net, cycles in zip(TINY, ours, strict=True)]
        lines.append(_row(CORES[core].name, "nnmicro, estimated", *cells))
        lines += [_row(CORES[core].name, who, *(f"{each[net]:.2f}" for net in TINY)) for who, each in others.items()]
    return "\n".join(lines) + "\n"


def kernels_text(kernels: Kernels) -> str:
    """The section about kernels: by network, then by kind of layer."""
    nets: Groups = {NETWORKS[net]: (net, lambda row, net=net: row.network == net) for net in TINY}
    kinds: Groups = {kind: (kind, lambda row, kind=kind: row.layer.split()[0] == kind) for kind in KINDS}
    lines = [KERNELS, "", KERNELS_TEXT, *_table(kernels, nets, PEER)]
    lines += ["", "Estimated cycles:", "", *_table(kernels, nets, None)]
    lines += ["", "Instructions for each MAC, by kind of layer; all of them where nothing is multiplied:", ""]
    lines += _table(kernels, kinds, PEER_KINDS, for_each=True)
    lines += ["", "The same in estimated cycles:", "", *_table(kernels, kinds, None, for_each=True)]
    return "\n".join(lines) + "\n"


def _table(kernels: Kernels, groups: Groups, peers: Sums | None, *, for_each: bool = False) -> list[str]:
    """Instructions of groups of layers with how many times as many the peer takes; without `peers` estimated cycles."""
    lines = _head(1, "", *COLUMNS.values())
    for title, (key, belongs) in groups.items():
        cells = []
        for column, rows in kernels.items():
            core = column.split()[0]
            chosen = [row for row in rows if row.network in TINY and belongs(row)]
            products = sum(row.times * row.multiplications for row in chosen) if for_each else 0
            costs = [row.instructions if peers else estimated(row.classes, CORES[core].profile) or 0 for row in chosen]
            spent = sum(row.times * cost for row, cost in zip(chosen, costs, strict=True))
            peer = peers.get(core, {}).get(key) if peers else None
            ratio = f" ({peer / spent:.2f})" if peer else ""
            cells.append((f"{spent / products:.2f}" if products else f"{spent:,}") + ratio)
        lines.append(_row(title, *cells))
    return lines


def _cells(section: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]


def _figure(cell: str) -> int | None:
    return None if cell == "–" else int(cell.split()[0].replace(",", ""))


def parsed(text: str) -> tuple[list[str], list[Row], dict[str, dict[str, int]]]:
    """Versions, inferences, and sums of the kernels in RESULTS.md's text."""
    head, _, rest = text.partition(WHOLE)
    whole, _, kernels = rest.partition(KERNELS)
    tools = re.findall(r"^- (.+)$", head, re.MULTILINE)
    notes = dict(re.findall(r"^\[(\d+)\] (.+?) *$", whole, re.MULTILINE))
    networks = {name: net for net, name in NETWORKS.items()}
    cores = {about.name: core for core, about in CORES.items()}
    rows = []
    for cells in _cells(whole):
        if len(cells) == 9 and cells[0] in networks:
            backend, _, mark = cells[2].partition(" [")
            why = notes[mark.rstrip("]")] if mark else ""
            rows.append(Row(networks[cells[0]], cores[cells[1]], backend, _figure(cells[3]), _figure(cells[7]), why))
    by_core: dict[str, dict[str, int]] = {core: {} for core in COLUMNS}
    for cells in _cells(kernels.partition("Estimated cycles")[0]):
        if cells[0] in networks:
            for core, cell in zip(COLUMNS, cells[1:], strict=True):
                by_core[core][networks[cells[0]]] = _figure(cell) or 0
    return tools, rows, by_core
