"""Compares what a device computes with what the original model's own runtime gives for the same inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nnmicro import format as f
from nnmicro.selftest import TOLERANCE

from .device import RemoteError
from .model_file import ArenaFull, ModelFile
from .remote.inference import RemoteInference
from .samples import Arrays


@dataclass
class Difference:
    """Of one blob, over all samples so far."""

    name: str | int
    elements: int = 0
    different: int = 0  # elements that are not the same to the bit
    max_abs_diff: float = 0.0
    allowed: float = 0.0  # in the sample that is furthest beyond, or nearest to, what is allowed
    agrees: bool = True

    @property
    def identical(self) -> bool:
        return self.different == 0

    def add(self, ours: np.ndarray, right: np.ndarray) -> None:
        """One more sample. Integers have to be the same; floats within 1e-4 of the largest value expected."""
        allowed = TOLERANCE * float(np.abs(right).max()) if right.dtype.kind == "f" else 0.0
        with np.errstate(invalid="ignore"):
            apart = np.abs(ours.ravel().astype(np.float64) - right.ravel().astype(np.float64))
        self.note(apart.size, int(np.count_nonzero(~(apart == 0))), float(apart.max()), allowed)

    def note(self, elements: int, different: int, worst: float, allowed: float) -> None:
        """One more sample, of which the largest difference is known (NaN if one is)."""
        self.elements += elements
        self.different += different
        agrees = math.isfinite(allowed) and worst <= allowed
        if not agrees or (self.agrees and worst >= self.max_abs_diff):
            self.allowed = allowed
        self.agrees = self.agrees and agrees
        if worst > self.max_abs_diff or math.isnan(worst):
            self.max_abs_diff = worst


@dataclass
class Comparison:
    """Of a model with its original: the blobs that were compared, in the order in which they are computed."""

    samples: int
    blobs: list[Difference]
    skipped: list[str]  # blobs that both name and that are not of the same type and size

    @property
    def identical(self) -> bool:
        return all(blob.identical for blob in self.blobs)

    @property
    def max_abs_diff(self) -> float:
        worst = [blob.max_abs_diff for blob in self.blobs]
        return math.nan if any(map(math.isnan, worst)) else max(worst, default=0.0)

    @property
    def first_difference(self) -> Difference | None:
        """The first blob that does not agree."""
        return next((blob for blob in self.blobs if not blob.agrees), None)


def producer(model: ModelFile, name: str | int) -> tuple[str, str]:
    """The layer that computes a blob, and its kind."""
    net = model.net
    layer = net.producer(net.index(name))
    if layer < 0:
        return "", "input"
    return str(net.layer_name(layer)), str(net.op_names[net.words[net.layers_at + layer * f.LAYER_WORDS + f.L_OP]])


def compare(
    remote: RemoteInference,
    samples: Sequence[Arrays],
    originals: Sequence[Arrays],
    *,
    layers: bool = False,
    done: Callable[[], None] | None = None,
) -> Comparison:
    """Run the samples on the device and compare the declared outputs, or with `layers` every blob that both name.

    `done` is called for each blob of each sample. Raises ValueError where a declared output is not comparable.
    """
    net = remote.model.net
    outputs = list(net.outputs)
    named = [name for name in map(net.name, range(net.n_blobs)) if net.producer(net.index(name)) >= 0]
    names = [name for name in named if name in outputs or (layers and name in originals[0])]
    skipped = [name for name in names if not _comparable(remote.model, name, originals[0])]
    for name in skipped:
        if name in outputs:
            spec, right = remote.model.specification(name), originals[0].get(name)
            given = "nothing" if right is None else f"{right.dtype} of shape {right.shape}"
            raise ValueError(
                f"output {name} is {spec.dtype} of shape {spec.shape}; the original gives {given}: not comparable"
            )
    chosen = sorted((n for n in names if n not in skipped), key=lambda name: net.producer(net.index(name)))
    blobs = {name: Difference(name) for name in chosen}
    found = everything(remote, samples, chosen) if layers else _outputs(remote, samples, chosen)
    for sample, name, ours in found:
        blobs[name].add(ours, originals[sample][name])
        if done is not None:
            done()
    return Comparison(len(samples), list(blobs.values()), skipped)


def _comparable(model: ModelFile, name: str, originals: Arrays) -> bool:
    spec, right = model.specification(name), originals.get(name)
    return right is not None and right.dtype == spec.dtype and right.size == math.prod(spec.shape)


def _outputs(
    remote: RemoteInference, samples: Sequence[Arrays], names: Sequence[str]
) -> Iterator[tuple[int, str, np.ndarray]]:
    for i, inputs in enumerate(samples):
        _run(remote, inputs, names)
        for name in names:
            yield i, name, remote.output(name)


def _run(remote: RemoteInference, inputs: Arrays, names: Sequence[str]) -> None:
    remote.reset_state()
    for name, array in inputs.items():
        remote.elements(name, array)
    remote.infer(*names)


def everything(
    remote: RemoteInference, samples: Sequence[Arrays], names: Sequence[str]
) -> Iterator[tuple[int, str, np.ndarray]]:
    """Sample, name and value of every blob: with lightmode off where the device has the memory, else in several runs
    that keep as many at a time as fit."""
    size, start = len(names) + 1, 0  # more than there are: all of them
    while start < len(names):
        window = tuple(names[start : start + max(size, 1)])
        try:
            if size > len(names):
                remote.open(lightmode=False)
            elif size > 0:
                remote.open(outputs=(), keep=window)
            else:
                remote.open(outputs=window)
            _run(remote, samples[0], window)
        except (ArenaFull, RemoteError) as error:
            if size == 0 or not (isinstance(error, ArenaFull) or error.kind == "MemoryError"):
                raise
            size = min(size, len(window) + 1) // 2
            continue
        for i, inputs in enumerate(samples):
            if i > 0:
                _run(remote, inputs, window)
            for name in window:
                yield i, name, remote.output(name)
        start += len(window)
