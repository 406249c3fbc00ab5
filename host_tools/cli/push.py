"""nnmicro push"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from nnmicro.available import check_name

from ..device import Device, DeviceError, open_device
from ..device.engine_for import push_engine_for
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


class Contents(str, Enum):
    """How much of the engine a push brings."""

    needed = "needed"
    all = "all"


@dataclass(frozen=True)
class Wanted:
    """What a push is to do; see the command's options."""

    romfs: bool = False
    shadow: bool = False
    everything: bool = False
    backend: str | None = None


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    device: Annotated[
        list[str] | None, typer.Option("--device", metavar="D", help=DEVICE_HELP + "; may be repeated.")
    ] = None,
    romfs: Annotated[
        bool, typer.Option("--romfs", help="Into the ROMFS partition, where the engine uses it without a copy in RAM.")
    ] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Put this engine before one that is frozen into the firmware.")
    ] = False,
    engine: Annotated[
        Contents, typer.Option("--engine", help="The parts of the engine that the model needs, or all of it.")
    ] = Contents.needed,
    backend: Annotated[
        str | None,
        typer.Option(
            "--backend", metavar="B", help="Bring what this one needs; default: the best the device can have."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy what a model needs of the engine, and the model, onto devices, and prove that they arrived.

    A device always has the old model or the whole new one. A push that broke off goes on where it stopped.
    """
    with mistakes_are_sentences():
        read = ModelFile.read(model)
        specs = list(dict.fromkeys(device or ["unix"]))
        if backend is not None:
            check_name(backend)
        wanted = Wanted(romfs=romfs, shadow=shadow, everything=engine is Contents.all, backend=backend)
        told = _on_all(specs, read, wanted)
        if as_json:
            print_json({"devices": told})
        for each in told:
            if "error" in each:
                say_mistake(f"{each['device']}: {each['error']}" if len(specs) > 1 else each["error"])
            elif not as_json:
                _show(each)
    if any("error" in each for each in told):
        raise typer.Exit(1)


def push(device: Device, model: ModelFile, backend: str | None = None, romfs: bool = False) -> dict[str, Any]:
    """Engine and model onto one device, with a bar of its own; what became of them. `backend`: what is to run it."""
    with progress(f"{model.name} to {device.spec}", len(model.data)) as bar:
        wanted = Wanted(romfs=romfs, backend=backend)
        return _push(device, model, wanted, lambda sent, total: bar.update(bar.task_ids[0], completed=sent))


def _push(device: Device, model: ModelFile, wanted: Wanted, advance: _Advance) -> dict[str, Any]:
    engine = push_engine_for(
        device,
        model,
        backend=wanted.backend,
        everything=wanted.everything,
        shadow=wanted.shadow,
        mapped=wanted.romfs,
        progress=lambda sent, total: advance(0, len(model.data)),
    )
    for warning in engine.warnings:
        warn(warning)
    path = "/" + model.name
    if wanted.romfs:
        report = push_romfs(device, model.data, model.name, advance)
        if device.exists(path):
            warn(
                f"{device.spec} also has {path}, and takes that for Net({model.name!r}): Net({report.path!r}) is this."
            )
    else:
        report = push_model(device, model.data, path, advance)
    return {"device": device.spec, **asdict(report), "engine": asdict(engine)}


def _on_all(specs: list[str], model: ModelFile, wanted: Wanted) -> list[dict[str, Any]]:
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
                return _push(device, model, wanted, advance)
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


def engine_text(engine: dict[str, Any]) -> str:
    """The engine that a device has now, for a person."""
    abi = "no kernels in C" if engine["kernel_abi"] is None else f"kernel ABI {engine['kernel_abi']}"
    text = f"engine {engine['version']} ({engine['origin']}), model format {engine['model_format']}, {abi}"
    if engine["native"]:
        text += f" (native module, {engine['native']})"
    sent = f"{engine['sent']} of {engine['files']} files sent" if engine["sent"] else "nothing to send"
    return f"{text}; {sent}"


def _show(told: dict[str, Any]) -> None:
    results.print(f"{told['device']}: {plain(engine_text(told['engine']))}")
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
