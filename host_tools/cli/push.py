"""nnmicro push"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..device import Device, open_device, push_engine
from ..model_file import ModelFile
from .terminal import mistakes_are_sentences, print_json, progress, results, size_text, warn

NAME = "push"
EXAMPLES = "Examples: nnmicro push digits.nnm --device /dev/ttyACM0    |    nnmicro push digits.nnm --device auto"

DEVICE_HELP = (
    "unix (a MicroPython on this computer), or what mpremote connects to: /dev/ttyACM0, COM3, auto, rfc2217://…"
)


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    device: Annotated[
        list[str] | None, typer.Option("--device", metavar="D", help=DEVICE_HELP + "; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy the engine and a model onto devices, and prove that they arrived."""
    with mistakes_are_sentences():
        read = ModelFile.read(model)
        reports = []
        for spec in device or ["unix"]:
            with open_device(spec) as opened:
                reports.append(push(opened, read))
                told = reports[-1]
                if not as_json:
                    results.print(
                        f"{spec}: {told['path']}, {size_text(told['bytes'])}, sha256 {told['sha256'][:16]}… "
                        f"(verified by the {told['verified_by']}), "
                        f"{size_text(told['wire_bytes'])} sent in {told['seconds']:.1f} s"
                    )
        if as_json:
            print_json({"devices": reports})


def push(device: Device, model: ModelFile) -> dict[str, Any]:
    """Engine and model onto one device; what became of them."""
    engine = push_engine(device)
    for warning in engine.warnings:
        warn(warning)
    path = "/" + model.name
    with progress(f"{model.name} to {device.spec}", len(model.data)) as bar:
        report = device.write_file(model.data, path, lambda sent, total: bar.update(bar.task_ids[0], completed=sent))
    told = asdict(report)
    return {"device": device.spec, **told, "engine": asdict(engine)}
