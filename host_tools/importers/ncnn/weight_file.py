"""Reads ncnn's weights, `.bin`: sections in the order of the layers, each with a tag that says its encoding,
or raw.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from host_tools.graph import ConversionError

TAG_FLOAT32 = 0
TAG_FLOAT32_SCALED = 0x0002C056
TAG_FLOAT16 = 0x01306B47
TAG_INT8 = 0x000D4B38
CODEBOOK_ENTRIES = 256


@dataclass(frozen=True)
class Section:
    """One piece of the file."""

    name: str
    count: int
    tagged: bool  # whether a tag says its encoding; else raw float32
    int8: bool = False  # whether it may be int8
    blank: float = 0.0  # what stands in its place where only the graph matters


class WeightSource(Protocol):
    def take(self, section: Section, what: str) -> np.ndarray:
        """The next section, of the layer `what`: float32, or int8."""


# More weights than any layer of a network for boards has; a damaged count must not exhaust the host.
_MAX_COUNT = 1 << 28


def _check_count(count: int, what: str) -> None:
    if not 0 < count <= _MAX_COUNT:
        raise ConversionError(f"{what} cannot have {count} weights")


class ZeroWeights:
    """Stands in for a file where only the graph matters."""

    def take(self, section: Section, what: str) -> np.ndarray:
        _check_count(section.count, what)
        return np.full(section.count, section.blank, dtype=np.float32)


class WeightFile:
    """Sections of a `.bin` file, one after the other; raises ConversionError where it ends early."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._data = path.read_bytes()
        except OSError as problem:
            raise ConversionError(f"{path}: the file of weights cannot be read ({problem.strerror})") from problem
        self._offset = 0

    @property
    def left(self) -> int:
        """Bytes that nobody has taken."""
        return len(self._data) - self._offset

    def take(self, section: Section, what: str) -> np.ndarray:
        count = section.count
        _check_count(count, what)
        if not section.tagged:
            return self._array(np.dtype("<f4"), count, what)
        tag = int(self._array(np.dtype("<u4"), 1, what)[0])
        if tag == TAG_FLOAT16:
            return self._array(np.dtype("<f2"), count, what).astype(np.float32)
        if tag == TAG_INT8 and section.int8:
            return self._array(np.dtype("i1"), count, what)
        if tag == TAG_INT8:
            raise ConversionError(
                f"{self._path.name}: {what} has int8 weights, which are not supported here; convert the float32 model"
            )
        if tag in (TAG_FLOAT32, TAG_FLOAT32_SCALED):
            return self._array(np.dtype("<f4"), count, what)
        # ncnn takes a codebook for every other tag
        codebook = self._array(np.dtype("<f4"), CODEBOOK_ENTRIES, what)
        return np.take(codebook, self._array(np.dtype("u1"), count, what))

    def _array(self, dtype: np.dtype, count: int, what: str) -> np.ndarray:
        size = count * dtype.itemsize
        padded = (size + 3) // 4 * 4
        if padded > self.left:
            raise ConversionError(
                f"{self._path.name}: the file of weights ends early: {what} needs {padded} bytes at offset "
                f"{self._offset}, and {self.left} are left. Does it belong to this .param file?"
            )
        array = np.frombuffer(self._data, dtype, count, self._offset)
        self._offset += padded
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise ConversionError(f"{self._path.name}: {what} has weights that are not numbers (NaN)")
        return np.asarray(array, dtype.newbyteorder("="))
