"""nnmicro ops"""

from __future__ import annotations

import enum
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from ..importers.listing import TITLES, Operator, mark, markdown, operators
from .terminal import print_json, results

NAME = "ops"
EXAMPLES = "Examples: nnmicro ops    |    nnmicro ops tflite    |    nnmicro ops --json"


class Format(enum.Enum):
    """The source formats."""

    onnx = "onnx"
    tflite = "tflite"
    ncnn = "ncnn"


def command(
    source: Annotated[
        Format | None, typer.Argument(metavar="[FORMAT]", help="onnx, tflite or ncnn; all of them if left out.")
    ] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the documentation's page.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the operators of each source format that can be converted."""
    if as_markdown:
        sys.stdout.write(markdown())
        return
    wanted = {name: known for name, known in operators().items() if source is None or name == source.value}
    if as_json:
        print_json({name: [asdict(operator) for operator in known] for name, known in wanted.items()})
        return
    for name, known in wanted.items():
        results.print(listing(TITLES[name], known))


def listing(title: str, known: list[Operator]) -> Table:
    """The table for a person."""
    table = Table("operator", "float32", "int8", "while converting", title=title, title_justify="left", box=None)
    for operator in known:
        table.add_row(operator.name, *map(mark, (operator.float32, operator.int8, operator.constant)))
    return table
