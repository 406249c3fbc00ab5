"""nnmicro verify"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from ..compare import Comparison, Difference, compare, producer
from ..device import open_device
from ..model_file import ModelError, ModelFile
from ..originals import run_samples
from ..remote.inference import RemoteInference
from ..samples import Arrays, Specification, load_samples, random_samples
from .push import DEVICE_HELP, push
from .terminal import mistakes_are_sentences, plain, print_json, progress, results, warn

NAME = "verify"
EXAMPLES = (
    "Examples: nnmicro verify digits.nnm --against digits.onnx    |    "
    "nnmicro verify digits.nnm --device auto --against digits.onnx --layers    |    "
    "nnmicro verify digits.nnm --device auto"
)
_SAMPLES = 3


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    weights: Annotated[
        Path | None, typer.Argument(help="ncnn's .bin of --against; the one beside it if left out.", show_default=False)
    ] = None,
    device: Annotated[str, typer.Option("--device", metavar="D", help=DEVICE_HELP)] = "unix",
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="ORIGINAL",
            help="The model it was converted from; without it the golden vectors are run.",
        ),
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", metavar="F.npz", help="Inputs for --against, one or several samples of each."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option("--samples", metavar="N", min=1, help=f"Random inputs for --against; default {_SAMPLES}."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="S", min=0, help="Of the random inputs; default 0.")
    ] = None,
    layers: Annotated[
        bool,
        typer.Option(
            "--layers", help="With --against: compare every intermediate too, and name the first that differs."
        ),
    ] = False,
    backend: Annotated[
        str | None, typer.Option("--backend", metavar="B", help="Which kernels; default: the best there are.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Prove on a device that a converted model computes what the original does."""
    if against is None and (weights or inputs or samples or layers or seed is not None):
        raise typer.BadParameter("--inputs, --samples, --seed and --layers need --against ORIGINAL")
    if inputs is not None and (samples is not None or seed is not None):
        raise typer.BadParameter("--inputs is instead of --samples and --seed")
    with mistakes_are_sentences():
        read = ModelFile.read(model)
        if against is None:
            found = _golden(device, read, backend)
        else:
            arrays = _inputs(read, inputs, samples or _SAMPLES, seed or 0)
            found = _against(device, read, against, weights, arrays, layers, backend)
        if as_json:
            print_json(_told(read, found, layers))
        else:
            _show(read, found, layers, against.name if against else "the golden vectors")
        if found.first_difference is not None:
            raise typer.Exit(1)


def _inputs(model: ModelFile, file: Path | None, count: int, seed: int) -> list[Arrays]:
    names = model.net.inputs
    if not all(isinstance(name, str) for name in names):
        raise ValueError(
            "the names were stripped from this file, so that nothing in it can be matched with the original"
        )
    specs = _specifications(model)
    return load_samples(file, specs) if file else random_samples(specs, count, seed)


def _specifications(model: ModelFile) -> dict[str, Specification]:
    return {str(name): model.specification(name) for name in model.net.inputs}


def _against(
    device: str,
    model: ModelFile,
    original: Path,
    weights: Path | None,
    samples: list[Arrays],
    layers: bool,
    backend: str | None,
) -> Comparison:
    outputs = [str(name) for name in model.net.outputs]
    with progress(f"{original.name} in its own runtime", len(samples)) as bar:
        right = run_samples(
            original,
            weights,
            samples,
            None if layers else outputs,
            lambda: bar.advance(bar.task_ids[0]),
            specs=_specifications(model),
        )
    with open_device(device) as opened:
        # With `outputs` the device does not make the net's own arena, which would stay beside those for the layers.
        path = push(opened, model, backend)["path"]
        remote = RemoteInference(opened, path, model, backend=backend, outputs=() if layers else None)
        names = {str(model.net.name(i)) for i in range(model.net.n_blobs)} & set(right[0]) if layers else outputs
        with progress(f"{model.name} on {device}", len(samples) * len(names)) as bar:
            return compare(remote, samples, right, layers=layers, done=lambda: bar.advance(bar.task_ids[0]))


def _golden(device: str, model: ModelFile, backend: str | None) -> Comparison:
    """The self-test, vector by vector."""
    if not model.golden:
        raise ModelError(
            f"{model.name} has no golden vectors: convert the model with --golden 3, or name the original with "
            "--against"
        )
    blobs = [Difference(name) for name in model.net.outputs]
    with open_device(device) as opened:
        remote = RemoteInference(opened, push(opened, model, backend)["path"], model, backend=backend)
        count = remote.golden()
        with progress(f"golden vectors on {device}", count) as bar:
            for vector in range(count):
                for blob, (worst, allowed) in zip(blobs, remote.golden_vector(vector), strict=True):
                    blob.note(math.prod(model.net.shape(blob.name)), int(worst != 0), worst, allowed)
                bar.advance(bar.task_ids[0])
    return Comparison(count, blobs, [])


def _told(model: ModelFile, found: Comparison, layers: bool) -> dict[str, Any]:
    first = found.first_difference
    told: dict[str, Any] = {
        "identical": found.identical,
        "agrees": first is None,
        "max_abs_diff": _number(found.max_abs_diff),
        "samples": found.samples,
        "first_difference": None if first is None else first.name,
    }
    if layers:
        told["blobs"] = [_blob(model, blob) for blob in found.blobs]
        told["not_comparable"] = found.skipped
    return told


def _blob(model: ModelFile, blob: Difference) -> dict[str, Any]:
    layer, op = producer(model, blob.name)
    return {
        "name": blob.name,
        "layer": layer,
        "op": op,
        "elements": blob.elements,
        "different": blob.different,
        "max_abs_diff": _number(blob.max_abs_diff),
        "allowed": _number(blob.allowed),
        "agrees": blob.agrees,
    }


def _number(value: float) -> float | None:
    """JSON has no NaN and no infinity: null."""
    return value if math.isfinite(value) else None


def _show(model: ModelFile, found: Comparison, layers: bool, what: str) -> None:
    if layers:
        for blob in found.blobs:
            layer, op = producer(model, blob.name)
            verdict = "identical" if blob.identical else "agrees" if blob.agrees else "[bold red]differs[/]"
            gap = " " * (10 - len("differs")) if not blob.agrees else " " * (10 - len(verdict))
            results.print(
                f"{verdict}{gap} {plain(f'{blob.name} ({op} {layer})')}: at most {blob.max_abs_diff:.3g} apart"
            )
        for name in found.skipped:
            warn(f"blob {name} has another type or size in the original: not compared")
    first = found.first_difference
    samples = f"{found.samples} sample{'s' if found.samples > 1 else ''}"
    if first is not None:
        layer, op = producer(model, first.name)
        results.print(
            f"[bold red]differs[/] from {plain(what)}: blob {plain(str(first.name))}, layer {plain(layer)} ({op}), "
            f"is {first.max_abs_diff:.3g} apart where {first.allowed:.3g} is allowed"
        )
        if not layers:
            results.print("--against ORIGINAL --layers names the first layer that differs")
    elif found.identical:
        results.print(f"identical to {plain(what)} in every element, {samples}")
    else:
        results.print(f"agrees with {plain(what)}: at most {found.max_abs_diff:.3g} apart, {samples}")
