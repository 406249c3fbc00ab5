"""Measures what each kind of layer costs on the emulated boards, and writes host_tools/fit/speed.toml.

    python -m tests.bench.measure_speed            # prints what it would write
    python -m tests.bench.measure_speed --write
    python -m tests.bench.measure_speed --write _nnmicro    # those of one backend; the others' stay

Each layer of the models is counted as `nnmicro bench` does: instructions on the QEMU boards, microseconds (hence
cycles) on the emulated Pico. There the kernels are pushed; those in a firmware take up to a quarter less in small
networks, as they have the chip's routines for float32. The cost of a kind is fitted to its layers' counts by
multiply-accumulates and elements.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
from sklearn.linear_model import LinearRegression

import boards
import host_tools.fit
from firmware import build
from firmware.order import STOCK
from host_tools.device import Device, open_device, push_engine
from host_tools.device.engine_for import push_engine_for
from host_tools.device.pico import PicoDevice
from host_tools.fit.speed import BACKENDS, Work, works
from host_tools.model_file import ModelFile
from host_tools.packing import pack
from host_tools.remote.benchmark import Cost, measure
from tests.bench.models import bench_models

PICO = "emu:rpi_pico"
# Core, device, unit.
DEVICES = (
    ("cortex-m0plus", "emu:rpi_pico", "cycles"),
    ("cortex-m3", "emu:qemu_cortex_m3", "instructions"),
    ("cortex-m4f", "emu:qemu_cortex_m4f", "instructions"),
    ("cortex-m7", "emu:qemu_cortex_m7", "instructions"),
    ("rv32imc", "emu:qemu_rv32", "instructions"),
)
# What viper and plain Python cost, one core stands for others with the same instructions.
CORES = {"viper": ("cortex-m4f", "rv32imc"), "reference": ("cortex-m4f", "rv32imc")}
# Multiply-accumulates of what a backend can do in a moment.
MOST_MACS = {"_nnmicro": 100_000_000, "viper": 3_000_000, "reference": 60_000}
# Of a file that the Pico has heap for, beside what is pushed.
MOST_BYTES = 50_000
_TURNS = 20


def fitted(pairs: Iterable[tuple[Work, int]]) -> tuple[float, dict[str, tuple[float, float]]]:
    """(cost of a layer, costs of each kind by macs and elements) from works and their counts, of which none is 0."""
    by_kind: dict[str, list[tuple[Work, int]]] = defaultdict(list)
    for work, count in pairs:
        by_kind[work.kind].append((work, count))
    layer = min(count for found in by_kind.values() for _, count in found)
    kinds = {}
    for kind, found in sorted(by_kind.items()):
        if kind == "share":
            continue
        counts = np.array([max(1, count - layer) for _, count in found], float)
        rows = np.array([[work.macs, work.elements] for work, _ in found], float)
        kinds[kind] = _non_negative(rows, counts)
    return float(layer), kinds


def _non_negative(rows: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """The non-negative (a, b) for which rows @ (a, b) is nearest to counts, each weighted by what it is and what it
    came out as in the turn before: relative errors count alike, and too much as too little."""
    came_out = counts
    for _ in range(_TURNS):
        line = LinearRegression(fit_intercept=False, positive=True)
        a, b = line.fit(rows, counts, sample_weight=1 / (counts * came_out)).coef_
        came_out = np.maximum(rows @ (a, b), 1)
    return float(a), float(b)


def measured(spec: str, models: dict[str, ModelFile], backend: str) -> tuple[float, list[tuple[Work, int]]]:
    """(what an inference costs beside its layers, each layer's work and its cost)"""
    pairs: list[tuple[Work, int]] = []
    beside = []
    with open_bench_device(spec) as device:
        for name, model in models.items():
            if model.describe()["macs"] > MOST_MACS[backend]:
                continue
            if isinstance(device, PicoDevice):
                if len(model.data) > MOST_BYTES:
                    continue
                push_engine_for(device, model, backend=backend)
            device.soft_reset()
            device.write_file(model.data, "/m.nnm")
            cost = measure(device, "/m.nnm", model, backend)
            scale = boards.load("rpi_pico").clock / 1e6 if cost.unit == "time_us" else 1
            counts = [round(layer.count * scale) for layer in cost.layers]
            print(f"{spec} {backend} {name}: {cost.total * scale:,.0f}", file=sys.stderr)
            beside.append(_beside(cost) * scale)
            pairs += zip(works(model), counts, strict=True)
    return median(beside), pairs


def _beside(cost: Cost) -> int:
    """Outside of the layers; what is spent around a layer in Python is counted with it."""
    return max(0, cost.total - sum(layer.count for layer in cost.layers))


def open_bench_device(spec: str) -> Device:
    """The device with the engine. QEMU's have the kernels in their firmware; the Pico has neither, and gets what each
    model needs of both."""
    if spec == PICO:
        return PicoDevice(spec, "rpi_pico", firmware=build.firmware("rpi_pico", STOCK))
    device = open_device(spec)
    push_engine(device)
    return device


def section(backend: str, core: str, spec: str, unit: str) -> str:
    """What speed.toml says of a backend on a core, measured now."""
    models = bench_models()
    if backend == "_nnmicro":
        packed = {name: pack(model.data, core.removesuffix("f")) for name, model in models.items()}
        models |= {
            f"{name}, packed": ModelFile(each.data, f"{name}.nnm") for name, each in packed.items() if each.packed
        }
    inference, pairs = measured(spec, models, backend)
    layer, kinds = fitted(pairs)
    lines = [f"[costs.{backend}.{core}] # {spec}", f'unit = "{unit}"', f"inference = {inference:.0f}"]
    lines += [f"layer = {layer:.0f}", f"[costs.{backend}.{core}.kinds]"]
    lines += [f"{kind} = [{macs:.4g}, {elements:.4g}]" for kind, (macs, elements) in kinds.items()]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    target = Path(host_tools.fit.__path__[0]) / "speed.toml"
    kept, mark, measured_before = target.read_text().partition("\n# Measured.")
    chosen = [backend for backend in BACKENDS if backend in arguments] or BACKENDS
    title, *sections = re.split(r"\n(?=\[costs\.\w+\.[\w-]+\] )", measured_before)
    sections = [each.rstrip() + "\n" for each in sections if each.split(".")[1] not in chosen]
    wanted = [
        (backend, *device)
        for backend in chosen
        for device in DEVICES
        if device[0] in CORES.get(backend, [each[0] for each in DEVICES])
    ]
    with ThreadPoolExecutor(2) as pool:
        sections += pool.map(lambda each: section(*each), wanted)
    text = "\n".join([kept + mark + title.rstrip() + "\n", *sections])
    print(text)
    if "--write" in arguments:
        target.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
