"""The calibration set: typical inputs of a model, from arrays, an `.npz` file or a folder of `.npy` files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from host_tools.graph import ConversionError

Shape = tuple[int, ...]
Source = str | Path | Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Calibration:
    """`arrays`: for each input of the model float32 (n, *its shape)."""

    arrays: dict[str, np.ndarray]

    def __len__(self) -> int:
        return min((len(array) for array in self.arrays.values()), default=0)

    def sample(self, i: int) -> dict[str, np.ndarray]:
        """What the model is given in run `i`."""
        return {name: array[i] for name, array in self.arrays.items()}


def load_calibration(source: Source, shapes: Mapping[str, Shape]) -> Calibration:
    """The calibration set for a model with these inputs.

    source: arrays by the inputs' names, an `.npz` file of such arrays, or a folder of `.npy` files. An array
    is (n, ...) or a single input; leading axes of size 1 may be left out. Files are named after their input
    (`image.npy`, `image_001.npy`); for a model with one input any names do, and of several arrays the one
    that fits is taken.

    Raises ConversionError for missing inputs, shapes that do not fit, and an empty set.
    """
    where = "the calibration set" if isinstance(source, Mapping) else str(source)
    if isinstance(source, Mapping):
        found = {name: [np.asarray(array)] for name, array in source.items()}
    else:
        found = _read(Path(source))
    if not found:
        raise ConversionError(f"{where} is empty: it has no arrays")
    arrays = {name: _of_input(name, shape, found, len(shapes), where) for name, shape in shapes.items()}
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        stated = ", ".join(f"{count} of {name}" for name, count in counts.items())
        raise ConversionError(f"{where} has {stated}; every input needs as many as the others")
    if not all(counts.values()):
        raise ConversionError(f"{where} is empty: its arrays have no elements")
    return Calibration(arrays)


def _read(path: Path) -> dict[str, list[np.ndarray]]:
    """Arrays by the names they have in an archive, or by their files' names."""
    if path.is_dir():
        files = sorted(path.glob("*.npy"))
        if not files:
            raise ConversionError(f"{path} has no .npy files")
        return {file.stem: [_array(file)] for file in files}
    if path.suffix.lower() not in (".npz", ".npy"):
        raise ConversionError(f"{path}: a calibration set is an .npz file or a folder of .npy files")
    if not path.is_file():
        raise ConversionError(f"{path}: no such file")
    if path.suffix.lower() == ".npy":
        return {path.stem: [_array(path)]}
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: [archive[name]] for name in archive.files}
    except (ValueError, OSError, EOFError, BadZipFile) as problem:
        raise ConversionError(f"{path}: not a readable .npz file ({problem})") from problem


def _array(path: Path) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as problem:
        raise ConversionError(f"{path}: not a readable .npy file ({problem})") from problem
    if not isinstance(array, np.ndarray):
        raise ConversionError(f"{path}: an archive of arrays, expected a single array")
    return array


def _of_input(name: str, shape: Shape, found: Mapping[str, list[np.ndarray]], inputs: int, where: str) -> np.ndarray:
    """All samples for one input: (n, *shape)."""
    mine = [array for key, arrays in found.items() if _belongs(key, name) for array in arrays]
    if not mine and inputs == 1:
        fitting = {key: arrays for key, arrays in found.items() if all(_fits(a, shape) for a in arrays)}
        numbered = len({re.sub(r"\d+", "", key) for key in fitting}) == 1
        if len(found) == 1:
            mine = next(iter(found.values()))  # its shape is complained about below
        elif len(fitting) == 1 or (fitting and numbered):
            mine = [array for arrays in fitting.values() for array in arrays]
    if not mine:
        have = ", ".join(f"{key} {arrays[0].shape}" for key, arrays in list(found.items())[:8])
        raise ConversionError(f"{where} has nothing for the input {name!r} of shape {shape}; it has {have}")
    for array in mine:
        if array.dtype.kind not in "fiub":
            raise ConversionError(f"{where}: an array of {array.dtype} for the input {name!r}; expected are numbers")
        if not _fits(array, shape):
            raise ConversionError(
                f"{where}: an array of shape {array.shape} for the input {name!r}; expected is {shape}, or "
                f"n of them as ({', '.join(['n', *map(str, shape)])})"
            )
    samples = np.concatenate([array.reshape(-1, *shape).astype(np.float32) for array in mine])
    if not np.isfinite(samples).all():
        raise ConversionError(f"{where}: infinities or NaNs among the numbers for the input {name!r}")
    return samples


def _belongs(key: str, name: str) -> bool:
    """Whether an array or file `key` is one for the input `name`, perhaps with a number behind."""
    plain = re.sub(r"\W", "_", name)
    return key == name or re.fullmatch(rf"{re.escape(plain)}([_\-.]?\d+)?", key) is not None


def _fits(array: np.ndarray, shape: Shape) -> bool:
    """Whether it is one input or n of them, with or without leading axes of size 1."""
    inner = _without_leading_ones(shape)
    given = array.shape
    if _without_leading_ones(given) == inner:
        return True
    if len(given) <= len(inner) or given[len(given) - len(inner) :] != inner:
        return False
    middle = given[1 : len(given) - len(inner)]
    return all(size == 1 for size in middle)


def _without_leading_ones(shape: Shape) -> Shape:
    first = next((i for i, size in enumerate(shape) if size != 1), len(shape))
    return shape[first:]
