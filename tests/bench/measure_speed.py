"""Measures what each kind of layer costs on the emulated boards, and writes host_tools/fit/speed.toml.

    python -m tests.bench.measure_speed            # prints what it would write
    python -m tests.bench.measure_speed --write

Every layer of the models is run by itself and counted: instructions on the QEMU boards, microseconds (hence cycles) on
the emulated Pico. The cost of a kind is the least-squares fit of its layers' counts by multiply-accumulates and
elements.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import host_tools.fit
from host_tools.device import Device, open_device, push_engine
from host_tools.fit.speed import Work, works
from host_tools.model_file import ModelFile
from tests.bench.models import bench_models

# Core, device, unit.
DEVICES = (
    ("cortex-m0plus", "emu:rpi_pico", "cycles"),
    ("cortex-m3", "emu:qemu_cortex_m3", "instructions"),
    ("cortex-m4f", "emu:qemu_cortex_m4f", "instructions"),
    ("cortex-m7", "emu:qemu_cortex_m7", "instructions"),
    ("rv32imc", "emu:qemu_rv32", "instructions"),
)
# What plain Python can do in a moment.
SMALL_MACS = 60_000

STEP = """\
import gc, nnmicro
try:
    import qemu
    def count(f, *a):
        return qemu.instructions(f, *a) - EMPTY
    EMPTY = 0
    EMPTY = qemu.instructions(lambda: None)
except ImportError:
    import time
    def count(f, *a):
        start = time.ticks_us()
        f(*a)
        return time.ticks_diff(time.ticks_us(), start) * CLOCK_MHZ
def layers(path, backend):
    net = nnmicro.Net(path, nnmicro.Option(backend=backend))
    ex = net.extractor()
    for name in net.inputs:
        ex.input_view(name).fill(1)
    target = net.outputs[-1]
    found = []
    more = True
    while more:
        gc.collect()
        found.append(count(ex.step, target))
        more = ex.step(target, 0)
    return found
"""


def layer_counts(device: Device, model: ModelFile, backend: str) -> list[int]:
    """What each layer took on the device; the model lies there as /m.nnm."""
    device.soft_reset()
    device.exec(STEP.replace("CLOCK_MHZ", "125"))
    counts: list[int] = device.eval(f"layers('/m.nnm', {backend!r})", timeout=900)
    return counts


def fitted(pairs: Iterable[tuple[Work, int]]) -> tuple[float, dict[str, tuple[float, float]]]:
    """(cost of a layer, costs of each kind by macs and elements) from works and their counts."""
    by_kind: dict[str, list[tuple[Work, int]]] = defaultdict(list)
    for work, count in pairs:
        by_kind[work.kind].append((work, count))
    layer = min(count for found in by_kind.values() for _, count in found)
    kinds = {}
    for kind, found in sorted(by_kind.items()):
        if kind == "share":
            continue
        counts = np.array([max(0, count - layer) for _, count in found], float)
        rows = np.array([[work.macs, work.elements] for work, _ in found], float)
        kinds[kind] = _non_negative(rows / np.maximum(counts, 1)[:, None])
    return float(layer), kinds


def _non_negative(rows: np.ndarray) -> tuple[float, float]:
    """The non-negative (a, b) for which rows @ (a, b) is nearest to 1: relative errors count alike."""
    ones = np.ones(len(rows))
    choices = []
    for columns in ([0, 1], [0], [1]):
        if not rows[:, columns].any(axis=0).all():
            continue
        found = np.linalg.lstsq(rows[:, columns], ones, rcond=None)[0]
        if (found >= 0).all():
            full = np.zeros(2)
            full[columns] = found
            choices.append((float(((rows @ full - ones) ** 2).sum()), full))
    best = min(choices, key=lambda choice: choice[0])[1]
    return float(best[0]), float(best[1])


def measured(spec: str, models: dict[str, ModelFile], backend: str) -> list[tuple[Work, int]]:
    pairs: list[tuple[Work, int]] = []
    with open_bench_device(spec) as device:
        for name, model in models.items():
            if backend == "reference" and model.describe()["macs"] > SMALL_MACS:
                continue
            if spec == "emu:rpi_pico" and len(model.data) > 100_000:
                continue
            device.soft_reset()
            device.write_file(model.data, "/m.nnm")
            counts = layer_counts(device, model, backend)
            done = list(works(model))
            print(f"{spec} {backend} {name}: {sum(counts):,}", file=sys.stderr)
            assert len(counts) == len(done), (name, counts)
            pairs += zip(done, counts, strict=True)
    return pairs


def open_bench_device(spec: str) -> Device:
    """The device with engine and native module: the Pico's is in its firmware, the others' is pushed."""
    device = open_device(spec)
    push_engine(device)
    return device


def main(arguments: list[str]) -> None:
    target = Path(host_tools.fit.__path__[0]) / "speed.toml"
    kept = target.read_text().partition("\n# Measured.")[0]
    models = bench_models()
    lines = ["\n# Measured. For each kind of layer: per multiply-accumulate, per element.\n"]
    for backend in ("_nnmicro", "reference"):
        for core, spec, unit in DEVICES:
            layer, kinds = fitted(measured(spec, models, backend))
            lines.append(f'[costs.{backend}.{core}] # {spec}\nunit = "{unit}"\nlayer = {layer:.0f}')
            lines.append(f"[costs.{backend}.{core}.kinds]")
            lines += [f"{kind} = [{macs:.4g}, {elements:.4g}]" for kind, (macs, elements) in kinds.items()]
            lines.append("")
    text = kept + "\n".join(lines)
    print(text)
    if "--write" in arguments:
        target.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
