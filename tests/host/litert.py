"""LiteRT's integer kernels as the oracle of the int8 layers.

`run_all(model, inputs)` interprets a TFLite model with the built-in optimised kernels and without a delegate: the
only resolver whose FULLY_CONNECTED is integer arithmetic. Each model gets a process of its own, as interpreting a
second one in the same process has crashed.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

import numpy as np

from host_tools import originals_litert
from host_tools.importers.tflite import model_file

AVAILABLE = find_spec("ai_edge_litert") is not None


def run_all(
    model: bytes, inputs: Sequence[Mapping[int, np.ndarray]], tensors: Sequence[int] | None = None
) -> list[dict[int, np.ndarray]]:
    """For each of `inputs` (values by tensor index), the values of all tensors after the model ran, or of those
    in `tensors`. What it remembers goes from one to the next.
    """
    command = [sys.executable, originals_litert.__file__]
    done = subprocess.run(command, input=_archive(model, inputs, tensors or ()), capture_output=True)
    if done.returncode:
        raise RuntimeError(f"LiteRT could not run the model: {done.stderr.decode(errors='replace')[-2000:]}")
    return _results(done.stdout, len(inputs))


def inputs_of(model: bytes) -> dict[int, tuple[int, ...]]:
    """The shapes of a model's inputs by tensor index."""
    import tflite

    graph = tflite.Model.GetRootAs(model, 0).Subgraphs(0)
    return {int(t): tuple(graph.Tensors(int(t)).ShapeAsNumpy().tolist()) for t in graph.InputsAsNumpy()}


def types_of(model: bytes) -> dict[int, type]:
    """Element types of a model's inputs by tensor index."""
    import tflite

    kinds = {0: np.float32, 2: np.int32, 3: np.uint8, 7: np.int16, 9: np.int8}  # schema: TensorType
    graph = tflite.Model.GetRootAs(model, 0).Subgraphs(0)
    return {int(t): kinds[graph.Tensors(int(t)).Type()] for t in graph.InputsAsNumpy()}


def run_here(model: bytes, inputs: Sequence[Mapping[int, np.ndarray]]) -> list[dict[int, np.ndarray]]:
    """As `run_all`, in this process: only for one that runs no other model."""
    return _results(originals_litert.interpret(_archive(model, inputs, ())), len(inputs))


def _archive(model: bytes, inputs: Sequence[Mapping[int, np.ndarray]], tensors: Sequence[int]) -> bytes:
    content = io.BytesIO()
    arrays = {f"input/{i}/{t}": x for i, values in enumerate(inputs) for t, x in values.items()}
    wanted = np.array(tensors, np.int64)
    np.savez(content, model=np.frombuffer(model, np.uint8), tensors=wanted, sequence=True, **arrays)
    return content.getvalue()


def _results(archived: bytes, count: int) -> list[dict[int, np.ndarray]]:
    results: list[dict[int, np.ndarray]] = [{} for _ in range(count)]
    with np.load(io.BytesIO(archived)) as archive:
        for name in archive.files:
            _, i, t = name.split("/")
            results[int(i)][int(t)] = archive[name]
    return results


def names_of(model: bytes) -> dict[int, str]:
    """Names of a model's tensors by index, as the importer tells them apart."""
    return dict(enumerate(model_file.parse(model, "the model").tensors))
