"""nnmicro bench"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

import boards

from ..device import open_device
from ..fit.cycles import UPPER_BOUNDS
from ..model_file import ModelFile
from ..remote.benchmark import clocked, describe, measure
from .push import DEVICE_HELP, push
from .terminal import messages, mistakes_are_sentences, plain, print_json, results, size_text, warn

NAME = "bench"
EXAMPLES = (
    "Examples: nnmicro bench digits.nnm    |    nnmicro bench kws.nnm --device /dev/ttyACM0    |    "
    "nnmicro bench kws.nnm --device unix --json"
)
_WORDS = {"instructions": "instructions", "time_us": "µs"}


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    device: Annotated[
        str, typer.Option("--device", metavar="D", help=DEVICE_HELP + "; emu:qemu_… counts instructions exactly.")
    ] = "emu:qemu_cortex_m4f",
    backend: Annotated[
        str | None, typer.Option("--backend", metavar="B", help="Default: the best that the device has.")
    ] = None,
    board: Annotated[
        str | None,
        typer.Option("--board", metavar="B", help="A board with the emulated core, for the estimate of milliseconds."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure an inference on a device, in total and layer by layer: instructions on a QEMU board, else time."""
    with mistakes_are_sentences():
        read = ModelFile.read(model)
        place = clocked(device, boards.load(board) if board is not None else None)
        with open_device(device, by_class=True) as opened:
            path = push(opened, read)["path"]
            with messages.status(f"running on {device}"):
                told = describe(measure(opened, path, read, backend), read, device, place)
            lacks = opened.by_class_lacks
        if lacks:
            warn(f"no estimate of cycles: {lacks}")
        if as_json:
            print_json(told)
        else:
            _show(told)


def _show(told: dict[str, Any]) -> None:
    unit = "instructions" if "instructions" in told else "time_us"
    table = Table("", "layer", "kind", box=None, padding=(0, 2, 0, 0))
    for title in ("MACs", _WORDS[unit], "per MAC", "share"):
        table.add_column(title, justify="right")
    for each in told["per_layer"]:
        macs, count = each["macs"], each[unit]
        table.add_row(
            str(each["layer"]),
            plain(str(each["name"])),
            each["op"] + ("" if each["in"] == "_nnmicro" else " (Python)"),
            f"{macs:,}" if macs else "",
            f"{count:,}",
            f"{count / macs:.2f}" if macs else "",
            f"{count / told[unit]:.1%}" if told[unit] else "",
        )
    results.print(table)
    per_mac = told[f"{unit}_per_mac"]
    results.print(
        f"total        {told[unit]:,} {_WORDS[unit]} from giving the inputs to the last output"
        + (f", {per_mac:.2f} for each of {told['macs']:,} multiply-accumulates" if per_mac is not None else "")
    )
    overhead = told["python_overhead"]
    if overhead is not None:
        share = f" ({overhead / told[unit]:.1%})" if told[unit] else ""
        results.print(f"Python       {overhead:,} {_WORDS[unit]} of these outside the kernels{share}")
    if told["estimated_cycles"] is not None:
        results.print(f"cycles       {_estimate(told)}: estimated, not measured on silicon")
    heap = told["heap_allocated"]
    results.print(f"live peak    {size_text(told['live_peak'])}")
    results.print(f"heap         {size_text(heap) if heap is not None else 'more than there is'} allocated by it")
    results.print(f"device       {told['device']}, backend {told['backend']}")


def _estimate(told: dict[str, Any]) -> str:
    board = boards.load(told["estimated_for"])
    at_most = "at most " if board.core in UPPER_BOUNDS else "about "
    clock = f"{board.clock / 1e6:g} MHz"
    return f"{at_most}{told['estimated_cycles']:,}, {told['estimated_ms']:,g} ms at the {clock} of {board.key}"
