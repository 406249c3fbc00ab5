"""What quantising did to a model, blob by blob: beside its float twin, computed here with the engine's own layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from pathlib import Path

import numpy as np

from nnmicro import Net, Option

from ..importers import load_model
from ..model_file import ModelFile
from ..originals import run_samples
from ..quantise.calibration import load_calibration
from ..samples import Arrays, Specification, random_samples

SAMPLES = 2
QUANTISED = "_QuantizeLinear_Output"  # what onnxruntime's quantiser adds to the name of a float blob


def noise(model: ModelFile, twin: Path, inputs: Path | None = None) -> dict[str, float | None]:
    """By blob, signal to noise in dB: 10 log10(sum of squares of the twin's values / that of the differences).

    None where there is no difference. Blobs that the twin does not name are left out. inputs: a calibration set,
    of which up to 2 inputs are taken; else random ones.
    """
    specs = {
        str(name): Specification(model.specification(name).shape, np.dtype(np.float32)) for name in model.net.inputs
    }
    if inputs is not None:
        found = load_calibration(inputs, {name: tuple(spec.shape) for name, spec in specs.items()})
        samples = [found.sample(i) for i in range(min(SAMPLES, len(found)))]
    else:
        samples = random_samples(specs, SAMPLES, 0)
    names = _inputs_of(twin, list(specs))
    exact = run_samples(
        twin,
        None,
        [{names[name]: array for name, array in sample.items()} for sample in samples],
        None,
        specs={names[name]: spec for name, spec in specs.items()},
    )
    signal: dict[str, float] = {}
    wrong: dict[str, float] = {}
    for sample, right in zip(samples, exact, strict=True):
        for name, ours in _values(model, sample, right).items():
            wide = right[name].astype(np.float64).ravel()
            signal[name] = signal.get(name, 0.0) + float((wide**2).sum())
            wrong[name] = wrong.get(name, 0.0) + float(((wide - ours) ** 2).sum())
    return {
        name: None if wrong[name] == 0.0 else round(10 * log10(max(signal[name], 1e-30) / wrong[name]), 1)
        for name in signal
    }


def _inputs_of(twin: Path, names: list[str]) -> dict[str, str]:
    """What the inputs with these names are called in the twin: the same, or what stands in the same place."""
    theirs = load_model(twin).inputs
    if set(names) <= set(theirs):
        return {name: name for name in names}
    if len(theirs) != len(names):
        raise ValueError(f"{twin.name} has the inputs {', '.join(theirs)}; this model has {', '.join(names)}")
    return dict(zip(names, theirs, strict=True))


def _values(model: ModelFile, sample: Arrays, right: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every blob's real values that the twin has as well."""
    net = Net(model.plain, Option(backend="reference"))
    outputs: Sequence[str | int] = net.outputs
    found = {}
    with net.extractor(lightmode=False) as ex:
        for name, array in sample.items():
            ex.input_view(name).assign(array.ravel().tolist())
        for output in outputs:
            ex.extract(output)
        for blob in range(net.n_blobs):
            name = str(net.name(blob)).removesuffix(QUANTISED)
            if net.producer(blob) >= 0 and name in right and right[name].size == np.prod(net.shape(blob)):
                kept = ex.extract(blob)
                scale, zero = net.quantisation(blob) or (1, 0)
                elements = np.frombuffer(kept.tobytes(), kept.dtype).astype(np.float64)
                found[name] = scale * (elements - zero)
    return found
