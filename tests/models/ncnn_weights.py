"""Writes random weights for a `.param` file whose layers can be imported, in each encoding of ncnn.

Those of int8 layers are int8 or, for ncnn to round, float32.
"""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np

from host_tools.importers.ncnn.operators import TABLE
from host_tools.importers.ncnn.param_file import ParamLayer, read_param
from host_tools.importers.ncnn.weight_file import CODEBOOK_ENTRIES, TAG_FLOAT16, TAG_FLOAT32, TAG_INT8, Section

ENCODINGS = ("fp32", "fp16", "codebook")
# The byte sum of a codebook's tag only has to differ from 0; this is what ncnn's own converter wrote.
_TAG_CODEBOOK = 0x01


def write_random_weights(param: Path, binary: Path, encoding: str = "fp32", seed: int = 0) -> None:
    """One section after the other; tagged ones in `encoding`, the others raw. Layers without weights are
    skipped.
    """
    random = np.random.default_rng(seed)
    with binary.open("wb") as file:
        for layer in read_param(param).layers:
            for section in TABLE[layer.kind].weights(layer) if layer.kind in TABLE else []:
                if section.int8 and random.integers(2):
                    integers = random.integers(-127, 128, section.count).astype("i1")
                    file.write(TAG_INT8.to_bytes(4, "little") + _padded(integers.tobytes()))
                    continue
                weights = _random_weights(random, layer, section)
                file.write(_encoded(weights, encoding) if section.tagged else weights.tobytes())


def _random_weights(random: np.random.Generator, layer: ParamLayer, section: Section) -> np.ndarray:
    """He initialisation, so that values keep their size from layer to layer."""
    if section.tagged:
        outputs = layer.params.get(0)
        fan_in = section.count / max(outputs if isinstance(outputs, int) else 1, 1)
        rectified = layer.kind != "InnerProduct" and layer.integer(9, 0)  # half of the values are lost
        values = random.normal(0.0, sqrt((2.0 if rectified else 1.0) / fan_in), section.count)
    elif section.name.endswith(" scale"):
        values = random.uniform(0.7, 1.3, section.count) * _usual_scale(layer, section.name)
    elif section.name in ("variance", "slope", "scale"):
        values = random.uniform(0.5, 1.5, section.count)
    else:
        values = random.normal(0.0, 0.1, section.count)
    return values.astype("<f4")


def _usual_scale(layer: ParamLayer, name: str) -> float:
    """Of int8 numbers: what they stand for is below 1 or a little above, for weights what He's rule says."""
    if name != "weight scale":
        return 110.0 if name == "input scale" else 50.0
    fan_in = layer.integer(2 if layer.kind == "InnerProduct" else 6, 1) / max(layer.integer(0, 1), 1)
    return 73.0 * sqrt(fan_in)


def _encoded(weights: np.ndarray, encoding: str) -> bytes:
    if encoding == "fp32":
        return TAG_FLOAT32.to_bytes(4, "little") + weights.tobytes()
    if encoding == "fp16":
        return TAG_FLOAT16.to_bytes(4, "little") + _padded(weights.astype("<f2").tobytes())
    if encoding != "codebook":
        raise ValueError(f"no encoding {encoding!r}; there are {', '.join(ENCODINGS)}")
    codebook = np.linspace(weights.min(), weights.max(), CODEBOOK_ENTRIES, dtype="<f4")
    step = max(float(codebook[1] - codebook[0]), 1e-30)
    indices = np.clip(np.rint((weights - codebook[0]) / step), 0, CODEBOOK_ENTRIES - 1).astype("u1")
    return _TAG_CODEBOOK.to_bytes(4, "little") + codebook.tobytes() + _padded(indices.tobytes())


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
