"""One model on one device: give inputs, extract outputs, measure."""

from __future__ import annotations

import ast
import base64
import binascii
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from ..device import Device, DeviceError, RemoteError
from ..model_file import ArenaFull, ModelFile

_CHUNK = 1536  # bytes of a blob in one line, in both directions: small enough for a board's heap
_LONG = 3600.0  # seconds that a slow backend may take for one inference


@dataclass(frozen=True)
class Measurement:
    """Of one inference on the device."""

    time_us: int
    live_peak: int
    placement: str


class RemoteInference:
    """A model that lies on a device as `path`, loaded there; `model` is the same file here."""

    def __init__(
        self,
        device: Device,
        path: str,
        model: ModelFile,
        *,
        backend: str | None = None,
        lightmode: bool = True,
        outputs: tuple[str | int, ...] | None = None,
        keep: tuple[str | int, ...] = (),
        weights: str | None = None,
        window: int = 0,
    ) -> None:
        self.device = device
        self.model = model
        device.exec((files("host_tools.remote") / "on_device.py").read_text())
        answer = self.call("nn_load", path, backend, weights, window, timeout=_LONG)
        (self.weights_from,) = parsed(b"(" + answer.strip() + b",)", (str,))
        self.open(lightmode=lightmode, outputs=outputs, keep=keep)

    def open(
        self,
        *,
        lightmode: bool = True,
        outputs: tuple[str | int, ...] | None = None,
        keep: tuple[str | int, ...] = (),
    ) -> None:
        """A new extractor in place of the one before. ArenaFull, or a RemoteError, where the device lacks memory."""
        answer = self.call("nn_open", lightmode, outputs, keep, timeout=_LONG)
        self.backend, self.arena_size = parsed(answer, (str, int))
        # With whole tensors no input is given by rows.
        self._streams = lightmode and outputs is None and not keep

    def reset(self) -> None:
        self.call("nn_reset")

    def reset_state(self) -> None:
        """`reset`, and forget what recurrent layers remember."""
        self.call("nn_reset_state")

    def input(self, name: str | int, array: np.ndarray) -> None:
        """Send an input of the blob's shape. ValueError or KeyError, before anything is sent, where it does not fit."""
        self._give(name, self.model.storage(name, array))

    def elements(self, name: str | int, array: np.ndarray, rows_to: str = "nn_feed") -> None:
        """Send an input as its elements, without the preprocessing that the file may have; rows of one that is fed go
        to that function on the device."""
        self._give(name, self.model.elements(name, array), rows_to)

    def _give(self, name: str | int, storage: bytes, rows_to: str = "nn_feed") -> None:
        row = self.model.fed_row_bytes(name) if self._streams else 0
        if row:
            step = max(1, _CHUNK // row) * row
            for start in range(0, len(storage), step):
                self.call(rows_to, name, storage[start : start + step], timeout=_LONG)
            return
        for start in range(0, len(storage), _CHUNK):
            self.call("nn_give", name, start, storage[start : start + _CHUNK])

    def infer(self, *names: str | int) -> Measurement:
        """Run what these blobs need. ArenaFull where the device's arena is too small."""
        return Measurement(*parsed(self.call("nn_infer", names, timeout=_LONG), (int, int, str)))

    def heap(self, *names: str | int) -> int | None:
        """Like `infer`, but with the collector off: bytes by which the heap grew, None where it is too small."""
        answer = self.call("nn_heap", names, timeout=_LONG)
        return None if answer.strip() == b"None" else int(parsed(b"(" + answer.strip() + b",)", (int,))[0])

    def output(self, name: str | int) -> np.ndarray:
        """A blob's elements, fetched from the device."""
        data = bytearray()
        for line in self.call("nn_take", name, _CHUNK, timeout=_LONG).split():
            data += _decoded(line, name)
        try:
            return self.model.array(name, bytes(data))
        except ValueError as error:
            raise DeviceError(f"what the device sent does not fit the model: {error}") from None

    def golden(self) -> int:
        """How many golden vectors the file on the device has; a RemoteError (ModelError) for damaged weights."""
        return int(parsed(self.call("nn_golden", timeout=_LONG), (int,))[0])

    def golden_vector(self, vector: int) -> list[tuple[float, float]]:
        """Run one on the device: for each output the largest difference, and the largest allowed."""
        lines = self.call("nn_golden_vector", vector, timeout=_LONG).splitlines()
        found = [parsed(line, (str, str)) for line in lines]
        try:
            numbers = [(float(worst), float(allowed)) for worst, allowed in found]
        except ValueError:
            numbers = []
        if len(numbers) != len(self.model.net.outputs):
            raise DeviceError(f"the device answered {lines[:4]!r}, which is no comparison of this model's outputs")
        return numbers

    def call(self, function: str, *arguments: object, timeout: float = 60.0) -> bytes:
        """Call a function of the program on the device; what it printed. ArenaFull where that was raised."""
        try:
            return self.device.exec(f"{function}({', '.join(map(repr, arguments))})", timeout=timeout)
        except RemoteError as error:
            if error.kind == "ArenaFull":
                raise ArenaFull(str(error)) from error
            raise


def _decoded(line: bytes, name: str | int) -> bytes:
    """A line of base64; DeviceError unless it is exactly what encoding gives."""
    try:
        data = base64.b64decode(line, validate=True)
    except binascii.Error:
        data = b""
    if base64.b64encode(data) != line:
        raise DeviceError(f"what the device sent for blob {name} is damaged: {line[:40]!r}")
    return data


def parsed(answer: bytes, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """The device's printed tuple, checked: what it says is not to be trusted."""
    try:
        values = ast.literal_eval(answer.decode().strip())
        if isinstance(values, tuple) and tuple(map(type, values)) == kinds:
            return values
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    raise DeviceError(f"the device answered {answer[:200]!r}, which makes no sense here")
