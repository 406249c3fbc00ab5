"""What a model's input does with the bytes that an application has: real = (byte - mean) * scale."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnmicro import format as f
from nnmicro.port import F32, I8, U8

from .graph import ConversionError
from .layout import Blob, Program

_RANGES = {I8: (-128, 127), U8: (0, 255)}


@dataclass(frozen=True)
class Preprocessing:
    """One mean and scale for all elements, or one for each channel; a single one goes with any number of the other."""

    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)


def section(program: Program, wanted: Mapping[str, Preprocessing]) -> bytes:
    """The content of the PREPROCESSING section. Raises ConversionError for what does not fit an input."""
    records: list[int] = [len(wanted)]
    values = b""
    start = 1 + f.PREPROCESSING_WORDS * len(wanted)
    for name, preprocessing in wanted.items():
        index = next((i for i in program.inputs if program.blobs[i].name == name), None)
        if index is None:
            inputs = ", ".join(program.blobs[i].name for i in program.inputs)
            raise ConversionError(f"preprocessing is given for {name!r}, which is no input; the inputs are {inputs}")
        blob = program.blobs[index]
        mean, scale = _factors(blob, preprocessing)
        records += [index, f.KIND_BYTES, len(mean), start + len(values) // 4]
        values += struct.pack(f"<{2 * len(mean)}f", *mean, *scale)
        if blob.dtype != F32:
            values += b"".join(_table(blob, m, s) for m, s in zip(mean, scale, strict=True))
    return struct.pack(f"<{len(records)}i", *records) + values


def _factors(blob: Blob, preprocessing: Preprocessing) -> tuple[np.ndarray, np.ndarray]:
    mean, scale = preprocessing.mean, preprocessing.scale
    count = max(len(mean), len(scale))
    channels = blob.storage.c
    for factors in (mean, scale):
        if len(factors) not in (1, count) or count not in (1, channels):
            raise ConversionError(
                f"input {blob.name} has {channels} channels: give one mean and scale, or {channels} of them; "
                f"{len(mean)} means and {len(scale)} scales were given"
            )
    if not all(math.isfinite(v) and abs(v) < 1e30 for v in (*mean, *scale)) or not np.array(scale, np.float32).all():
        raise ConversionError(f"the means and scales of input {blob.name} have to be finite, the scales not 0")
    if blob.dtype not in (F32, *_RANGES) or (blob.dtype != F32 and blob.quantisation is None):
        raise ConversionError(f"input {blob.name} is of a type that bytes cannot be turned into")
    first, second = (np.broadcast_to(np.array(factors, np.float32), count) for factors in (mean, scale))
    return first, second


def _table(blob: Blob, mean: np.float32, scale: np.float32) -> bytes:
    """The element for each byte: what the engine makes of the real value, in float32."""
    assert blob.quantisation is not None
    real = (np.arange(256, dtype=np.float32) - mean) * scale
    zero = int(np.ravel(blob.quantisation.zero_points)[0])
    steps = (real / np.float32(np.ravel(blob.quantisation.scales)[0])).astype(np.float64)
    low, high = _RANGES[blob.dtype]
    nearest = np.trunc(steps + np.copysign(0.5, steps)) + zero  # half away from zero; float64 holds the sum exactly
    return bytes(np.clip(nearest, low, high).astype(np.int16).astype(np.uint8 if blob.dtype == U8 else np.int8))
