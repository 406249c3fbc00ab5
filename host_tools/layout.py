"""From the graph to what the engine sees: storage of every tensor, integer parameters, shared and in-place outputs.

float32 is planar: each channel starts at a multiple of 16 bytes (as ncnn's `cstep`), except where a channel is a single
element. Integers are interleaved, a pixel's channels side by side. Tensors with fewer than four axes have no channels
to speak of and lie in rows. Users see the source's shapes and order whatever the storage.
"""

from __future__ import annotations

import copy
import importlib
import struct
from dataclasses import dataclass, field, replace

import numpy as np

from nnmicro import format as f
from nnmicro.port import F32, I8, I16, I32, ITEM_BYTES, U8

from .graph import ConversionError, Graph, Layer, Quantisation, Tensor, geometry

DTYPES = {np.dtype(np.float32): F32, np.dtype(np.int8): I8, np.dtype(np.uint8): U8, np.dtype(np.int16): I16,
          np.dtype(np.int32): I32}  # fmt: skip

# Operands after the first that these layers read as plain runs of numbers, not as images.
_PLAIN_CONSTANTS = ("convolution", "inner_product", "scale", "convolution_int8", "depthwise_int8",
                    "inner_product_int8", "table_int8", "softmax_int8")  # fmt: skip


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
    def has_gaps(self) -> bool:
        """There are others' elements between its own: those of a view, where the block's pixels have more channels."""
        return self.w > 1 and self.pstep > self.c * self.cstep or self.h > 1 and self.rstep > self.w * self.pstep

    @property
    def dense_chw(self) -> bool:
        """The elements lie in c, y, x order without gaps."""
        plane = self.h * self.w * self.pstep
        return (
            self.nbytes == self.c * plane and self.rstep == self.w * self.pstep and (self.c == 1 or self.cstep == plane)
        )

    @property
    def dense_hwc(self) -> bool:
        """The elements lie in y, x, c order without gaps."""
        return (
            self.nbytes == self.c * self.h * self.w * self.cstep
            and self.pstep == self.c * self.cstep
            and self.rstep == self.w * self.pstep
        )


@dataclass
class Blob:
    """A blob or constant as the file describes it."""

    name: str
    shape: tuple[int, ...]
    dtype: int
    storage: Storage
    order: int = f.ORDER_CHW
    quantisation: Quantisation | None = None
    producer: int = -1
    place: int = -1
    owner: int = -1  # of a view: the blob in whose block it lies,
    inside: int = 0  # so many bytes from its start
    reach: int = 0  # where it is written over another: how far that reaches into the block that both lie in
    data: bytes = b""

    @property
    def bytes_alone(self) -> int:
        """Bytes of memory if it lay in no other blob."""
        at = self.storage
        return at.c * at.h * at.w * ITEM_BYTES[self.dtype] if at.has_gaps else at.nbytes

    @property
    def block_bytes(self) -> int:
        """Bytes of its block, if it is in no other's."""
        return align(max(self.storage.nbytes, self.reach))

    @property
    def linear(self) -> bool:
        """Whether memory holds the elements in the source's order without gaps."""
        return self.storage.dense_hwc if self.order == f.ORDER_HWC else self.storage.dense_chw


@dataclass
class Step:
    """A layer as the file describes it; operands are indices into `blobs`, then `constants`."""

    name: str
    op: str
    inputs: list[int]
    output: int
    params: list[int]
    flags: int = 0
    workspace: int = 0  # bytes that its kernel needs beside the operands, while it runs
    workspace_place: int = -1


@dataclass
class Program:
    """What the writer writes: blobs, constants and layers in the order they run."""

    name: str
    blobs: list[Blob] = field(default_factory=list)
    constants: list[Blob] = field(default_factory=list)
    layers: list[Step] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    states: list[int] = field(default_factory=list)
    fused: dict[str, int] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)

    def copy(self) -> Program:
        """Another program whose blobs and layers can be changed."""
        blobs = [copy.copy(blob) for blob in self.blobs]
        layers = [copy.copy(step) for step in self.layers]
        for step in layers:
            step.inputs, step.params = list(step.inputs), list(step.params)
        return replace(self, blobs=blobs, layers=layers)

    def block_of(self, step: Step) -> int:
        """The blob in whose block a layer's output lies, unless it shares its input's."""
        owner = self.blobs[step.output].owner
        return step.output if owner < 0 else owner


def align(n: int, to: int = f.ALIGNMENT) -> int:
    return (n + to - 1) // to * to


def planar(shape: tuple[int, ...], item: int, order: str = "chw") -> Storage:
    """Rows dense, each channel at a multiple of 16 bytes."""
    c, h, w = geometry(shape, order)
    plane = h * w * item
    cstep = plane if c == 1 or h * w == 1 else align(plane)
    return Storage(c, h, w, cstep, w * item, item, c * cstep)


def interleaved(shape: tuple[int, ...], item: int, order: str = "chw") -> Storage:
    """A pixel's channels side by side; fewer than four axes lie in c, y, x order."""
    c, h, w = geometry(shape, order)
    nbytes = c * h * w * item
    if len(shape) < 4:
        return Storage(c, h, w, h * w * item, w * item, item, nbytes)
    return Storage(c, h, w, item, w * c * item, c * item, nbytes)


def plain(count: int, item: int) -> Storage:
    """A run of numbers."""
    return Storage(1, 1, count, count * item, count * item, item, count * item)


def lower(graph: Graph) -> Program:
    """Lay out a graph whose layers are in a valid order. Raises ConversionError for what the engine cannot hold."""
    program = Program(graph.name, labels=list(graph.labels))
    names = [t.name for t in graph.blobs()]
    index = {name: i for i, name in enumerate(names)}
    lowering = _Lowering(graph, program, index)
    program.blobs = [lowering.blob(graph.tensor(name)) for name in names]
    for layer in graph.layers:
        lowering.layer(layer)
    lowering.number_constants()
    program.inputs = [index[name] for name in graph.inputs]
    program.outputs = [index[name] for name in graph.outputs]
    program.states = [index[name] for name in graph.states]
    program.fused = {old: index[new] for old, new in graph.fused.items() if new in index}
    return program


class _Lowering:
    """Adds a graph's layers to a program. Until the end, constant k is operand -1 - k: blobs may still be added."""

    def __init__(self, graph: Graph, program: Program, index: dict[str, int]) -> None:
        self.graph = graph
        self.program = program
        self.index = index
        self.constants: dict[tuple[str, bool], int] = {}

    def number_constants(self) -> None:
        for step in self.program.layers:
            step.inputs = [i if i >= 0 else len(self.program.blobs) - 1 - i for i in step.inputs]

    def blob(self, tensor: Tensor) -> Blob:
        if len(tensor.shape) > f.MAX_RANK:
            raise ConversionError(f"tensor {tensor.name} has {len(tensor.shape)} axes; the format holds {f.MAX_RANK}")
        if any(d < 1 for d in tensor.shape):
            raise ConversionError(f"tensor {tensor.name} is empty: its shape is {tensor.shape}")
        if tensor.dtype not in DTYPES:
            raise ConversionError(
                f"tensor {tensor.name} has type {tensor.dtype}, which the engine does not compute with"
            )
        dtype = DTYPES[tensor.dtype]
        store = planar if dtype == F32 else interleaved
        storage = store(tensor.shape, ITEM_BYTES[dtype], self.graph.order)
        order = f.ORDER_HWC if self.graph.order == "hwc" and len(tensor.shape) >= 4 else f.ORDER_CHW
        return Blob(tensor.name, tensor.shape, dtype, storage, order, tensor.quantisation)

    def constant(self, tensor: Tensor, run: bool) -> Blob:
        assert tensor.data is not None
        blob = self.blob(tensor)
        data = np.ascontiguousarray(tensor.data)
        item = ITEM_BYTES[blob.dtype]
        if run:
            blob.storage, blob.order = plain(data.size, item), f.ORDER_CHW
            blob.data = data.tobytes()
            return blob
        at = blob.storage
        if blob.order == f.ORDER_HWC:
            elements = data.reshape(at.h, at.w, at.c).transpose(2, 0, 1)
        else:
            elements = data.reshape(at.c, at.h, at.w)
        memory = np.zeros(at.nbytes // item, data.dtype)
        c, y, x = np.ogrid[: at.c, : at.h, : at.w]
        memory[(c * at.cstep + y * at.rstep + x * at.pstep) // item] = elements
        blob.data = memory.tobytes()
        return blob

    def operand(self, layer: Layer, position: int) -> int:
        name = layer.inputs[position]
        if name in self.index:
            return self.index[name]
        run = position > 0 and layer.op in _PLAIN_CONSTANTS
        if (name, run) not in self.constants:
            self.constants[name, run] = len(self.program.constants)
            self.program.constants.append(self.constant(self.graph.tensor(name), run))
        return -1 - self.constants[name, run]

    def add(self, name: str, op: str, inputs: list[int], output: int, params: list[int], flags: int = 0) -> None:
        self.program.blobs[output].producer = len(self.program.layers)
        self.program.layers.append(Step(name, op, inputs, output, params, flags))

    def layer(self, layer: Layer) -> None:
        """One layer lowered: graph-level ops become kernels or shares, attributes become words."""
        if len(layer.outputs) != 1:
            raise ConversionError(f"layer {layer.name} has {len(layer.outputs)} outputs; an engine's layer has one")
        output = self.index[layer.outputs[0]]
        operands = [self.operand(layer, i) for i in range(len(layer.inputs))]
        if layer.op in ("permute", "reshape", "share"):
            if operands[0] < 0:
                raise ConversionError(
                    f"layer {layer.name} ({layer.op}) reads a constant, which should have been folded"
                )
            if layer.op == "permute" and not self.still(layer):
                self.permute(layer, operands[0], output)
            else:
                self.reshape(layer, operands[0], output)
            return
        module = kernel_module(layer.op, layer.name)
        words = parameters(module, dict(layer.attrs), layer)
        in_place = False
        if operands[0] >= 0:
            source, target = self.program.blobs[operands[0]], self.program.blobs[output]
            same = source.storage == target.storage and source.dtype == target.dtype
            in_place = bool(getattr(module, "_IN_PLACE", 0)) and same
        self.add(layer.name, layer.op, operands, output, words, f.IN_PLACE if in_place else 0)

    def reshape(self, layer: Layer, source: int, output: int) -> None:
        """The same elements in the source's order under another shape: shared where they lie alike, else moved."""
        a, b = self.program.blobs[source], self.program.blobs[output]
        if _same_places(a, b):
            self.add(layer.name, "share", [source], output, [], f.SHARE)
        elif a.order == b.order == f.ORDER_CHW:
            self.add(layer.name, "copy", [source], output, [])
        elif b.order == f.ORDER_CHW:
            # Gather the planes in the source's order: y, x, c.
            at = a.storage
            self.gather(layer, source, output, [(at.h, at.rstep), (at.w, at.pstep), (at.c, at.cstep)])
        elif a.linear:
            at = b.storage
            item = ITEM_BYTES[b.dtype]
            self.gather(layer, source, output, [(at.c, item), (at.h, at.w * at.c * item), (at.w, at.c * item)])
        else:
            between = len(self.program.blobs)
            count = a.storage.c * a.storage.h * a.storage.w
            item = ITEM_BYTES[a.dtype]
            self.program.blobs.append(Blob(f"{b.name}.rows", (count,), a.dtype, plain(count, item)))
            self.reshape(Layer(f"{layer.name}.rows", "reshape", [], []), source, between)
            self.reshape(layer, between, output)

    def still(self, layer: Layer) -> bool:
        """Whether a transposition leaves every element where it is in the source's order."""
        shape, perm = self.graph.tensor(layer.inputs[0]).shape, layer.attrs["perm"]
        assert isinstance(perm, tuple)
        moving = [axis for axis in perm if shape[axis] != 1]
        return moving == sorted(moving)

    def permute(self, layer: Layer, source: int, output: int) -> None:
        """A transposition as a gather in the output's c, y, x order."""
        a, b = self.program.blobs[source], self.program.blobs[output]
        strides = _axis_strides(a)
        perm = layer.attrs["perm"]
        assert isinstance(perm, tuple)
        axes = list(range(len(b.shape)))
        if b.order == f.ORDER_HWC:
            axes = [axes[-1], *axes[:-1]]  # all but the last two fold into h
        self.gather(layer, source, output, [(b.shape[axis], strides[perm[axis]]) for axis in axes])

    def gather(self, layer: Layer, source: int, output: int, walk: list[tuple[int, int]]) -> None:
        """Elements of the source, walked with these sizes and byte strides, into the output's c, y, x order."""
        item = ITEM_BYTES[self.program.blobs[source].dtype]
        merged: list[tuple[int, int]] = []
        for size, stride in walk:
            if size == 1:
                continue
            if merged and merged[-1][1] == size * stride:
                merged[-1] = (merged[-1][0] * size, stride)
            else:
                merged.append((size, stride))
        if len(merged) > 4:
            raise ConversionError(f"layer {layer.name} moves more than four axes at once")
        merged = [(1, 0)] * (4 - len(merged)) + merged
        attrs: dict[str, int] = {}
        for i, (size, stride) in enumerate(merged):
            attrs[f"size{i}"], attrs[f"stride{i}"] = size, stride // item
        self.add(
            layer.name, "permute", [source], output, parameters(kernel_module("permute", layer.name), attrs, layer)
        )


def _same_places(a: Blob, b: Blob) -> bool:
    """Whether element k, in the source's order, lies at the same byte in both."""
    if a.dtype != b.dtype:
        return False
    if a.linear and b.linear:
        return True
    x, y = a.storage, b.storage
    rows = x.rstep == x.w * x.pstep and y.rstep == y.w * y.pstep
    return (
        a.order == b.order
        and rows
        and (x.c, x.h * x.w, x.cstep, x.pstep) == (y.c, y.h * y.w, y.cstep, y.pstep)
        and (a.order == f.ORDER_CHW or x.w == y.w)
    )


def _axis_strides(blob: Blob) -> list[int]:
    """Bytes from one index to the next along each axis of the source's shape."""
    at = blob.storage
    strides = [0] * len(blob.shape)
    last = (at.cstep, at.pstep, at.rstep) if blob.order == f.ORDER_HWC else (at.pstep, at.rstep, at.cstep)
    outer = 0
    for n, axis in enumerate(range(len(blob.shape) - 1, -1, -1)):
        strides[axis] = last[n] if n < 3 else outer
        outer = strides[axis] * blob.shape[axis]
    return strides


def kernel_module(op: str, name: str):  # type: ignore[no-untyped-def]
    """The engine's reference module of a layer kind: what it defines is the truth about its parameters."""
    try:
        return importlib.import_module(f"nnmicro.reference.{op}")
    except ImportError:
        raise ConversionError(f"layer {name} is of kind {op!r}, for which the engine has no kernel") from None


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
