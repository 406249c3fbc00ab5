"""nnmicro run"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ..device import open_device
from ..model_file import ModelFile
from ..remote.inference import RemoteInference
from .push import DEVICE_HELP, engine_text, push
from .terminal import messages, mistakes_are_sentences, plain, print_json, results, size_text, warn

NAME = "run"
EXAMPLES = (
    "Examples: nnmicro run digits.nnm --input image=three.npy    |    "
    "nnmicro run digits.nnm --device auto --input image=three.npy --output scores.npz"
)


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    device: Annotated[str, typer.Option("--device", metavar="D", help=DEVICE_HELP)] = "unix",
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="N=F.npy", help="An input's array; inputs that are left out are zeros."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="F.npz", help="Write the outputs here.")] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            "--backend",
            metavar="B",
            help="_nnmicro, vector, asm_thumb, viper or reference; default: the best there is.",
        ),
    ] = None,
    no_lightmode: Annotated[
        bool, typer.Option("--no-lightmode", help="Keep every blob (more memory, for debugging).")
    ] = False,
    romfs: Annotated[
        bool, typer.Option("--romfs", help="Push into the ROMFS partition: weights are used where they lie.")
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="N", help="Keep this intermediate, and show it; may be repeated."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="W",
            help="memory: read the file whole; window: each layer's when it runs; default: as memory allows.",
        ),
    ] = None,
    window: Annotated[
        int,
        typer.Option(
            "--window",
            metavar="BYTES",
            min=0,
            help="Most bytes of weights in memory at a time; means --weights window.",
        ),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Push a model, run it once on the device, and show outputs, memory and time."""
    with mistakes_are_sentences():
        if weights not in (None, "memory", "window") or (window and weights == "memory"):
            raise typer.BadParameter(
                f"{weights!r} with a window of {window} bytes: give memory, or window, or neither",
                param_hint="--weights",
            )
        read = ModelFile.read(model)
        arrays = _arrays(read, inputs or [])
        with open_device(device) as opened:
            pushed = push(opened, read, backend, romfs)
            with messages.status(f"running on {device}"):
                told = run(
                    opened,
                    pushed["path"],
                    read,
                    arrays,
                    backend,
                    not no_lightmode,
                    tuple(keep or ()),
                    weights=weights,
                    window=window,
                )
        told["engine"] = pushed["engine"]
        values = told.pop("arrays")
        if output is not None:
            np.savez(output, **{str(name): array for name, array in values.items()})
        if as_json:
            told["outputs"] = {str(name): array.tolist() for name, array in values.items()}
            print_json(told)
        else:
            _show(read, told, values)


def run(
    device: Any,
    path: str,
    model: ModelFile,
    arrays: dict[str, np.ndarray],
    backend: str | None,
    lightmode: bool,
    keep: tuple[str, ...],
    *,
    weights: str | None = None,
    window: int = 0,
) -> dict[str, Any]:
    """One measured inference, and a second one for the heap."""
    remote = RemoteInference(
        device, path, model, backend=backend, lightmode=lightmode, keep=keep, weights=weights, window=window
    )
    names = (*model.net.outputs, *keep)
    for name, array in arrays.items():
        remote.input(name, array)
    measured = remote.infer(*names)
    values = {name: remote.output(name) for name in names}
    remote.reset()
    for name, array in arrays.items():
        remote.input(name, array)
    return {
        "arrays": values,
        "live_peak": measured.live_peak,
        "arena_size": remote.arena_size,
        "heap_allocated": remote.heap(*names),
        "time_us": measured.time_us,
        "backend": remote.backend,
        "weights_from": remote.weights_from,
        "placement": measured.placement,
    }


def _arrays(model: ModelFile, given: list[str]) -> dict[str, np.ndarray]:
    """The inputs from files; zeros for those that were not given. Everything is checked before a device is touched."""
    arrays: dict[str, np.ndarray] = {}
    for text in given:
        name, found, file = text.partition("=")
        if not found or not file:
            raise typer.BadParameter(f"{text!r} is not of the form NAME=FILE.npy", param_hint="--input")
        if name not in map(str, model.net.inputs):
            raise KeyError(
                f"{name!r} is no input of this model; its inputs are {', '.join(map(str, model.net.inputs))}"
            )
        array = np.load(file, allow_pickle=False)
        model.storage(name, array)  # says what is wrong with its shape
        arrays[name] = array
    for name in model.net.inputs:
        if str(name) not in arrays:
            warn(f"input {name} was not given (--input {name}=FILE.npy): zeros are used")
            arrays[name] = np.zeros(model.net.shape(name), np.float32)
    return arrays


def _show(model: ModelFile, told: dict[str, Any], values: dict[Any, np.ndarray]) -> None:
    for name, array in values.items():
        flat = array.ravel()
        numbers = " ".join(f"{value:.6g}" for value in flat[:10]) + (" …" if flat.size > 10 else "")
        results.print(f"{name} {' x '.join(map(str, array.shape))}: {numbers}")
        labels = model.net.labels
        if name in model.net.outputs and len(labels) == flat.size:
            top = int(flat.argmax())
            scale, zero = model.net.quantisation(name) or (1.0, 0)
            results.print(f"  top: {labels[top]}, {scale * (float(flat[top]) - zero):.6g}")
    heap = told["heap_allocated"]
    results.print(
        f"live peak    {size_text(told['live_peak'])} of an arena of {size_text(told['arena_size'])}, "
        f"placement: {told['placement']}"
    )
    if told["weights_from"] == "window":
        results.print("weights      read from the file, layer by layer: they are not in memory")
    results.print(f"time         {told['time_us'] / 1000:.2f} ms with backend {told['backend']}")
    results.print(
        f"heap         {size_text(heap) if heap is not None else 'more than there is'} allocated by one inference"
    )
    results.print(f"engine       {plain(engine_text(told['engine'])).removeprefix('engine ')}")
