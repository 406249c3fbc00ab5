"""ONNX, opset 7 and newer, float32: one small function for each operator, found through `operators.TABLE`."""

from __future__ import annotations

from pathlib import Path

from onnx import ModelProto, TensorProto

from host_tools.graph import ConversionError, Graph
from host_tools.importers.builder import Builder
from host_tools.importers.onnx import model_file
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.folding import Folded, fold
from host_tools.importers.onnx.operators import TABLE
from host_tools.importers.refusals import Refusals, Unsupported

# Operators that models use to compute shapes; where folding left one, it depends on more than shapes.
_SHAPE_OPERATORS = frozenset(
    ["Cast", "ConstantOfShape", "Equal", "Expand", "Gather", "Range", "Shape", "Size", "Tile", "Where"]
)


def load(path: Path, input_shapes: dict[str, tuple[int, ...]], outputs: list[str] | None) -> Graph:
    """The graph of an ONNX file; raises ConversionError."""
    model = model_file.read(path)
    if outputs is not None:
        model_file.cut(path, model, outputs)
    model_file.pin_inputs(path, model, input_shapes)
    return _convert(path, model, fold(path.name, model))


def _convert(path: Path, model: ModelProto, folded: Folded) -> Graph:
    graph = Graph(path.stem)
    produced = [name for node in folded.nodes for name in node.output if name]
    inputs = [value.name for value in model_file.true_inputs(model)]
    context = Context(
        Builder(graph, [*inputs, *produced, *folded.constants]), folded, model_file.opset_of(model)
    )
    refusals = Refusals(path)
    for name in inputs:
        try:
            context.builder.input(name, context.shape(name))
        except Unsupported as reason:
            refusals.add("input", name, str(reason))
    refused_blobs: set[str] = set()
    for proto in folded.nodes:
        node = Node(proto)
        # Behind a refused layer nothing is known; only what would be refused anyway is worth a line.
        blind = any(name in refused_blobs for name in node.inputs)
        if proto.domain not in ("", "ai.onnx") or node.op not in TABLE:
            refusals.add(node.op, node.name, _unknown(proto.domain, node.op))
            refused_blobs.update(node.outputs)
            continue
        if blind:
            refused_blobs.update(node.outputs)
            continue
        try:
            _check_types(folded, node)
            TABLE[node.op](context, node)
        except Unsupported as reason:
            refusals.add(node.op, node.name, str(reason))
            refused_blobs.update(node.outputs)
        except (ValueError, TypeError, LookupError, ArithmeticError) as problem:
            refusals.add(node.op, node.name, f"its operands and attributes do not fit together ({problem})")
            refused_blobs.update(node.outputs)
    refusals.raise_if_any()

    for output in model.graph.output:
        if output.name in folded.constants:
            raise ConversionError(f"{path.name}: output {output.name!r} does not depend on any input")
        if output.name not in graph.tensors:
            raise ConversionError(f"{path.name}: no layer makes the output {output.name!r}")
        graph.outputs.append(output.name)
    return graph


def _unknown(domain: str, op: str) -> str:
    if domain not in ("", "ai.onnx"):
        return f"operators of the domain {domain!r} cannot be imported"
    if op in _SHAPE_OPERATORS:
        return "supported only where its result is the same for every input"
    return "there is no such layer in nnmicro"


def _check_types(folded: Folded, node: Node) -> None:
    for name in [*node.inputs[:1], *node.outputs[:1]]:
        kind = folded.types.get(name, TensorProto.UNDEFINED)
        if kind not in (TensorProto.FLOAT, TensorProto.UNDEFINED):
            raise Unsupported(f"{name!r} is {model_file.type_name(kind)}; only float32 (FLOAT) is supported")
