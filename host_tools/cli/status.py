"""nnmicro status"""

from __future__ import annotations

from typing import Annotated

import typer

from ..device import open_device
from ..device.models import ModelOnDevice
from ..device.status import DeviceStatus, status
from .push import DEVICE_HELP
from .terminal import mistakes_are_sentences, plain, print_json, results, size_text

NAME = "status"
EXAMPLES = "Example: nnmicro status --device /dev/ttyACM0"


def command(
    device: Annotated[str, typer.Option("--device", metavar="D", help=DEVICE_HELP)] = "unix",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what is on a device: firmware, engine, memory, models. Soft-resets it."""
    with mistakes_are_sentences(), open_device(device) as opened:
        told = status(opened)
        if as_json:
            print_json(told.describe())
        else:
            _show(told)


def _show(told: DeviceStatus) -> None:
    results.print(f"firmware     {plain(told.firmware)} on {plain(told.machine)}, native code {told.native_arch}")
    results.print(
        f"memory       {size_text(told.free_heap)} of {size_text(told.heap)} free, "
        f"largest block {size_text(told.largest_block)}"
    )
    if told.flash is not None and told.flash_free is not None:
        results.print(f"flash        {size_text(told.flash_free)} of {size_text(told.flash)} free")
    results.print(f"ROMFS        {'none' if told.romfs is None else size_text(told.romfs)}")
    engine = told.engine
    if engine is None:
        results.print("engine       none: nnmicro push brings it")
    else:
        abi = "no native module" if engine.kernel_abi is None else f"kernel ABI {engine.kernel_abi}"
        results.print(f"engine       {engine.version}, {plain(engine.where)}, model format {engine.format}, {abi}")
        for name, why in engine.backends.items():
            results.print(f"  backend    {name}" + (f": not here, {plain(why)}" if why else ""))
    if not told.models:
        results.print("models       none")
    for model in told.models:
        results.print(f"model        {plain(model_text(model))}")


def model_text(model: ModelOnDevice) -> str:
    """A model for a person."""
    text = f"{model.path}, {size_text(model.bytes)}"
    if not model.whole:
        return text + ", not whole: the engine does not load it"
    text += f", sha256 {model.sha256[:16]}…"
    return text + (f", an older {model.name}" if model.superseded else "")
