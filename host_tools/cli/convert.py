"""nnmicro convert"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..convert import Options, convert
from ..model_file import ModelFile
from .info import show
from .terminal import messages, mistakes_are_sentences, print_json

NAME = "convert"
EXAMPLES = (
    "Examples: nnmicro convert digits.onnx -o digits.nnm    |    nnmicro convert net.param net.bin -o net.nnm    |    "
    "nnmicro convert big.onnx -o big.nnm --input-shape image=1,3,96,96"
)


def command(
    model: Annotated[Path, typer.Argument(help="A trained network: .onnx, or ncnn's .param.", show_default=False)],
    weights: Annotated[
        Optional[Path], typer.Argument(help="ncnn's .bin; the one beside the .param if left out.", show_default=False)
    ] = None,
    out: Annotated[Optional[Path], typer.Option("--out", "-o", help="The file to write; default: MODEL with .nnm.")] = None,
    input_shape: Annotated[
        Optional[list[str]],
        typer.Option("--input-shape", metavar="N=1,1,8,8", help="Shape of an input; may be given several times."),
    ] = None,
    output_blob: Annotated[
        Optional[list[str]],
        typer.Option("--output-blob", metavar="N", help="Cut the network here: this blob becomes an output, what follows is dropped."),
    ] = None,
    zero_weights: Annotated[
        bool, typer.Option("--zero-weights", help="A .param without .bin: weights of zero, to see sizes and memory.")
    ] = False,
    labels: Annotated[
        Optional[Path], typer.Option("--labels", metavar="F", help="A text file with one label a line, stored in the model.")
    ] = None,
    no_fuse: Annotated[
        bool, typer.Option("--no-fuse", help="Keep every layer and blob of the source (for debugging).")
    ] = False,
    strip_names: Annotated[bool, typer.Option("--strip-names", help="Leave names out: smaller, blobs are known by index.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Convert a trained network into an .nnm file, with its memory planned."""
    with mistakes_are_sentences():
        options = Options(
            input_shapes=dict(_shape(text) for text in input_shape or []),
            outputs=output_blob or [],
            zero_weights=zero_weights,
            fuse=not no_fuse,
            names=not strip_names,
            labels=labels.read_text().splitlines() if labels else [],
        )
        with messages.status(f"converting {model.name}"):
            data = convert(model, weights, options)
            converted = ModelFile(data, model.name)
        target = out or model.with_suffix(".nnm")
        target.write_bytes(data)
        if as_json:
            print_json({**converted.describe(), "warnings": []})
        else:
            messages.print(f"wrote {target}")
            show(converted)


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    """`name=1,3,8,8` as a name and a shape."""
    name, found, sizes = text.rpartition("=")
    try:
        shape = tuple(int(size) for size in sizes.split(","))
    except ValueError:
        shape = ()
    if not found or not name or not shape or any(size < 1 for size in shape):
        raise typer.BadParameter(f"{text!r} is not of the form NAME=1,3,8,8", param_hint="--input-shape")
    return name, shape
