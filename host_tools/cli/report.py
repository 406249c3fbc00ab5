"""nnmicro report"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

import boards

from ..model_file import ModelFile
from .info import complete_board
from .terminal import messages, mistakes_are_sentences, print_json, results

NAME = "report"
EXAMPLES = (
    "Examples: nnmicro report digits.nnm -o report.html    |    "
    "nnmicro report digits_int8.nnm -o report.html --float digits.onnx --inputs digits_calibration.npz    |    "
    "nnmicro bench kws.nnm --json > bench.json, and nnmicro report kws.nnm -o report.html --bench bench.json"
)


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    out: Annotated[Path, typer.Option("--output", "-o", metavar="F.html", help="The page.")] = Path("report.html"),
    board: Annotated[
        str | None,
        typer.Option("--board", metavar="B", help="Put this board first.", autocompletion=complete_board),
    ] = None,
    bench: Annotated[
        Path | None, typer.Option("--bench", metavar="F.json", help="What `nnmicro bench --json` printed.")
    ] = None,
    twin: Annotated[
        Path | None,
        typer.Option("--float", metavar="MODEL", help="The float32 model of a quantised one: error layer by layer."),
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(
            "--inputs", metavar="CALIB", help="Inputs for --float, as for convert --quantize; default: random."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write one page about a model: its graph, memory over time, cost by layer, and the boards that it fits."""
    if inputs is not None and twin is None:
        raise typer.BadParameter("--inputs is for --float")
    with mistakes_are_sentences():
        from ..report import page  # its parts take a while to import
        from ..report.facts import facts
        from ..report.noise import noise

        read = ModelFile.read(model)
        if board is not None:
            boards.load(board)
        measured = _bench(bench) if bench else None
        with messages.status(f"looking at {read.name}"):
            found = noise(read, twin, inputs) if twin else None
            told = facts(read, board=board, bench=measured, noise=found, twin=twin.name if twin else None)
        out.write_text(page(told), encoding="utf-8")
        if as_json:
            print_json({"file": str(out), "bytes": out.stat().st_size})
        else:
            results.print(f"wrote {out}: open it in a browser; it needs no network")


def _bench(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError):
        raise ValueError(f"{path} is no JSON: it has to be what `nnmicro bench --json` printed") from None
    layers = told.get("per_layer") if isinstance(told, dict) else None
    unit = "instructions" if isinstance(told, dict) and "instructions" in told else "time_us"
    if not isinstance(layers, list) or not all(isinstance(each, dict) and {"op", unit} <= set(each) for each in layers):
        raise ValueError(f"{path} is not what `nnmicro bench --json` prints: it has no per_layer with op and {unit}")
    return told
