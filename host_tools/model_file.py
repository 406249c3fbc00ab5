"""An `.nnm` file as the host sees it: checked by the engine's own reader, described in numbers and numpy arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nnmicro import ArenaFull, ModelError, Net, Option
from nnmicro import format as f
from nnmicro.blob import Blob
from nnmicro.elements import Memory
from nnmicro.port import F32, I32, typed
from nnmicro.sections import section, texts
from nnmicro.selftest import Vectors
from nnmicro.type_names import TYPE_NAMES

from .packing import packed_layers, unpack
from .packing.cores import DSP, NAMES
from .samples import Specification

__all__ = ["ArenaFull", "ModelError", "ModelFile"]


_CONVOLUTIONS = ("convolution", "convolution_int8", "depthwise_int8")
_INNER_PRODUCTS = ("inner_product", "inner_product_int8")


class ModelFile:
    """A model file in memory. Raises ModelError for one that is damaged, weights included.

    `data` is the file, as a device gets it. Where it is packed for a core, `plain` is the same with weights that every
    engine runs; `net`, and all that is told of layers, is that.
    """

    def __init__(self, data: bytes, name: str = "model") -> None:
        self.data = data
        self.name = name
        self.plain = unpack(data)
        self.net = Net(self.plain, Option(backend="reference"))
        self.net.check_weights()
        self.packed, self.packable = packed_layers(data)  # layers
        # What a device has to have kernels of.
        self.kinds = sorted(set(texts(data, section(_words(data), f.OPS), "ops")) - {"share"})
        self.golden = int(Vectors(self.net).count) if section(self.net.words, f.GOLDEN)[0] else 0

    @classmethod
    def read(cls, path: Path) -> ModelFile:
        return cls(path.read_bytes(), path.name)

    # Blobs between numpy and the engine's storage

    def storage(self, name: str | int, array: np.ndarray) -> bytes:
        """An array, of the blob's shape, as the bytes that the engine has in memory for it.

        What it may hold is what `ex.input` takes: real values, elements, or bytes for an input with preprocessing.
        Raises ValueError where shape or type do not fit, KeyError for an unknown name.
        """
        blob = self._blob(name)
        blob.assign(np.ascontiguousarray(array))
        return bytes(blob.view())

    def elements(self, name: str | int, array: np.ndarray) -> bytes:
        """Like `storage` for an array of the blob's own elements, whatever preprocessing an application's data gets."""
        blob = self._blob(name)
        if array.shape != blob.shape or str(array.dtype) != blob.dtype:
            raise ValueError(
                f"blob {name} holds {blob.dtype} of shape {blob.shape}, {array.dtype} of shape {array.shape} were given"
            )
        blob.assign_bytes(array.tobytes())
        return bytes(blob.view())

    def specification(self, name: str | int) -> Specification:
        """What a blob holds."""
        scale, zero = self.net.quantisation(name) or (None, 0)
        return Specification(tuple(self.net.shape(name)), np.dtype(self._blob(name).dtype), scale, zero)

    def array(self, name: str | int, storage: bytes) -> np.ndarray:
        """The engine's bytes for a blob as an array of its shape."""
        blob = self._blob(name)
        if len(storage) != blob.nbytes:
            raise ValueError(f"blob {name} has {blob.nbytes} bytes, {len(storage)} came")
        blob.view()[:] = storage
        elements: np.ndarray = np.frombuffer(blob.tobytes(), blob.dtype)
        elements.shape = blob.shape
        return elements

    def nbytes(self, name: str | int) -> int:
        return int(self._blob(name).nbytes)

    def _blob(self, name: str | int) -> Blob:
        index = self.net.index(name)
        return Blob(self.net, index, Memory(self.net.words[self.net.record(index) + f.B_BYTES]))

    def fed_row_bytes(self, name: str | int) -> int:
        """Bytes of a row of an input that is given by rows; 0 for any other blob."""
        net = self.net
        fed = net.words[net.steps_at + f.T_FED] if net.steps_at else 0
        inputs = [net.words[net.io_at + number] for number in range(net.n_inputs)]
        index = net.index(name)
        if index not in inputs or not fed >> inputs.index(index) & 1:
            return 0
        return int(net.words[net.record(index) + f.B_RSTEP])

    def streaming(self) -> dict[str, Any] | None:
        """How a streamed model runs; None for one of whole tensors.

        Kernel calls, inputs that are fed, and for each blob where it lies in the frame and how many rows are held.
        """
        net, w = self.net, self.net.words
        if not net.steps_at:
            return None
        places = net.steps_at + f.STEPS_HEADER_WORDS
        blobs = []
        for blob in range(net.n_blobs):
            record = net.record(blob)
            offset, rows = w[places + f.PLACE_WORDS * blob], w[places + f.PLACE_WORDS * blob + 1]
            whole = rows == w[record + f.B_H]
            nbytes = w[record + f.B_BYTES] if whole else rows * w[record + f.B_RSTEP]
            blobs.append({"offset": offset, "bytes": nbytes, "rows": rows})
        return {
            "calls": sum(layer >= 0 for layer, _, _ in self.steps()),
            "fed": [name for name in net.inputs if self.fed_row_bytes(name)],
            "blobs": blobs,
        }

    def steps(self) -> list[tuple[int, int, int]]:
        """Of a streamed model: layer (-1 minus the number of an input that is fed), first row, rows of each step."""
        net, w = self.net, self.net.words
        at = net.steps_at + f.STEPS_HEADER_WORDS + f.PLACE_WORDS * net.n_blobs + f.STATE_WORDS * net.n_layers
        count = w[net.steps_at + f.T_STEPS] if net.steps_at else 0
        return [(w[i], w[i + 1], w[i + 2]) for i in range(at, at + f.STEP_WORDS * count, f.STEP_WORDS)]

    # What it says about itself

    def describe(self) -> dict[str, Any]:
        """The object that `nnmicro info --json` prints."""
        net = self.net
        return {
            "layers": net.n_layers,
            "macs": sum(self.layer_macs(i) for i in range(net.n_layers)),
            "weights_bytes": section(_words(self.data), f.WEIGHTS)[1],
            "file_bytes": len(self.data),
            "packing": self._packing(),
            "inputs": [self._io(name) for name in net.inputs],
            "outputs": [self._io(name) for name in net.outputs],
            "labels": list(net.labels),
            "golden": self.golden,
            "preprocessing": self.preprocessing(),
            "arena": {
                "size": net.arena_size,
                "live_peak": net.live_peak,
                "lower_bound": net.lower_bound,
                "lightmode_off": net.lightmode_off_size,
            },
            "streaming": self._streaming(),
        }

    def _packing(self) -> dict[str, Any] | None:
        """None for weights that every core reads."""
        return {"cores": NAMES[DSP], "layers": self.packed, "of": self.packable} if self.packed else None

    def _streaming(self) -> dict[str, Any] | None:
        found = self.streaming()
        return {"calls": found["calls"], "fed": found["fed"]} if found else None

    def preprocessing(self) -> dict[str, dict[str, list[float]]]:
        """Means and scales of the inputs that take bytes."""
        net, found = self.net, {}
        for i in range(net.words[net.preprocessing_at] if net.preprocess else 0):
            r = net.preprocessing_at + 1 + i * f.PREPROCESSING_WORDS
            count = net.words[r + f.R_FACTORS]
            first = net.preprocessing_at + net.words[r + f.R_VALUES]
            values = net.view(F32)[first : first + 2 * count].tolist()
            found[str(net.name(net.words[r + f.R_BLOB]))] = {"mean": values[:count], "scale": values[count:]}
        return found

    def _io(self, name: str | int) -> dict[str, Any]:
        net = self.net
        quantisation = net.quantisation(name)
        type_word = net.words[net.record(net.index(name)) + f.B_TYPE]
        return {
            "name": name,
            "shape": list(net.shape(name)),
            "dtype": TYPE_NAMES[type_word & 0xFF],
            "scale": quantisation[0] if quantisation else None,
            "zero_point": quantisation[1] if quantisation else None,
            "layout": "planar" if type_word & 0xFF == F32 else "interleaved",
        }

    def layer_op(self, layer: int) -> str:
        """What a layer computes."""
        net = self.net
        return str(net.op_names[net.words[net.layers_at + layer * f.LAYER_WORDS + f.L_OP]])

    def layer_macs(self, layer: int) -> int:
        """Multiply-accumulates of one inference: output elements times the weights that each of them uses."""
        net, w = self.net, self.net.words
        r = net.layers_at + layer * f.LAYER_WORDS
        operands = net.operands_at + w[r + f.L_OPERANDS]
        op = self.layer_op(layer)
        if op not in _CONVOLUTIONS + _INNER_PRODUCTS:
            return 0
        weights = w[net.record(w[operands + 1]) + f.B_W]
        out = net.record(w[operands + w[r + f.L_INPUTS]])
        if op in _CONVOLUTIONS:
            return int(weights * w[out + f.B_H] * w[out + f.B_W])
        rows = w[net.record(w[operands]) + f.B_H] if w[out + f.B_H] > 1 else 1
        return int(weights * rows * w[out + f.B_C])


def _words(data: bytes) -> Any:
    return typed(data, I32, len(data))
