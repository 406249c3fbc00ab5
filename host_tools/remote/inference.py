"""One model on one device: give inputs, extract outputs, measure."""

from __future__ import annotations

import ast
import binascii
from dataclasses import dataclass
from importlib.resources import files

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
    ) -> None:
        self.device = device
        self.model = model
        device.exec((files("host_tools.remote") / "on_device.py").read_text())
        answer = self._call("nn_load", path, backend, lightmode, outputs, keep, timeout=_LONG)
        self.backend, self.arena_size = _parsed(answer, (str, int))

    def reset(self) -> None:
        self._call("nn_reset")

    def input(self, name: str | int, array: np.ndarray) -> None:
        """Send an input of the blob's shape. ValueError or KeyError, before anything is sent, where it does not fit."""
        self._give(name, self.model.storage(name, array))

    def _give(self, name: str | int, storage: bytes) -> None:
        for start in range(0, len(storage), _CHUNK):
            self._call("nn_give", name, start, storage[start : start + _CHUNK])

    def infer(self, *names: str | int) -> Measurement:
        """Run what these blobs need. ArenaFull where the device's arena is too small."""
        return Measurement(*_parsed(self._call("nn_infer", names, timeout=_LONG), (int, int, str)))

    def heap(self, *names: str | int) -> int | None:
        """Like `infer`, but with the collector off: bytes by which the heap grew, None where it is too small to tell."""
        answer = self._call("nn_heap", names, timeout=_LONG)
        return None if answer.strip() == b"None" else int(_parsed(b"(" + answer.strip() + b",)", (int,))[0])

    def output(self, name: str | int) -> np.ndarray:
        """A blob's elements, fetched from the device."""
        data = bytearray()
        for line in self._call("nn_take", name, _CHUNK, timeout=_LONG).split():
            try:
                data += binascii.a2b_base64(line, strict_mode=True)
            except binascii.Error:
                raise DeviceError(f"what the device sent for blob {name} is damaged: {line[:40]!r}") from None
        try:
            return self.model.array(name, bytes(data))
        except ValueError as error:
            raise DeviceError(f"what the device sent does not fit the model: {error}") from None

    def _call(self, function: str, *arguments: object, timeout: float = 60.0) -> bytes:
        try:
            return self.device.exec(f"{function}({', '.join(map(repr, arguments))})", timeout=timeout)
        except RemoteError as error:
            if error.kind == "ArenaFull":
                raise ArenaFull(str(error)) from error
            raise


def _parsed(answer: bytes, kinds: tuple[type, ...]) -> tuple:  # type: ignore[type-arg]
    """The device's printed tuple, checked: what it says is not to be trusted."""
    try:
        values = ast.literal_eval(answer.decode().strip())
        if isinstance(values, tuple) and tuple(map(type, values)) == kinds:
            return values
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    raise DeviceError(f"the device answered {answer[:200]!r}, which makes no sense here")
