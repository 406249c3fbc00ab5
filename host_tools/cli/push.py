"""nnmicro push"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from ..device import Device, DeviceError, open_device, push_engine
from ..device.models import push_model
from ..device.romfs import push_romfs
from ..model_file import ModelFile
from .terminal import mistakes_are_sentences, plain, print_json, progress, results, say_mistake, size_text, warn

NAME = "push"
EXAMPLES = (
    "Examples: nnmicro push digits.nnm --device /dev/ttyACM0    |    nnmicro push digits.nnm --device auto --romfs    |"
    "    nnmicro push digits.nnm --device a0 --device a1"
)

DEVICE_HELP = (
    "unix (a MicroPython on this computer), or what mpremote connects to: /dev/ttyACM0, COM3, auto, rfc2217://…"
)
_Advance = Callable[[int, int], None]


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    device: Annotated[
        list[str] | None, typer.Option("--device", metavar="D", help=DEVICE_HELP + "; may be repeated.")
    ] = None,
    romfs: Annotated[
        bool, typer.Option("--romfs", help="Into the ROMFS partition, where the engine uses it without a copy in RAM.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy the engine and a model onto devices, and prove that they arrived.

    A device always has the old model or the whole new one. A push that broke off goes on where it stopped.
    """
    with mistakes_are_sentences():
        read = ModelFile.read(model)
        specs = list(dict.fromkeys(device or ["unix"]))
        told = _on_all(specs, read, romfs)
        if as_json:
            print_json({"devices": told})
        for each in told:
            if "error" in each:
                say_mistake(f"{each['device']}: {each['error']}" if len(specs) > 1 else each["error"])
            elif not as_json:
                _show(each)
    if any("error" in each for each in told):
        raise typer.Exit(1)


def push(device: Device, model: ModelFile) -> dict[str, Any]:
    """Engine and model onto one device, with a bar of its own; what became of them."""
    with progress(f"{model.name} to {device.spec}", len(model.data)) as bar:
        return _push(device, model, False, lambda sent, total: bar.update(bar.task_ids[0], completed=sent))


def _push(device: Device, model: ModelFile, romfs: bool, advance: _Advance) -> dict[str, Any]:
    engine = push_engine(device, progress=lambda sent, total: advance(0, len(model.data)))
    for warning in engine.warnings:
        warn(warning)
    path = "/" + model.name
    if romfs:
        report = push_romfs(device, model.data, model.name, advance)
        if device.exists(path):
            warn(
                f"{device.spec} also has {path}, and takes that for Net({model.name!r}): Net({report.path!r}) is this."
            )
    else:
        report = push_model(device, model.data, path, advance)
    return {"device": device.spec, **asdict(report), "engine": asdict(engine)}


def _on_all(specs: list[str], model: ModelFile, romfs: bool) -> list[dict[str, Any]]:
    """The model onto every device, all at the same time; a device's mistake does not stop the others."""
    stopped = threading.Event()

    def one(spec: str, bar: Progress) -> dict[str, Any]:
        task = bar.add_task(f"{model.name} to {spec}", total=len(model.data))

        def advance(sent: int, total: int) -> None:
            if stopped.is_set():
                raise KeyboardInterrupt
            bar.update(task, completed=sent)

        try:
            with open_device(spec) as device:
                return _push(device, model, romfs, advance)
        except (DeviceError, OSError, ValueError) as error:
            return {"device": spec, "error": str(error)}

    with progress() as bar:
        if len(specs) == 1:
            return [one(specs[0], bar)]
        with ThreadPoolExecutor(len(specs)) as pool:
            running = [pool.submit(one, spec, bar) for spec in specs]
            try:
                return [each.result() for each in running]
            except BaseException:
                # Ctrl-C: each of them ends its program on its device.
                stopped.set()
                raise


def _show(told: dict[str, Any]) -> None:
    sent = f"{size_text(told['wire_bytes'])} sent in {told['seconds']:.1f} s"
    if told["skipped"]:
        sent = "was there already"
    elif told["resumed"]:
        sent += f", {size_text(told['resumed'])} were there from a push that broke off"
    by = "by the device" if told["verified_by"] == "device" else "here, read back: the device cannot"
    results.print(
        f"{told['device']}: {plain(told['path'])}, {size_text(told['bytes'])}, sha256 {told['sha256'][:16]}… "
        f"(computed {by}), {sent}"
    )
