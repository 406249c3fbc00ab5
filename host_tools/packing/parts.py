"""A model file taken apart into what packing changes (constants, layers, kinds) and all else, and put together again.

Written again unchanged, a file that `host_tools/writer.py` wrote is the same in every byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from nnmicro import ModelError
from nnmicro import format as f
from nnmicro.check import checked
from nnmicro.port import ITEM_BYTES

from ..layout import DTYPES, plain
from ..writer import assemble, text_bytes, words


@dataclass
class Constant:
    """A constant's record, with 0 for shape and place, which are written anew; its source's shape, and its bytes."""

    record: list[int]
    shape: list[int]
    data: bytes


@dataclass
class Layer:
    """A layer's record, whose kind and operands are written anew; constants count on from the number of blobs."""

    record: list[int]
    op: str
    inputs: list[int]
    output: int


class Parts:
    """A file that has passed the engine's checks. Raises ModelError for one that has not, or is damaged."""

    def __init__(self, data: bytes) -> None:
        model = checked(memoryview(data))
        w = model.words
        self.header = [w[i] for i in range(f.HEADER_WORDS)]
        self.sections = [_section(data, w, f.HEADER_WORDS + i * f.SECTION_WORDS) for i in range(w[f.H_SECTIONS])]
        shapes = [w[model.shapes_at + i] for i in range(model.n_shapes)]

        def record(index: int) -> tuple[list[int], list[int]]:
            at = model.record(index)
            found = [w[at + i] for i in range(f.BLOB_WORDS)]
            first = found[f.B_SHAPE]
            return found, shapes[first : first + (found[f.B_TYPE] >> 8 & 0xFF)]

        self.blobs = [record(index) for index in range(model.n_blobs)]
        sizes = sum(w[model.record(index) + f.B_BYTES] for index in range(model.n_blobs, model.n_records))
        if sizes > model.weights_bytes:
            raise ModelError(f"constants of {sizes:,} bytes lie over each other in weights of {model.weights_bytes:,}")
        self.constants = []
        for index in range(model.n_blobs, model.n_records):
            found, shape = record(index)
            first = model.weights_at + found[f.B_PLACE]
            found[f.B_PLACE] = found[f.B_SHAPE] = 0
            self.constants.append(Constant(found, shape, data[first : first + found[f.B_BYTES]]))
        self.layers = []
        for index in range(model.n_layers):
            at = model.layers_at + index * f.LAYER_WORDS
            found = [w[at + i] for i in range(f.LAYER_WORDS)]
            first = model.operands_at + found[f.L_OPERANDS]
            operands = [w[first + i] for i in range(found[f.L_INPUTS] + found[f.L_OUTPUTS])]
            self.layers.append(Layer(found, model.op_names[found[f.L_OP]], operands[:-1], operands[-1]))
        self._params = [w[model.params_at + i] for i in range(model.n_params)]
        states = model.steps_at + f.STEPS_HEADER_WORDS + f.PLACE_WORDS * model.n_blobs
        # Of a streamed model, the layers that take their input row by row.
        self.reductions = {
            index for index in range(model.n_layers) if model.steps_at and w[states + f.STATE_WORDS * index + 1]
        }

    def params(self, layer: Layer) -> list[int]:
        first = layer.record[f.L_PARAMS]
        return self._params[first : first + layer.record[f.L_PARAM_COUNT]]

    def blob(self, operand: int) -> list[int] | None:
        """The record of an operand; None for a constant."""
        return self.blobs[operand][0] if operand < len(self.blobs) else None

    def constant(self, operand: int) -> int:
        """The index of an operand among the constants; negative for a blob."""
        return operand - len(self.blobs)

    def replace_constants(self, first: int, count: int, made: list[Constant]) -> None:
        """Put others in the place of `count` constants from `first` on; the operands of the others follow."""
        moved = len(made) - count
        self.constants[first : first + count] = made
        for layer in self.layers:
            layer.inputs = [i + moved if self.constant(i) >= first + count else i for i in layer.inputs]

    def write(self) -> bytes:
        shapes: list[int] = []
        records, weights = bytearray(), bytearray()
        for record, shape in self.blobs:
            records += words([*record[: f.B_SHAPE], len(shapes), *record[f.B_SHAPE + 1 :]])
            shapes += shape
        for constant in self.constants:
            weights += bytes(-len(weights) % f.ALIGNMENT)
            record = list(constant.record)
            record[f.B_PLACE], record[f.B_SHAPE] = len(weights), len(shapes)
            records += words(record)
            shapes += constant.shape
            weights += constant.data
        kinds = list(dict.fromkeys(layer.op for layer in self.layers))
        operands: list[int] = []
        layers = bytearray()
        for layer in self.layers:
            record = list(layer.record)
            record[f.L_OP], record[f.L_OPERANDS] = kinds.index(layer.op), len(operands)
            record[f.L_INPUTS] = len(layer.inputs)
            layers += words(record)
            operands += [*layer.inputs, layer.output]
        written = {
            f.BLOBS: bytes(records),
            f.LAYERS: bytes(layers),
            f.OPERANDS: words(operands),
            f.SHAPES: words(shapes),
            f.OPS: text_bytes(kinds),
            f.WEIGHTS: bytes(weights + bytes(-len(weights) % 4)),
        }
        header = list(self.header)
        header[f.H_CONSTANTS], header[f.H_OPS] = len(self.constants), len(kinds)
        header[f.H_MAX_OPERANDS] = max((len(layer.inputs) + 1 for layer in self.layers), default=2)
        return assemble(header, [(kind, written.get(kind & f.KIND_MASK, data)) for kind, data in self.sections])


def run_of(values: np.ndarray, shape: list[int]) -> Constant:
    """A constant that is a run of int8 or int32 numbers, as `host_tools/layout.py` lays it out."""
    dtype = DTYPES[values.dtype]
    storage = plain(values.size, ITEM_BYTES[dtype])
    record = [0] * f.BLOB_WORDS
    record[f.B_TYPE] = dtype | len(shape) << 8
    record[f.B_BYTES] = storage.nbytes
    record[f.B_C], record[f.B_H], record[f.B_W] = storage.c, storage.h, storage.w
    record[f.B_CSTEP], record[f.B_RSTEP], record[f.B_PSTEP] = storage.cstep, storage.rstep, storage.pstep
    record[f.B_ROWS] = 1
    record[f.B_PRODUCER] = record[f.B_QUANT] = record[f.B_NAME] = -1
    return Constant(record, shape, values.tobytes())


def _section(data: bytes, words: Sequence[int], at: int) -> tuple[int, bytes]:
    """Kind, flags included, and bytes of an entry of the section table. The checksum is compared of lazy ones, too:
    what is written gets a new one."""
    kind, first = words[at + f.S_KIND], words[at + f.S_OFFSET]
    found = data[first : first + words[at + f.S_BYTES]]
    if crc32(found) != words[at + f.S_CRC] & 0xFFFFFFFF:
        raise ModelError(f"section {_name(kind & f.KIND_MASK)} is damaged: its checksum does not match")
    return kind, found


def _name(kind: int) -> str:
    return f.SECTION_NAMES[kind] if kind < len(f.SECTION_NAMES) else str(kind)
