"""nnmicro info"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

import boards

from ..fit import Verdict, judge
from ..model_file import ModelFile
from .terminal import messages, mistakes_are_sentences, plain, print_json, results, size_text

NAME = "info"
EXAMPLES = "Examples: nnmicro info digits.nnm    |    nnmicro info digits.nnm --board rpi_pico"
BOARD_HELP = "Say whether it fits this board (`nnmicro boards` lists them), and about how fast it will be."


def complete_board(incomplete: str) -> list[str]:
    """The boards whose names go on from what was typed, for the shell."""
    return [name for name in boards.names() if name.startswith(incomplete)]


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    board: Annotated[
        str | None,
        typer.Option("--board", metavar="B", help=BOARD_HELP, autocompletion=complete_board, show_default=False),
    ] = None,
    stock: Annotated[
        bool, typer.Option("--stock", help="With --board: MicroPython as its makers build it, not nnmicro's firmware.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a converted model takes and gives, how much memory it needs, and whether it fits a board."""
    if stock and board is None:
        raise typer.BadParameter("--stock is about a board: give --board")
    with mistakes_are_sentences():
        read = ModelFile.read(model)
        verdict = judge(read, boards.load(board), stock=stock) if board is not None else None
        if as_json:
            print_json({**read.describe(), **(verdict.describe() if verdict else {})})
        else:
            show(read)
            if verdict:
                show_verdict(verdict)
        if verdict and not verdict.fits:
            for sentence in verdict.advice:
                messages.print(f"[yellow]what would help:[/] {plain(sentence)}")
            raise typer.Exit(1)


def show(model: ModelFile) -> None:
    """The description for a person."""
    told = model.describe()
    for what in ("inputs", "outputs"):
        for io in told[what]:
            shape = " x ".join(map(str, io["shape"])) or "a number"
            results.print(f"{what[:-1]:<12} {io['name']}: {shape} {io['dtype']}")
    for name, factors in told["preprocessing"].items():
        mean, scale = (" ".join(f"{value:g}" for value in factors[what]) for what in ("mean", "scale"))
        results.print(f"{'bytes':<12} for {name} become (byte - {mean}) x {scale}")
    if told["golden"]:
        results.print(f"{'golden':<12} {told['golden']} vectors for a self-test (nnmicro verify, net.selftest())")
    arena = told["arena"]
    results.print(f"{'layers':<12} {told['layers']}, {told['macs']:,} multiply-accumulates")
    results.print(f"{'file':<12} {size_text(told['file_bytes'])}, of which weights {size_text(told['weights_bytes'])}")
    if told["packing"]:
        results.print(f"{'weights':<12} {packing_text(told)}")
    optimal = (
        "which no arena can be below"
        if arena["size"] == arena["lower_bound"]
        else f"lower bound {size_text(arena['lower_bound'])}"
    )
    results.print(f"{'arena':<12} {size_text(arena['size'])}, {optimal}")
    if told["streaming"]:
        fed = told["streaming"]["fed"]
        by_rows = f", {', '.join(map(str, fed))} given by rows" if fed else ""
        results.print(f"{'streamed':<12} row by row, {told['streaming']['calls']} kernel calls{by_rows}")
    ratio = arena["lightmode_off"] / arena["live_peak"]
    peak, off = size_text(arena["live_peak"]), size_text(arena["lightmode_off"])
    results.print(f"{'lightmode':<12} live peak {peak}; off: {off} ({ratio:.2f} times)")


def packing_text(told: dict[str, Any]) -> str:
    """How the weights of a described model are packed."""
    packing = told["packing"]
    if packing is None:
        return "generic, for any core"
    return f"packed for {packing['cores']} ({packing['layers']} of {packing['of']} int8 layers with weights)"


_PARTS = {
    "engine": "engine",
    "native": "native code",
    "net": "loading, net and extractor",
    "arena": "arena, in one piece",
    "workspace": "workspace",
    "weights": "the file, in one piece",
}


def show_verdict(verdict: Verdict) -> None:
    """The sum, what the board has, and the answer, for a person."""
    firmware = "its makers' MicroPython" if verdict.stock else "nnmicro's firmware"
    results.print(f"\n[bold]{verdict.board.name}[/], {firmware}, kernels: {verdict.backend}")
    sums = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    sums.add_column()
    sums.add_column(justify="right")
    for part, words in _PARTS.items():
        size = getattr(verdict.needs, part)
        if part == "weights" and verdict.mapped:
            words += " (used in place, in ROMFS)"
        if part == "arena" and not size:
            words = "arena (the firmware keeps memory for it)"
        sums.add_row(words, size_text(size))
    sums.add_row("needs", size_text(verdict.needs.total), style="bold")
    about = dict.fromkeys(verdict.firmware.estimated, " (an estimate)")
    sums.add_row("free heap" + about.get("free_heap", ""), size_text(verdict.firmware.free_heap))
    sums.add_row("largest block" + about.get("largest_block", ""), size_text(verdict.firmware.largest_block))
    results.print(sums)
    if verdict.estimated_ms is not None:
        results.print(f"about {float(f'{verdict.estimated_ms:.2g}'):,g} ms an inference: an estimate")
    if verdict.fits:
        results.print("[green]it fits[/]")
    else:
        results.print(f"[red]it does not fit[/]: {plain('; '.join(verdict.reasons))}")
