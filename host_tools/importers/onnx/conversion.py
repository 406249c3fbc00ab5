"""Goes through a folded model, node by node, and adds the layers of each to the graph."""

from __future__ import annotations

from pathlib import Path

from onnx import ModelProto, NodeProto, TensorProto

from host_tools.graph import ConversionError, Graph
from host_tools.importers.builder import Builder
from host_tools.importers.onnx import model_file
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.folding import Folded
from host_tools.importers.onnx.operators import TABLE
from host_tools.importers.onnx.quantised.edges import (
    add_input,
    dequantize,
    move_integers,
    moves_integers,
    quantize,
)
from host_tools.importers.onnx.quantised.emission import emit_group
from host_tools.importers.onnx.quantised.groups import Group, Groups
from host_tools.importers.onnx.quantised.table import TABLE as QUANTISED_TABLE
from host_tools.importers.refusals import Refusals, Unsupported

# Operators that models use to compute shapes; where folding left one, it depends on more than shapes.
SHAPE_OPERATORS = frozenset(["ConstantOfShape", "Range", "Shape", "Size"])
_DYNAMIC = frozenset(
    "ConvInteger MatMulInteger DynamicQuantizeLinear DynamicQuantizeMatMul MatMulIntegerToFloat".split()
)


class Conversion:
    """One model on its way to a graph."""

    def __init__(self, path: Path, model: ModelProto, folded: Folded, invented: frozenset[str]) -> None:
        """`invented`: blobs of `model` that the file does not have."""
        self._path = path
        self._folded = folded
        self._invented = invented
        self._inputs = [value.name for value in model_file.true_inputs(model)]
        self._outputs = [value.name for value in model.graph.output]
        produced = [name for node in folded.nodes for name in node.output if name]
        self._graph = Graph(path.stem)
        builder = Builder(self._graph, [*self._inputs, *produced, *folded.constants])
        self._context = Context(builder, folded, model_file.opset_of(model), self._outputs)
        self._groups = Groups(folded, self._outputs, self._context.opset)
        self._refusals = Refusals(path)
        self._refused_blobs: set[str] = set()
        self._hidden: dict[str, str] = {}  # float blob -> the int8 blob that stands for it

    def run(self) -> Graph:
        """The graph; raises ConversionError."""
        for name in self._inputs:
            try:
                add_input(self._context, self._groups, name)
            except Unsupported as reason:
                self._refusals.add("input", name, str(reason))
        for proto in self._folded.nodes:
            if proto.output and all(
                name in self._graph.tensors or name in self._hidden for name in proto.output if name
            ):
                continue  # part of a group that is done; no other node has outputs that are known already
            self._node(proto)
        self._refusals.raise_if_any()
        for name in self._outputs:
            if name in self._folded.constants:
                raise ConversionError(f"{self._path.name}: output {name!r} does not depend on any input")
            self._need(name)
            if name not in self._graph.tensors:
                raise ConversionError(f"{self._path.name}: no layer makes the output {name!r}")
            self._graph.outputs.append(name)
        self._note_hidden()
        return self._graph

    def _node(self, proto: NodeProto) -> None:
        node = Node(proto)
        ours = proto.domain in ("", "ai.onnx")
        known = node.op in TABLE or node.op in QUANTISED_TABLE or node.op in CROSSING
        # Behind a refused layer nothing is known; only what would be refused anyway is worth a line.
        blind = any(name in self._refused_blobs for name in node.inputs)
        reason: str | None = None
        if not ours or not known:
            reason = _unknown(proto.domain, node.op)
        elif not blind:
            try:
                self._import(node)
            except Unsupported as problem:
                reason = str(problem)
            except (ValueError, TypeError, LookupError, ArithmeticError) as problem:
                reason = f"its operands and attributes do not fit together ({problem})"
        if reason is not None:
            shapes = [self._folded.shapes.get(name) for name in node.inputs]
            self._refusals.add(node.op, node.name, reason, shapes)
        if reason is not None or blind:
            self._refused_blobs.update(node.outputs)

    def _import(self, node: Node) -> None:
        """Raises Unsupported."""
        if node.op == "DequantizeLinear":
            self._groups.add_dequantised(node.proto)  # made when somebody wants it in float32
            return
        if node.op == "QuantizeLinear":
            group = self._groups.of_requantisation(node.proto)
            if group is None:
                quantize(self._context, node)
            else:
                self._quantised(group)
            return
        if moves_integers(self._context, node):
            move_integers(self._context, node)
            return
        entry = QUANTISED_TABLE.get(node.op)
        group = self._groups.of(node.proto, activation=entry.clamps) if entry else None
        why = "there is no such layer in nnmicro for float32"
        if group is not None:
            try:
                self._quantised(group)
                return
            except Unsupported as reason:  # what int8 cannot express, float32 may
                why = str(reason)
        if node.op not in TABLE:
            raise Unsupported(why)
        for name in node.inputs:
            self._need(name)
        _check_types(self._folded, node)
        TABLE[node.op](self._context, node)

    def _quantised(self, group: Group) -> None:
        emit_group(self._context, group, QUANTISED_TABLE[group.node.op].handler)
        self._hidden.update(group.hidden)

    def _need(self, name: str) -> None:
        """Makes the float32 form of an int8 blob, where that is what `name` is."""
        operand = self._groups.dequantised.get(name)
        if operand is not None and name not in self._graph.tensors:
            dequantize(self._context, name, operand)

    def _note_hidden(self) -> None:
        """Float blobs of the source that are now int8 ones, for those who ask for them by name."""
        found = {name: operand.name for name, operand in self._groups.dequantised.items()}
        for name, target in {**found, **self._hidden}.items():
            if name not in self._graph.tensors and name not in self._invented and target in self._graph.tensors:
                self._graph.fused[name] = target


# Which take or give integers as well as float32.
_GIVE_INTEGERS = ("ArgMax", "ArgMin", "Cast", "CastLike")
_TAKE_INTEGERS = ("Cast", "CastLike", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
_KEEP_ELEMENTS = ("Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")
CROSSING = ("QuantizeLinear", "DequantizeLinear")


def _unknown(domain: str, op: str) -> str:
    if op in _DYNAMIC:
        return (
            "it finds its scales while it runs, or leaves its result unscaled; quantise the model statically "
            "(with a calibration set)"
        )
    if domain not in ("", "ai.onnx"):
        return f"operators of the domain {domain!r} cannot be imported"
    if op in SHAPE_OPERATORS:
        return "supported only where its result is the same for every input"
    return "there is no such layer in nnmicro"


def _check_types(folded: Folded, node: Node) -> None:
    integers = (node.inputs[:1] if node.op in _TAKE_INTEGERS + _KEEP_ELEMENTS else []) + (
        node.outputs[:1] if node.op in _GIVE_INTEGERS + _KEEP_ELEMENTS else []
    )
    for name in [*node.inputs[:1], *node.outputs[:1]]:
        if name in integers:
            continue
        kind = folded.types.get(name, TensorProto.UNDEFINED)
        if kind not in (TensorProto.FLOAT, TensorProto.BOOL, TensorProto.UNDEFINED):
            raise Unsupported(f"{name!r} is {model_file.type_name(kind)}; only float32 (FLOAT) is supported")
