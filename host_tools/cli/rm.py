"""nnmicro rm"""

from __future__ import annotations

from typing import Annotated

import typer

from ..device import DeviceError, DeviceFileNotFound, open_device
from ..device.device import Device
from ..device.models import EXTENSION, remove_model
from ..device.romfs import FOLDER as ROMFS
from ..device.romfs import remove_from_romfs
from .push import DEVICE_HELP
from .terminal import mistakes_are_sentences, plain, print_json, results

NAME = "rm"
EXAMPLES = "Examples: nnmicro rm digits.nnm --device auto    |    nnmicro rm /rom/digits.nnm --device auto"


def command(
    path: Annotated[str, typer.Argument(help="A file on the device.", show_default=False)],
    device: Annotated[str, typer.Option("--device", metavar="D", help=DEVICE_HELP)] = "unix",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Remove a file from a device; of a model also its older generations and what pushes that broke off have left."""
    with mistakes_are_sentences(), open_device(device) as opened:
        removed = remove(opened, path if path.startswith("/") else "/" + path)
        if as_json:
            print_json({"device": opened.spec, "removed": removed})
            return
        for each in removed:
            results.print(f"{opened.spec}: {plain(each)} removed")


def remove(device: Device, path: str) -> list[str]:
    """The files that were removed for `path`, at least one. DeviceError if there is none, or it is a folder."""
    if path.startswith(ROMFS + "/") and remove_from_romfs(device, path.removeprefix(ROMFS + "/")):
        return [path]
    removed = remove_model(device, path) if path.endswith(EXTENSION) else []
    if removed:
        return removed
    try:
        if device.stat(path).is_folder:
            raise DeviceError(f"{path} is a folder; only files are removed.")
        device.remove(path)
    except DeviceFileNotFound as missing:
        raise DeviceError(str(missing)) from None
    return [path]
