"""What an inference on a device costs: instructions where the board counts them, else time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import boards
from boards import Board
from firmware.qemu_plugin import instructions

from ..device import Device, DeviceError
from ..fit.cycles import estimated
from ..model_file import ModelFile
from ..samples import random_samples
from .inference import RemoteInference, parsed

UNITS = ("instructions", "time_us")
_LONG = 3600.0
_SEED = 1
_IDLE_TIMES = 8  # as nn_idle in on_device_bench.py


@dataclass(frozen=True)
class LayerCost:
    """`count` instructions or microseconds of one layer; `native`: inside `_nnmicro.run` alone, else with the Python
    around it, too."""

    layer: int
    count: int
    native: bool


@dataclass(frozen=True)
class Cost:
    """Of one inference after the first, inputs given from RAM. `unit` is `instructions` or `time_us`, `classes` are the
    instructions by class, where the device counts these."""

    unit: str
    total: int
    layers: list[LayerCost]
    live_peak: int
    heap_allocated: int | None
    backend: str
    classes: Mapping[str, int] | None = None

    @property
    def python_overhead(self) -> int | None:
        """What was spent outside the kernels; None where a kernel is in Python, too."""
        if not self.layers or not all(cost.native for cost in self.layers):
            return None
        return self.total - sum(cost.count for cost in self.layers)


def measure(
    device: Device, path: str, model: ModelFile, backend: str | None = None, *, in_total_only: bool = False
) -> Cost:
    """Run the model that lies on `device` as `path` a few times, with random inputs that are always the same.

    `in_total_only` leaves out layers and heap: as few inferences as can be.
    """
    remote = RemoteInference(device, path, model, backend=backend)
    device.exec((files("host_tools.remote") / "on_device_bench.py").read_text())
    names = tuple(model.net.outputs)
    inputs = {name: model.specification(name) for name in model.net.inputs}
    for name, array in random_samples(inputs, 1, _SEED)[0].items():
        remote.elements(name, array, rows_to="nn_row_data")
    remote.call("nn_ready")
    remote.call("nn_again", timeout=_LONG)
    if not in_total_only:
        remote.infer(*names)
    remote.call("nn_total", names, timeout=_LONG)  # a first one makes objects that later ones use again
    total, live_peak = parsed(remote.call("nn_total", names, timeout=_LONG), (int, int))
    classes = _classes(device)
    unit = device.eval("nn_unit")
    if unit not in UNITS:
        raise DeviceError(f"the device measures in {unit!r}, which is not known here")
    if in_total_only:
        return Cost(unit, total, [], live_peak, None, remote.backend, classes)
    layers = _layers(remote.call("nn_layers", names, timeout=_LONG), model.net.n_layers)
    remote.call("nn_again", timeout=_LONG)
    return Cost(unit, total, layers, live_peak, remote.heap(*names), remote.backend, classes)


def _classes(device: Device) -> dict[str, int] | None:
    """Of the inference that `nn_total` measured last, without what measuring costs, which it measures right before."""
    counts = device.class_counts()
    if len(counts) <= _IDLE_TIMES:
        return None
    *idles, inference = counts[-1 - _IDLE_TIMES :]
    idle = min(idles, key=instructions)
    return {name: max(0, count - idle[name]) for name, count in inference.items()}


def _layers(answer: bytes, n_layers: int) -> list[LayerCost]:
    """The costs in the order in which the layers ran, which is that of their numbers."""
    found: list[LayerCost] = []
    for line in answer.splitlines():
        layer, count, native = parsed(line, (int, int, bool))
        expected = found[-1].layer + 1 if found else 0
        if layer not in (-1, expected) or expected >= n_layers:
            raise DeviceError(f"the device answered {line[:100]!r}, where layer {expected} of {n_layers} should be")
        found.append(LayerCost(expected, count, native))
    return found


def emulated_board(device: str) -> Board | None:
    """The board that a device emulates; None where it is none."""
    name = device.removeprefix("emu:")
    return boards.load(name) if name != device else None


def estimated_cycles(cost: Cost, board: Board | None) -> int | None:
    """Cycles on the emulated `board`, from the classes of instructions, or from the time on an emulator that keeps a
    core's time; None where neither is there. Not measured on silicon."""
    if board is None:
        return None
    if cost.classes is not None:
        return estimated(cost.classes, board.core)
    return round(cost.total * board.clock / 1e6) if cost.unit == "time_us" else None


def clocked(device: str, board: Board | None) -> Board | None:
    """The board whose clock an estimate is for: `board`, one with the core that `device` emulates, by default the
    emulated board. ValueError where its core is another."""
    emulated = emulated_board(device)
    if board is not None and (emulated is None or emulated.core != board.core):
        has = f"{device} has a {emulated.core}" if emulated else f"{device} measures its own time"
        raise ValueError(f"no estimate for {board.key}, which has a {board.core}: {has}")
    return board or emulated


def _estimate(cost: Cost, device: str, board: Board | None) -> dict[str, Any]:
    cycles = estimated_cycles(cost, emulated_board(device))
    if cycles is None or board is None:
        return {"estimated_cycles": None, "estimated_ms": None, "estimated_for": None}
    return {
        "estimated_cycles": cycles,
        "estimated_ms": round(cycles / board.clock * 1e3, 3),
        "estimated_for": board.key,
    }


def describe(cost: Cost, model: ModelFile, device: str, board: Board | None = None) -> dict[str, Any]:
    """The object that `nnmicro bench --json` prints, with an estimate for `board` as in `clocked`."""
    macs = sum(model.layer_macs(i) for i in range(model.net.n_layers))
    per_mac = round(cost.total / macs, 3) if macs else None
    return {
        "device": device,
        "backend": cost.backend,
        cost.unit: cost.total,
        "macs": macs,
        f"{cost.unit}_per_mac": per_mac,
        "python_overhead": cost.python_overhead,
        "per_layer": [
            {
                "layer": each.layer,
                "name": model.net.layer_name(each.layer),
                "op": model.layer_op(each.layer),
                "macs": model.layer_macs(each.layer),
                cost.unit: each.count,
                "in": "_nnmicro" if each.native else "python",
            }
            for each in cost.layers
        ],
        **_estimate(cost, device, clocked(device, board)),
        "live_peak": cost.live_peak,
        "heap_allocated": cost.heap_allocated,
    }
