"""nnmicro demo"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
import typer

from ..demo.digits import PICTURE_WIDTH, Digits, converted, held_out, original_scores, pictures
from ..device import open_device
from ..memory_map import memory_map
from ..model_file import ModelFile
from ..reader import read_plan, read_program
from ..remote.inference import RemoteInference
from .info import show
from .push import DEVICE_HELP, push
from .terminal import mistakes_are_sentences, print_json, progress, results, size_text

NAME = "demo"
EXAMPLES = "Examples: nnmicro demo    |    nnmicro demo --device auto --digits 50"


@dataclass
class Figures:
    """What the demo found out."""

    device: str
    digits: int
    right_on_device: int
    right_originally: int
    agree: int
    max_abs_diff: float
    live_peak: int
    live_peak_lightmode_off: int
    lightmode_ratio: float
    arena_size: int
    placement: str
    time_us: float
    heap_allocated: int | None
    backend: str


def command(
    device: Annotated[str, typer.Option("--device", metavar="D", help=DEVICE_HELP)] = "unix",
    digits: Annotated[int, typer.Option("--digits", min=1, help="How many held-out digits to run; there are 360.")] = 360,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Recognise handwritten digits on a device: convert, plan, push, run, compare with the original."""
    with mistakes_are_sentences():
        model = converted()
        seen = held_out()
        seen = Digits(seen.images[:digits], seen.labels[:digits])
        if not as_json:
            _heading("A convolutional network for handwritten digits, converted from ONNX")
            show(model)
            _heading("Its memory plan: which blob lies where while each layer runs")
            program = read_program(model.net)
            results.print(memory_map(program, read_plan(program, model.net.arena_size)))
        scores, figures = _on_device(device, model, seen)
        if as_json:
            print_json(asdict(figures))
        else:
            _tell(figures, seen, scores.argmax(1))
        if figures.agree != figures.digits:
            raise typer.Exit(1)


def _on_device(spec: str, model: ModelFile, seen: Digits) -> tuple[np.ndarray, Figures]:
    """Run every digit on the device; its scores and the figures."""
    with open_device(spec) as device:
        path = push(device, model)["path"]
        remote = RemoteInference(device, path, model)
        scores, times = [], []
        with progress(f"digits on {spec}", len(seen.images)) as bar:
            for image in seen.images:
                remote.input("image", image)
                measured = remote.infer("scores")
                times.append(measured.time_us)
                scores.append(remote.output("scores")[0])
                remote.reset()
                bar.advance(bar.task_ids[0])
        remote.input("image", seen.images[0])
        heap = remote.heap("scores")
        kept = RemoteInference(device, path, model, lightmode=False)
        kept.input("image", seen.images[0])
        off = kept.infer("scores")
    found = np.stack(scores)
    original = original_scores(seen.images)
    return found, Figures(
        device=spec,
        digits=len(found),
        right_on_device=int((found.argmax(1) == seen.labels).sum()),
        right_originally=int((original.argmax(1) == seen.labels).sum()),
        agree=int((found.argmax(1) == original.argmax(1)).sum()),
        max_abs_diff=float(np.abs(found - original).max()),
        live_peak=measured.live_peak,
        live_peak_lightmode_off=off.live_peak,
        lightmode_ratio=round(off.live_peak / measured.live_peak, 3),
        arena_size=remote.arena_size,
        placement=measured.placement,
        time_us=statistics.median(times),
        heap_allocated=heap,
        backend=remote.backend,
    )


def _heading(text: str) -> None:
    results.print(f"\n[bold]{text}[/]")


def _tell(f: Figures, seen: Digits, predictions: np.ndarray) -> None:
    _heading(f"{f.digits} scans that the network has never seen, recognised on {f.device}")
    fitting = max(1, min(6, results.width // PICTURE_WIDTH))
    wrong = np.flatnonzero(predictions != seen.labels)[: fitting // 3]
    shown = np.concatenate([np.flatnonzero(predictions == seen.labels)[: fitting - len(wrong)], wrong])
    results.print(pictures(seen.images[shown], seen.labels[shown], predictions[shown]))
    n = f.digits
    results.print(f"accuracy     {f.right_on_device} of {n} on the device ({f.right_on_device / n:.2%}), "
                  f"{f.right_originally} of {n} in onnxruntime ({f.right_originally / n:.2%})")  # fmt: skip
    same = "the same answer on every digit" if f.agree == n else f"[bold red]a different answer on {n - f.agree} digits[/]"
    results.print(f"agreement    {same}; scores differ by at most {f.max_abs_diff:.2g}")
    results.print(f"live peak    {size_text(f.live_peak)} with lightmode, {size_text(f.live_peak_lightmode_off)} without: "
                  f"{f.lightmode_ratio:.2f} times")  # fmt: skip
    results.print(f"time         {f.time_us / 1000:.2f} ms per inference (median; backend {f.backend}, wall clock)")
    heap = size_text(f.heap_allocated) if f.heap_allocated is not None else "more than the heap holds"
    results.print(f"heap         {heap} allocated per inference, all of it garbage: plain Python boxes every float")
