"""nnmicro demo"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from ..demo.digits import PICTURE_WIDTH, Digits, converted, held_out, original_scores, pictures, quantised
from ..device import Device, open_device
from ..memory_map import memory_map
from ..model_file import ModelFile
from ..reader import read_plan, read_program
from ..remote.inference import RemoteInference
from .info import show
from .push import DEVICE_HELP, push
from .terminal import messages, mistakes_are_sentences, print_json, progress, results, size_text

NAME = "demo"
EXAMPLES = "Examples: nnmicro demo    |    nnmicro demo --device auto --digits 50    |    nnmicro demo --save examples"


@dataclass
class Figures:
    """What one network did on the device."""

    right_on_device: int
    agree: int  # with the original network in onnxruntime
    max_abs_diff: float
    live_peak: int
    live_peak_lightmode_off: int
    lightmode_ratio: float
    arena_size: int
    file_bytes: int
    placement: str
    time_us: float
    heap_allocated: int | None
    backend: str


def command(
    device: Annotated[str, typer.Option("--device", metavar="D", help=DEVICE_HELP)] = "unix",
    digits: Annotated[
        int, typer.Option("--digits", min=1, help="How many held-out digits to run; there are 360.")
    ] = 360,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="FOLDER", help="Run nothing; write the models and example programs there."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Recognise handwritten digits on a device: convert, plan, push, run, compare with the original."""
    with mistakes_are_sentences():
        if save is not None:
            _save(save, as_json)
            return
        model = converted()
        seen = held_out()
        seen = Digits(seen.images[:digits], seen.labels[:digits])
        if not as_json:
            _heading("A convolutional network for handwritten digits, converted from ONNX")
            show(model)
            _heading("Its memory plan: which blob lies where while each layer runs")
            program = read_program(model.net)
            results.print(memory_map(program, read_plan(program, model.net)))
        with messages.status("quantising the network to int8"):
            small = quantised()
        original = original_scores(seen.images)
        with open_device(device) as opened:
            found, figures = _on_device(opened, model, seen, original)
            _, int8 = _on_device(opened, small, seen, original)
        right = int((original.argmax(1) == seen.labels).sum())
        if as_json:
            told = {"device": device, "digits": len(seen.images), "right_originally": right}
            print_json({**told, **asdict(figures), "int8": asdict(int8)})
        else:
            _tell(device, figures, int8, right, seen, found.argmax(1))
    if figures.agree != len(seen.images):
        raise typer.Exit(1)


def _save(folder: Path, as_json: bool) -> None:
    from ..demo.folder import write

    with messages.status("converting the models"):
        written = write(folder)
    if as_json:
        print_json({"files": [str(path) for path in written]})
        return
    for path in written:
        results.print(str(path))
    messages.print("the programs say in their first lines how they are run")


def _on_device(device: Device, model: ModelFile, seen: Digits, original: np.ndarray) -> tuple[np.ndarray, Figures]:
    """Run every digit on the device; its scores and the figures."""
    path = push(device, model)["path"]
    remote = RemoteInference(device, path, model)
    answers, times = [], []
    with progress(f"{model.name} on {device.spec}", len(seen.images)) as bar:
        for image in seen.images:
            remote.input("image", image)
            measured = remote.infer("scores")
            times.append(measured.time_us)
            answers.append(remote.output("scores")[0])
            remote.reset()
            bar.advance(bar.task_ids[0])
    remote.input("image", seen.images[0])
    heap = remote.heap("scores")
    kept = RemoteInference(device, path, model, lightmode=False)
    kept.input("image", seen.images[0])
    off = kept.infer("scores")
    found = np.stack(answers)
    scale, zero = model.net.quantisation("scores") or (1, 0)
    found = scale * (found.astype(np.float32) - zero)
    return found, Figures(
        right_on_device=int((found.argmax(1) == seen.labels).sum()),
        agree=int((found.argmax(1) == original.argmax(1)).sum()),
        max_abs_diff=float(np.abs(found - original).max()),
        live_peak=measured.live_peak,
        live_peak_lightmode_off=off.live_peak,
        lightmode_ratio=round(off.live_peak / measured.live_peak, 3),
        arena_size=remote.arena_size,
        file_bytes=len(model.data),
        placement=measured.placement,
        time_us=statistics.median(times),
        heap_allocated=heap,
        backend=remote.backend,
    )


def _heading(text: str) -> None:
    results.print(f"\n[bold]{text}[/]")


def _tell(device: str, f: Figures, int8: Figures, right: int, seen: Digits, predictions: np.ndarray) -> None:
    n = len(seen.images)
    _heading(f"{n} scans that the network has never seen, recognised on {device}")
    fitting = max(1, min(6, results.width // PICTURE_WIDTH))
    wrong = np.flatnonzero(predictions != seen.labels)[: fitting // 3]
    shown = np.concatenate([np.flatnonzero(predictions == seen.labels)[: fitting - len(wrong)], wrong])
    results.print(pictures(seen.images[shown], seen.labels[shown], predictions[shown]))
    same = "on every digit" if f.agree == n else f"[bold red]but on {n - f.agree} digits[/]"
    results.print(f"original     {right} of {n} right in onnxruntime ({right / n:.2%})")
    results.print(f"on device    {f.right_on_device} of {n} right ({f.right_on_device / n:.2%}), same answer {same}")
    results.print(f"             scores differ by at most {f.max_abs_diff:.2g}")
    results.print(f"in int8      {int8.right_on_device} of {n} right ({int8.right_on_device / n:.2%})\n")
    table = Table("", "float32", "int8", box=None, padding=(0, 2, 0, 0))
    for title, cell in (
        ("live peak with lightmode", lambda g: size_text(g.live_peak)),
        ("live peak without", lambda g: f"{size_text(g.live_peak_lightmode_off)} ({g.lightmode_ratio:.2f} times)"),
        ("time per inference", lambda g: f"{g.time_us / 1000:.2f} ms"),
        ("backend", lambda g: g.backend),
        (
            "heap per inference",
            lambda g: "more than there is" if g.heap_allocated is None else size_text(g.heap_allocated),
        ),
        ("model file", lambda g: size_text(g.file_bytes)),
    ):
        table.add_row(title, cell(f), cell(int8))
    results.print(table)
    results.print("time is the median by the device's own clock", style="dim")
