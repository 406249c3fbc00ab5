"""Inputs to compare runtimes with: random ones from a seed, or those of a file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Specification:
    """What an input or output holds: elements of this type in the source's shape; integers may have a scale."""

    shape: tuple[int, ...]
    dtype: np.dtype
    scale: float | None = None
    zero_point: int = 0


def random_samples(inputs: Mapping[str, Specification], count: int, seed: int) -> list[Arrays]:
    """Uniform values: between -1 and 1 for floats, every value that the type has for integers; 0 and 1 for indices
    (int32 without a scale), which are in any table.
    """
    random = np.random.default_rng(seed)
    return [{name: _random(random, spec) for name, spec in inputs.items()} for _ in range(count)]


def _random(random: np.random.Generator, spec: Specification) -> np.ndarray:
    if spec.dtype == np.float32:
        return random.uniform(-1, 1, spec.shape).astype(np.float32)
    if spec.dtype == np.int32 and spec.scale is None:
        return random.integers(0, 2, spec.shape, np.int32)
    limits = np.iinfo(spec.dtype)
    return random.integers(limits.min, limits.max, spec.shape, spec.dtype, endpoint=True)


def load_samples(path: Path, inputs: Mapping[str, Specification]) -> list[Arrays]:
    """The samples of an `.npz` file: for each input an array of its shape, or several along a first axis.

    Floats for an integer input are real values, which are quantised. Raises ValueError for what does not fit.
    """
    given: Arrays = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            given = {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, ValueError, TypeError, AttributeError) as problem:
        raise ValueError(f"{path.name} is not a file of arrays (numpy.savez makes one): {problem}") from None
    if set(given) != set(inputs):
        raise ValueError(f"{path.name} holds {', '.join(given) or 'nothing'}; the inputs are {', '.join(inputs)}")
    each = {name: _split(path.name, name, array, inputs[name]) for name, array in given.items()}
    counts = {len(arrays) for arrays in each.values()}
    if len(counts) != 1 or counts == {0}:
        found = ", ".join(f"{name} {len(arrays)}" for name, arrays in each.items())
        raise ValueError(f"{path.name} has to hold as many samples of each input, and at least one; it holds {found}")
    return [{name: arrays[i] for name, arrays in each.items()} for i in range(counts.pop())]


def _split(file: str, name: str, array: np.ndarray, spec: Specification) -> list[np.ndarray]:
    one = spec.shape
    batch = one[1:] if one[:1] == (1,) else None  # samples stacked along the source's own batch axis
    if array.shape != one and array.shape[1:] not in (one, batch):
        raise ValueError(f"{file}: {name} has shape {array.shape}; one sample of it has {one}")
    return [_elements(file, name, sample, spec) for sample in array.reshape(-1, *one)]


def _elements(file: str, name: str, array: np.ndarray, spec: Specification) -> np.ndarray:
    if array.dtype == spec.dtype:
        return array
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{file}: {name} is {array.dtype}; numbers are expected")
    if spec.dtype == np.float32:
        return array.astype(np.float32)
    if spec.dtype == np.int32 and array.dtype.kind in "iu":
        return array.astype(np.int32)
    if array.dtype.kind != "f" or spec.scale is None:
        raise ValueError(f"{file}: {name} is {array.dtype}; {spec.dtype} or real values are expected")
    steps = (array.astype(np.float32) / np.float32(spec.scale)).astype(np.float64)
    limits = np.iinfo(spec.dtype)
    nearest = np.trunc(steps + np.copysign(0.5, steps)) + spec.zero_point
    elements: np.ndarray = np.clip(nearest, limits.min, limits.max).astype(spec.dtype)
    return elements


def real_values(array: np.ndarray, spec: Specification) -> np.ndarray:
    """What integers with a scale stand for, in float32; other arrays as they are."""
    if spec.scale is None or array.dtype.kind not in "iu":
        return array
    reals: np.ndarray = ((array.astype(np.int64) - spec.zero_point) * np.float64(spec.scale)).astype(np.float32)
    return reals
