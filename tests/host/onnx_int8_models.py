"""Quantised ONNX models made from float32 ones, and their layers compared with onnxruntime.

Each layer, or each few that the source has as one, is given the numbers that onnxruntime computed before it,
so that one layer's rounding is not counted against the next.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, numpy_helper

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import Graph, Layer
from host_tools.importers import load_model
from tests.host.graph_oracle import TOLERANCE, onnx_blobs
from tests.host.onnx_models import model, node

Blobs = dict[str, np.ndarray]

_WEIGHTED = ("Conv", "Gemm", "MatMul")
_MOVING = (
    "Concat",
    "Flatten",
    "Identity",
    "MaxPool",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
)


# The oracle: onnxruntime, blob by blob


def numbers(graph: Graph, name: str, blobs: Blobs) -> np.ndarray:
    """A blob as the engine holds it: uint8 is taken 128 lower."""
    values = blobs[name]
    return (values.astype(np.int16) - 128).astype(np.int8) if values.dtype == np.uint8 else values


def islands(graph: Graph, known: set[str]) -> list[list[Layer]]:
    """The layers that make each known blob from known ones."""
    producers = graph.producers()
    found = []
    for layer in graph.layers:
        if layer.outputs[0] not in known:
            continue
        island, pending = [layer], list(layer.inputs)
        while pending:
            name = pending.pop()
            if name in producers and name not in known and producers[name] not in island:
                island.append(producers[name])
                pending.extend(producers[name].inputs)
        found.append([made for made in graph.layers if made in island])
    return found


def run_island(graph: Graph, layers: list[Layer], blobs: Blobs) -> np.ndarray:
    part = Graph("part", order=graph.order)
    made = {layer.outputs[0] for layer in layers}
    used = {name for layer in layers for name in layer.inputs}
    part.tensors = {name: tensor for name, tensor in graph.tensors.items() if name in made | used}
    part.layers = list(layers)
    part.inputs = [n for n in part.tensors if n not in made and part.tensor(n).data is None]
    part.outputs = [layers[-1].outputs[0]]
    return run_raw(part, blobs)[0]


def run_raw(graph: Graph, blobs: Blobs, fuse: bool = False) -> list[np.ndarray]:
    """The outputs, raw."""
    names, shapes = list(graph.outputs), [graph.tensor(n).shape for n in graph.outputs]
    dtypes = [graph.tensor(n).dtype for n in graph.outputs]
    given = {name: numbers(graph, name, blobs) for name in graph.inputs}
    net = nnmicro.Net(to_nnm(graph, fuse=fuse))
    with net.extractor() as extractor:
        for name, values in given.items():
            extractor.input(name, values)
        raw = [extractor.extract(name).tobytes() for name in names]
    return [np.frombuffer(r, d).reshape(s) for r, d, s in zip(raw, dtypes, shapes, strict=True)]


def assert_layers_agree(path: Path, reference: Blobs) -> dict[str, int]:
    """Every int8 blob within one step, every float32 one within the tolerance; how many int8 values
    differ.
    """
    graph = load_model(path)
    counts = {"values": 0, "one step apart": 0, "blobs": 0}
    for layers in islands(graph, set(reference)):
        name = layers[-1].outputs[0]
        ours, theirs = run_island(graph, layers, reference), numbers(graph, name, reference)
        if theirs.dtype == np.int64:
            theirs = theirs.astype(np.int32)  # indices, as the engine counts them
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype, f"{name}: {ours.dtype}{ours.shape}"
        apart = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
        if ours.dtype == np.int8:
            assert apart.max() <= 1, f"{name} ({[layer.op for layer in layers]}): {apart.max()} steps apart"
            counts["values"] += apart.size
            counts["one step apart"] += int(apart.sum())
            counts["blobs"] += 1
        else:
            assert apart.max() <= TOLERANCE * max(float(np.abs(theirs).max()), 1e-6), name
    return counts


# Models in QDQ form, made from float32 ones


class _Quantiser:
    """Puts QuantizeLinear and DequantizeLinear around every operator."""

    def __init__(self, source: ModelProto, blobs: Blobs, dtype: type, keep_scales: bool) -> None:
        """`keep_scales`: the output of what only moves numbers has its input's scale, and an activation stays
        with
        the layer before it, as onnxruntime's quantiser does; else every blob has its own.
        """
        self._source = source
        self._blobs = blobs
        self._dtype = np.dtype(dtype)
        self._keep = keep_scales
        self._constants = {t.name: numpy_helper.to_array(t) for t in source.graph.initializer}
        self._schemes: dict[str, str] = {}  # blob -> the prefix of its scale's and zero point's names
        self.nodes: list[NodeProto] = []
        self.made: dict[str, np.ndarray] = dict(self._constants)

    def run(self) -> ModelProto:
        for value in self._source.graph.input:
            self._cross(value.name, value.name)
        readers = [name for n in self._source.graph.node for name in n.input]
        for proto in self._source.graph.node:
            changed = NodeProto()
            changed.CopyFrom(proto)
            for i, name in enumerate(proto.input):
                changed.input[i] = self._operand(proto, i, name)
            self.nodes.append(changed)
            for name in proto.output:
                reader = next((n.op_type for n in self._source.graph.node if name in n.input), "")
                if self._keep and readers.count(name) == 1 and reader in ("Relu", "Clip"):
                    continue
                if name in self._blobs and self._blobs[name].dtype == np.float32:
                    same = self._keep and proto.op_type in _MOVING and proto.input[0] in self._schemes
                    self._cross(name, proto.input[0] if same else name)
        outputs = [f"{value.name}_dq" for value in self._source.graph.output]
        inputs = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in self._source.graph.input}
        return model(self.nodes, inputs, self.made, opset=self._source.opset_import[0].version, outputs=outputs)

    def _cross(self, name: str, like: str) -> None:
        prefix = self._schemes.get(like, name)
        self._schemes[name] = prefix
        if f"{prefix}_scale" not in self.made:
            low, high = (
                min(0.0, float(self._blobs[name].min())),
                max(0.0, float(self._blobs[name].max()), 1e-3),
            )
            lowest = np.iinfo(self._dtype).min
            scale = np.float32((high - low) / 255)
            self.made[f"{prefix}_scale"] = scale
            self.made[f"{prefix}_zero"] = np.array(
                np.clip(round(lowest - low / float(scale)), lowest, lowest + 255), self._dtype
            )
        terms = f"{prefix}_scale {prefix}_zero"
        self.nodes.append(node("QuantizeLinear", f"{name} {terms}", f"{name}_q"))
        self.nodes.append(node("DequantizeLinear", f"{name}_q {terms}", f"{name}_dq"))

    def _operand(self, proto: NodeProto, i: int, name: str) -> str:
        if name in self._schemes and name not in self._constants:
            return f"{name}_dq" if any(n.output[0] == f"{name}_dq" for n in self.nodes) else name
        value = self._constants.get(name)
        if (
            value is None
            or value.dtype != np.float32
            or proto.op_type in ("Resize", "Upsample", "Clip", "Pad", "PRelu")
        ):
            return name
        if proto.op_type in _WEIGHTED and i == 2:
            return name  # a float bias: the importer rounds it
        axis = None
        if proto.op_type in _WEIGHTED:
            transposed = any(a.name == "transB" and a.i for a in proto.attribute)
            axis = 0 if proto.op_type == "Conv" or transposed else value.ndim - 1
        largest = np.abs(value).max(axis=tuple(a for a in range(value.ndim) if a != axis) if axis is not None else None)
        scale = (np.maximum(largest, 1e-3) / 127).astype(np.float32)
        shape = [-1 if a == axis else 1 for a in range(value.ndim)] if axis is not None else []
        self.made[f"{name}_i8"] = np.rint(value / scale.reshape(shape)).astype(np.int8)
        self.made[f"{name}_s"], self.made[f"{name}_z"] = scale, np.zeros(scale.shape, np.int8)
        more = {"axis": axis} if axis is not None else {}
        self.nodes.append(node("DequantizeLinear", f"{name}_i8 {name}_s {name}_z", f"{name}_dq", **more))
        return f"{name}_dq"


def quantised(source: ModelProto, dtype: type = np.int8, keep_scales: bool = True) -> ModelProto:
    inputs = {
        v.name: np.random.default_rng(1)
        .uniform(-1, 1, [d.dim_value for d in v.type.tensor_type.shape.dim])
        .astype(np.float32)
        for v in source.graph.input
    }
    return _Quantiser(source, onnx_blobs(source, inputs), dtype, keep_scales).run()
