"""Writes RESULTS.md: instructions of the int8 kernels and of whole inferences, beside TensorFlow Lite Micro's.

    python -m tests.bench.results            # all that this computer can count
    python -m tests.bench.results --kernels  # leaves the inferences as they are in the file

`make bench` does the first. What is lacking (a compiler, an emulator, the shared models) is named, and nothing is
written.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from host_tools.convert import to_nnm
from host_tools.device import open_device, push_engine
from host_tools.importers import load_model
from host_tools.model_file import ModelFile
from host_tools.remote.benchmark import Cost, measure
from tests.bench.kernels.count import CORES, Counted, count
from tests.models.shared import found

RESULTS = Path(__file__).parent / "RESULTS.md"
NETWORKS = {
    "kws": "keyword spotting",
    "ic": "image classification",
    "vww": "visual wake words",
    "ad": "anomaly detection",
}
NAMES = {"m4": "Cortex-M4", "m3": "Cortex-M3", "m0": "Cortex-M0+", "rv32": "RV32IMC"}
# TensorFlow Lite Micro with CMSIS-NN, -O2, gcc 12.2: instructions of an inference, counted in the same way.
PEER = {
    "m4": {"kws": 7_698_927, "ic": 29_863_569, "vww": 24_101_895, "ad": 582_945},
    "m3": {"kws": 10_533_696, "ic": 41_847_371, "vww": 31_959_088, "ad": 955_947},
    "m0": {"kws": 29_001_138, "ic": 97_556_037, "vww": 86_902_923, "ad": 1_763_135},
}
KINDS = ("first", "1x1", "3x3", "depthwise", "dense", "average", "add")
BOARD = "qemu_cortex_m4f"
_KERNELS, _WHOLE = "## Kernels alone", "## Whole inferences"

Sums = Mapping[str, Mapping[str, int]]  # core → network → instructions


def versions() -> list[str]:
    """The first lines of what compilers and emulators say of themselves."""
    tools = sorted({tool for core in CORES.values() for tool in (core.compiler, core.emulator[0])})
    return [
        subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in tools
    ]


def lacking() -> list[str]:
    return sorted({tool for core in CORES.values() for tool in core.lacks()})


def counted() -> dict[str, list[Counted]]:
    with tempfile.TemporaryDirectory() as folder:
        return {name: count(core, Path(folder)) for name, core in CORES.items()}


def sums(rows: Mapping[str, list[Counted]]) -> dict[str, dict[str, int]]:
    return {
        core: {net: sum(r.times * r.instructions for r in found_rows if r.network == net) for net in NETWORKS}
        for core, found_rows in rows.items()
    }


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), _row("---", *["--:"] * (len(cells) - 1))]


def kernels_text(rows: Mapping[str, list[Counted]]) -> str:
    """The section about kernels."""
    found_sums = sums(rows)
    lines = [
        _KERNELS,
        "",
        "Instructions of all int8 layers, each called once as the engine calls it; in brackets how many times as many",
        "TensorFlow Lite Micro with CMSIS-NN takes for an inference.",
        "",
        *_head("", *NAMES.values()),
    ]
    for net, name in NETWORKS.items():
        cells = []
        for core in NAMES:
            figure, peer = found_sums[core][net], PEER.get(core, {}).get(net)
            cells.append(f"{figure:,}" + (f" ({peer / figure:.2f})" if peer else ""))
        lines.append(_row(name, *cells))
    lines += [
        "",
        "Instructions for each multiplication, by kind of layer; all of them where nothing is multiplied:",
        "",
    ]
    lines += _head("", *NAMES.values())
    for kind in KINDS:
        cells = []
        for core in NAMES:
            chosen = [row for row in rows[core] if row.network in NETWORKS and row.layer.split()[0] == kind]
            products = sum(row.times * row.multiplications for row in chosen)
            spent = sum(row.times * row.instructions for row in chosen)
            cells.append(f"{spent / products:.2f}" if products else f"{spent:,}")
        lines.append(_row(kind, *cells))
    return "\n".join(lines) + "\n"


def whole() -> dict[str, Cost]:
    """Inferences on the emulated board, from the user's call to the answer."""
    costs = {}
    for net in NETWORKS:
        path = found(f"models/mlperf_tiny/{net}_int8.tflite")
        if path is None:
            raise FileNotFoundError(f"the shared models are not there ({net})")
        model = ModelFile(to_nnm(load_model(path)), f"{net}.nnm")
        with open_device(f"emu:{BOARD}") as device:
            push_engine(device)
            device.write_file(model.data, "/m.nnm")
            device.soft_reset()
            costs[net] = measure(device, "/m.nnm", model)
    return costs


def whole_text(costs: Mapping[str, Cost]) -> str:
    """The section about inferences."""
    lines = [
        _WHOLE,
        "",
        f"On the emulated board `{BOARD}`, the kernels in its firmware, from the user's call to the answer, Python",
        "included.",
        "",
        *_head("", "instructions", "of these in Python", "TensorFlow Lite Micro takes, times as many"),
    ]
    for net, cost in costs.items():
        overhead = cost.python_overhead
        told = f"{overhead:,}" if overhead is not None else "–"
        lines.append(_row(NETWORKS[net], f"{cost.total:,}", told, f"{PEER['m4'][net] / cost.total:.2f}"))
    return "\n".join(lines) + "\n"


def committed(text: str) -> tuple[list[str], dict[str, dict[str, int]]]:
    """Versions and sums of the kernels from RESULTS.md."""
    tools = re.findall(r"^- (.+)$", text.split(_KERNELS)[0], re.MULTILINE)
    by_core: dict[str, dict[str, int]] = {core: {} for core in NAMES}
    names = {name: net for net, name in NETWORKS.items()}
    for line in text.split(_KERNELS)[1].split(_WHOLE)[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in names:
            for core, cell in zip(NAMES, cells[1:], strict=True):
                by_core[core][names[cells[0]]] = int(cell.split()[0].replace(",", ""))
    return tools, by_core


def regressions(before: Sums, now: Sums) -> list[str]:
    """What takes more than 1 % more instructions than before, as sentences."""
    return [
        f"{NAMES[core]}, {NETWORKS[net]}: {now[core][net]:,} instructions instead of {figure:,}"
        for core, networks in before.items()
        for net, figure in networks.items()
        if now[core][net] > figure * 1.01
    ]


def main() -> None:
    if lacking():
        raise SystemExit(f"not installed: {', '.join(lacking())}")
    head = (
        "# What an inference costs\n\nWritten by `make bench`. Instructions are counted exactly; they are not cycles.\n"
    )
    head += "\n" + "\n".join(f"- {line}" for line in versions()) + "\n\n"
    old = RESULTS.read_text() if RESULTS.exists() else ""
    inferences = old[old.index(_WHOLE) :] if "--kernels" in sys.argv and _WHOLE in old else whole_text(whole())
    RESULTS.write_text(head + kernels_text(counted()) + "\n" + inferences)
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
