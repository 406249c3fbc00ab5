"""Golden vectors: inputs, and what the original model's own runtime gives for them, for a device's self-test."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .graph import ConversionError, Graph
from .layout import DTYPES, Program
from .originals import run_samples
from .samples import Arrays, Specification, load_samples, random_samples


@dataclass
class Golden:
    """How many vectors, and where their inputs come from: a file, or random values from the seed."""

    count: int = 0
    seed: int = 0
    inputs: Path | None = None


@dataclass
class Vector:
    """One set of inputs, and the outputs that belong to it."""

    inputs: Arrays
    outputs: Arrays


def make_vectors(
    model: Path, weights: Path | None, graph: Graph, golden: Golden, done: Callable[[], None] | None = None
) -> list[Vector]:
    """Run the original. Raises ConversionError where its outputs cannot be what the engine's are compared with."""
    if model.suffix == ".onnx" and any(blob.dtype != np.float32 for blob in graph.blobs()):
        raise ConversionError(
            f"{model.name} is quantised: onnxruntime computes it in floats and may round a step away from integer "
            "kernels, so its answers are no golden vectors. Those of a TFLite model are"
        )
    specs = {name: _specification(graph, name) for name in graph.inputs}
    samples = load_samples(golden.inputs, specs) if golden.inputs else random_samples(specs, golden.count, golden.seed)
    if golden.inputs and golden.count:
        if golden.count > len(samples):
            raise ConversionError(f"{golden.inputs.name} holds {len(samples)} samples, {golden.count} were asked for")
        samples = samples[: golden.count]
    found = run_samples(model, weights, samples, graph.outputs, done)
    for outputs in found:
        for name, array in outputs.items():
            spec = _specification(graph, name)
            if array.shape != spec.shape or array.dtype != spec.dtype:
                raise ConversionError(
                    f"output {name}: the original gives {array.dtype} of shape {array.shape}, the converted model "
                    f"{spec.dtype} of shape {spec.shape}; golden vectors cannot compare them"
                )
            if array.dtype == np.float32 and not np.isfinite(array).all():
                raise ConversionError(
                    f"output {name}: the original gives values that are not finite for a golden vector; give inputs "
                    "like real ones with --golden-inputs FILE.npz"
                )
    return [Vector(inputs, outputs) for inputs, outputs in zip(samples, found, strict=True)]


def _specification(graph: Graph, name: str) -> Specification:
    tensor = graph.tensor(name)
    quantisation = tensor.quantisation
    if quantisation is None:
        return Specification(tensor.shape, tensor.dtype)
    scale, zero = np.ravel(quantisation.scales)[0], np.ravel(quantisation.zero_points)[0]
    return Specification(tensor.shape, tensor.dtype, float(scale), int(zero))


def section(program: Program, vectors: list[Vector]) -> bytes:
    """The content of the GOLDEN section, whose layout `nnmicro/selftest.py` defines."""
    data = bytearray(struct.pack("<i", len(vectors)))
    for vector in vectors:
        for indices, arrays in ((program.inputs, vector.inputs), (program.outputs, vector.outputs)):
            for index in indices:
                data += _elements(program, index, arrays)
    return bytes(data)


def _elements(program: Program, index: int, arrays: Mapping[str, np.ndarray]) -> bytes:
    blob = program.blobs[index]
    array = np.ascontiguousarray(arrays[blob.name])
    if DTYPES[array.dtype] != blob.dtype or array.size != int(np.prod(blob.shape)):
        raise ConversionError(
            f"blob {blob.name}: conversion changed its type or size; golden vectors cannot compare it"
        )
    data = array.tobytes()
    return data + bytes(-len(data) % 4)
