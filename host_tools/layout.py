"""From the graph to what the engine sees: storage of every tensor, integer parameters, shared and in-place outputs.

float32 is planar: the last axis of a shape is w, the one before h, all others fold into c; each channel starts at a
multiple of 16 bytes (as ncnn's `cstep`), except where a channel is a single element.
"""

from __future__ import annotations

import importlib
import struct
from dataclasses import dataclass, field

import numpy as np

from nnmicro import format as f
from nnmicro.port import F32, I8, I16, I32, ITEM_BYTES, U8

from .graph import ConversionError, Graph, Layer, Tensor, chw

DTYPES = {np.dtype(np.float32): F32, np.dtype(np.int8): I8, np.dtype(np.uint8): U8, np.dtype(np.int16): I16,
          np.dtype(np.int32): I32}  # fmt: skip

# Constants that these layers read as plain runs of numbers, not as images.
_PLAIN_CONSTANTS = ("convolution", "inner_product", "scale")


@dataclass(frozen=True)
class Storage:
    """Where the elements of a c x h x w tensor lie: steps and size in bytes."""

    c: int
    h: int
    w: int
    cstep: int
    rstep: int
    pstep: int
    nbytes: int

    @property
    def compact(self) -> bool:
        """No gap between the elements in c, y, x order."""
        return self.nbytes == self.c * self.h * self.w * self.pstep


@dataclass
class Blob:
    """A blob or constant as the file describes it."""

    name: str
    shape: tuple[int, ...]
    dtype: int
    storage: Storage
    producer: int = -1
    place: int = -1
    data: bytes = b""


@dataclass
class Step:
    """A layer as the file describes it; operands are indices into `blobs`, then `constants`."""

    name: str
    op: str
    inputs: list[int]
    output: int
    params: list[int]
    flags: int = 0


@dataclass
class Program:
    """What the writer writes: blobs, constants and layers in the order they run."""

    name: str
    blobs: list[Blob] = field(default_factory=list)
    constants: list[Blob] = field(default_factory=list)
    layers: list[Step] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    fused: dict[str, int] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)


def align(n: int, to: int = f.ALIGNMENT) -> int:
    return (n + to - 1) // to * to


def planar(shape: tuple[int, ...], item: int) -> Storage:
    """Storage of a tensor whose last axes are c, h, w."""
    c, h, w = chw(shape)
    plane = h * w * item
    cstep = plane if c == 1 or h * w == 1 else align(plane)
    return Storage(c, h, w, cstep, w * item, item, c * cstep)


def plain(count: int, item: int) -> Storage:
    """Storage of a run of numbers."""
    return Storage(1, 1, count, count * item, count * item, item, count * item)


def lower(graph: Graph) -> Program:
    """Lay out a graph whose layers are in a valid order. Raises ConversionError for what the engine cannot hold."""
    program = Program(graph.name, labels=list(graph.labels))
    names = [t.name for t in graph.blobs()]
    index = {name: i for i, name in enumerate(names)}
    for name in names:
        tensor = graph.tensor(name)
        program.blobs.append(_blob(tensor, planar(tensor.shape, _item(tensor))))
    constants: dict[tuple[str, bool], int] = {}
    for layer in graph.layers:
        if len(layer.outputs) != 1:
            raise ConversionError(f"layer {layer.name} has {len(layer.outputs)} outputs; an engine's layer has one")
        output = index[layer.outputs[0]]
        operands = []
        for position, name in enumerate(layer.inputs):
            if name in index:
                operands.append(index[name])
                continue
            run = position > 0 and layer.op in _PLAIN_CONSTANTS
            if (name, run) not in constants:
                constants[name, run] = len(names) + len(program.constants)
                program.constants.append(_constant(graph.tensor(name), run))
            operands.append(constants[name, run])
        program.blobs[output].producer = len(program.layers)
        program.layers.append(_step(graph, layer, program, operands, output))
    program.inputs = [index[name] for name in graph.inputs]
    program.outputs = [index[name] for name in graph.outputs]
    program.fused = {old: index[new] for old, new in graph.fused.items() if new in index}
    return program


def _item(tensor: Tensor) -> int:
    if tensor.dtype not in DTYPES:
        raise ConversionError(f"tensor {tensor.name} has type {tensor.dtype}, which the engine does not compute with")
    return ITEM_BYTES[DTYPES[tensor.dtype]]


def _blob(tensor: Tensor, storage: Storage) -> Blob:
    if len(tensor.shape) > f.MAX_RANK:
        raise ConversionError(f"tensor {tensor.name} has {len(tensor.shape)} axes; the format holds {f.MAX_RANK}")
    if any(d < 1 for d in tensor.shape):
        raise ConversionError(f"tensor {tensor.name} is empty: its shape is {tensor.shape}")
    return Blob(tensor.name, tensor.shape, DTYPES[tensor.dtype], storage)


def _constant(tensor: Tensor, run: bool) -> Blob:
    item = _item(tensor)
    assert tensor.data is not None
    data = np.ascontiguousarray(tensor.data)
    storage = plain(data.size, item) if run else planar(tensor.shape, item)
    blob = _blob(tensor, storage)
    planes = data.reshape(storage.c, -1)
    padded = np.zeros((storage.c, storage.cstep // item), data.dtype)
    padded[:, : planes.shape[1]] = planes
    blob.data = padded.tobytes()
    return blob


def _step(graph: Graph, layer: Layer, program: Program, operands: list[int], output: int) -> Step:
    """One layer lowered: graph-level ops become kernels or shares, attributes become words."""
    op, attrs = layer.op, dict(layer.attrs)
    target = program.blobs[output].storage
    first = operands[0]
    source = program.blobs[first].storage if first < len(program.blobs) else None
    if op in ("permute", "reshape", "share") and source is None:
        raise ConversionError(f"layer {layer.name} ({op}) reads a constant, which should have been folded")
    if op == "permute":
        assert source is not None
        op, attrs = _permute(graph, layer, source, target)
    if op in ("reshape", "share"):
        assert source is not None
        op, attrs = ("share" if _same_places(source, target) else "copy"), {}
    if op == "share":
        return Step(layer.name, op, operands, output, [], f.SHARE)
    module = kernel_module(op, layer)
    in_place = getattr(module, "_IN_PLACE", 0) and source == target
    return Step(layer.name, op, operands, output, parameters(module, attrs, layer), f.IN_PLACE if in_place else 0)


def _same_places(a: Storage, b: Storage) -> bool:
    """Whether element k, in c, y, x order, lies at the same byte in both."""
    if a.compact and b.compact:
        return a.nbytes == b.nbytes
    return (a.c, a.h * a.w, a.cstep) == (b.c, b.h * b.w, b.cstep)


def _permute(graph: Graph, layer: Layer, source: Storage, target: Storage) -> tuple[str, dict]:
    """A transposition as sizes and source strides of up to four axes, or a reshape where nothing moves."""
    shape = graph.tensor(layer.inputs[0]).shape
    perm = layer.attrs["perm"]
    assert isinstance(perm, tuple)
    strides = _element_strides(shape, source)
    moved = [(shape[axis], strides[axis]) for axis in perm if shape[axis] != 1]
    merged: list[tuple[int, int]] = []
    for size, stride in moved:
        if merged and merged[-1][1] == size * stride:
            merged[-1] = (merged[-1][0] * size, stride)
        else:
            merged.append((size, stride))
    if [axis for axis in perm if shape[axis] != 1] == sorted(axis for axis in perm if shape[axis] != 1):
        return "reshape", {}
    if len(merged) > 4:
        raise ConversionError(f"layer {layer.name}: transposing {shape} by {perm} moves more than four axes")
    merged = [(1, 0)] * (4 - len(merged)) + merged
    attrs: dict[str, int] = {}
    for i, (size, stride) in enumerate(merged):
        attrs[f"size{i}"], attrs[f"stride{i}"] = size, stride
    return "permute", attrs


def _element_strides(shape: tuple[int, ...], storage: Storage) -> list[int]:
    """Elements from one index to the next along each axis of a source shape."""
    strides = [0] * len(shape)
    step = storage.cstep // storage.pstep
    for axis in range(len(shape) - 1, -1, -1):
        from_right = len(shape) - 1 - axis
        if from_right == 0:
            strides[axis] = 1
        elif from_right == 1:
            strides[axis] = storage.rstep // storage.pstep
        else:
            strides[axis] = step
            step *= shape[axis]
    return strides


def kernel_module(op: str, layer: Layer):  # type: ignore[no-untyped-def]
    """The engine's reference module of a layer kind: what it defines is the truth about its parameters."""
    try:
        return importlib.import_module(f"nnmicro.reference.{op}")
    except ImportError:
        raise ConversionError(f"layer {layer.name} is of kind {op!r}, for which the engine has no kernel") from None


def parameters(module, attrs: dict, layer: Layer) -> list[int]:  # type: ignore[no-untyped-def]
    """Attributes as the kernel's parameter words: an int as it is, a float as the bits of a float32."""
    order = {name[3:].lower(): at for name, at in vars(module).items() if name.startswith("_P_")}
    if set(order) != set(attrs):
        missing, extra = sorted(set(order) - set(attrs)), sorted(set(attrs) - set(order))
        raise ConversionError(f"layer {layer.name} ({layer.op}): parameters missing {missing}, unknown {extra}")
    words = [0] * len(order)
    for name, value in attrs.items():
        if isinstance(value, float):
            words[order[name]] = struct.unpack("<i", struct.pack("<f", value))[0]
        else:
            words[order[name]] = int(value)
    return words
