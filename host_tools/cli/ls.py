"""nnmicro ls"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ..device import open_device
from ..device.models import models
from .push import DEVICE_HELP
from .status import model_text
from .terminal import mistakes_are_sentences, plain, print_json, results, size_text

NAME = "ls"
EXAMPLES = "Examples: nnmicro ls --device auto    |    nnmicro ls /rom --device auto"


def command(
    folder: Annotated[str, typer.Argument(help="A folder on the device.")] = "/",
    device: Annotated[str, typer.Option("--device", metavar="D", help=DEVICE_HELP)] = "unix",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List a folder of a device; models with their hashes, and whether they are whole."""
    with mistakes_are_sentences(), open_device(device) as opened:
        entries = opened.listdir(folder)
        known = {model.path: model for model in models(opened, folder)}
        if as_json:
            print_json(
                {
                    "device": opened.spec,
                    "folder": folder,
                    "entries": [asdict(entry) for entry in entries],
                    "models": [asdict(model) for model in known.values()],
                }
            )
            return
        for entry in entries:
            path = f"{folder.rstrip('/')}/{entry.name}"
            size = "folder" if entry.is_folder else size_text(entry.size)
            results.print(plain(model_text(known[path]) if path in known else f"{path}, {size}"))
