"""nnmicro info"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..model_file import ModelFile
from .terminal import mistakes_are_sentences, print_json, results, size_text

NAME = "info"
EXAMPLES = "Example: nnmicro info digits.nnm"


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a converted model takes and gives, and how much memory it needs."""
    with mistakes_are_sentences():
        read = ModelFile.read(model)
        if as_json:
            print_json(read.describe())
        else:
            show(read)


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
    optimal = (
        "which no arena can be below"
        if arena["size"] == arena["lower_bound"]
        else f"lower bound {size_text(arena['lower_bound'])}"
    )
    results.print(f"{'arena':<12} {size_text(arena['size'])}, {optimal}")
    ratio = arena["lightmode_off"] / arena["live_peak"]
    peak, off = size_text(arena["live_peak"]), size_text(arena["lightmode_off"])
    results.print(f"{'lightmode':<12} live peak {peak}; off: {off} ({ratio:.2f} times)")
