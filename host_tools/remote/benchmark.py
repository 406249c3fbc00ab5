"""What an inference on a device costs: instructions where the board counts them, else time."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from ..device import Device, DeviceError
from ..model_file import ModelFile
from ..samples import random_samples
from .inference import RemoteInference, parsed

UNITS = ("instructions", "time_us")
_LONG = 3600.0
_SEED = 1


@dataclass(frozen=True)
class LayerCost:
    """`count` instructions or microseconds of one layer; `native`: inside `_nnmicro.run` alone, else with the Python
    around it, too."""

    layer: int
    count: int
    native: bool


@dataclass(frozen=True)
class Cost:
    """Of one inference after the first, inputs given from RAM. `unit` is `instructions` or `time_us`."""

    unit: str
    total: int
    layers: list[LayerCost]
    live_peak: int
    heap_allocated: int | None
    backend: str

    @property
    def python_overhead(self) -> int | None:
        """What was spent outside the kernels; None where a kernel is in Python, too."""
        if not self.layers or not all(cost.native for cost in self.layers):
            return None
        return self.total - sum(cost.count for cost in self.layers)


def measure(device: Device, path: str, model: ModelFile, backend: str | None = None) -> Cost:
    """Run the model that lies on `device` as `path` a few times, with random inputs that are always the same."""
    remote = RemoteInference(device, path, model, backend=backend)
    device.exec((files("host_tools.remote") / "on_device_bench.py").read_text())
    names = tuple(model.net.outputs)
    inputs = {name: model.specification(name) for name in model.net.inputs}
    for name, array in random_samples(inputs, 1, _SEED)[0].items():
        remote.elements(name, array, rows_to="nn_row_data")
    remote.call("nn_ready")
    remote.call("nn_again", timeout=_LONG)
    remote.infer(*names)
    remote.call("nn_total", names, timeout=_LONG)  # a first one makes objects that later ones use again
    total, live_peak = parsed(remote.call("nn_total", names, timeout=_LONG), (int, int))
    layers = _layers(remote.call("nn_layers", names, timeout=_LONG), model.net.n_layers)
    remote.call("nn_again", timeout=_LONG)
    unit = device.eval("nn_unit")
    if unit not in UNITS:
        raise DeviceError(f"the device measures in {unit!r}, which is not known here")
    return Cost(unit, total, layers, live_peak, remote.heap(*names), remote.backend)


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


def describe(cost: Cost, model: ModelFile, device: str) -> dict[str, Any]:
    """The object that `nnmicro bench --json` prints."""
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
        "live_peak": cost.live_peak,
        "heap_allocated": cost.heap_allocated,
    }
