"""Adds the layers of one quantised operator to the graph, with the type and scale of every blob."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from onnx import NodeProto

from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.folding import EVALUATION_ERRORS
from host_tools.importers.onnx.quantised.groups import Group, Operand
from host_tools.importers.onnx.quantised.scheme import INT8, Scheme
from host_tools.importers.refusals import Unsupported

# Layers whose output has the scale of their first input; that of all others is the operator's.
_KEEP_THE_SCALE = frozenset(
    ["concat", "copy", "interp", "padding", "permute", "pooling_int8", "reshape", "share", "slice"]
)

QuantisedHandler = Callable[[Context, Group], None]


def emit_group(ctx: Context, group: Group, handler: QuantisedHandler) -> None:
    """Runs the handler; where it raises Unsupported the graph is as it was before."""
    graph = ctx.builder.graph
    layers, tensors = len(graph.layers), len(graph.tensors)
    try:
        handler(ctx, group)
        for layer in graph.layers[layers:]:
            mark(ctx, layer.outputs[0], _scheme(ctx, group, layer.op, layer.inputs[0]))
        for operand in group.outputs:
            if _scheme_of_blob(ctx, operand.name) != operand.scheme:
                raise Unsupported("its output has another scale than its input")
        for copy in group.copies:
            first = group.outputs[0]
            ctx.builder.emit("share", group.node.name, [first.name], copy, ctx.shape(copy))
            mark(ctx, copy, first.scheme)
    except (*EVALUATION_ERRORS, Unsupported) as reason:
        del graph.layers[layers:]
        for name in list(graph.tensors)[tensors:]:
            if graph.tensors[name].data is None:
                del graph.tensors[name]
        raise Unsupported(str(reason)) from reason


def mark(ctx: Context, name: str, scheme: Scheme | None) -> None:
    """Makes a blob of the graph an int8 one."""
    tensor = ctx.builder.graph.tensor(name)
    tensor.dtype = INT8
    tensor.quantisation = None if scheme is None else scheme.quantisation()


def _scheme(ctx: Context, group: Group, op: str, source: str) -> Scheme:
    kept = _scheme_of_blob(ctx, source) if op in _KEEP_THE_SCALE else None
    return kept or group.outputs[0].scheme


def _scheme_of_blob(ctx: Context, name: str) -> Scheme | None:
    quantisation = ctx.builder.graph.tensor(name).quantisation
    if quantisation is None:
        return None
    return Scheme(float(quantisation.scales[0]), int(quantisation.zero_points[0]))


def integer_node(group: Group) -> Node:
    """The float operator's node, with the int8 blobs in place of the float ones."""
    proto = NodeProto()
    proto.CopyFrom(group.node.proto)
    for i, operand in group.operands.items():
        proto.input[i] = operand.name
    used = iter(group.outputs)
    for i, name in enumerate(group.node.outputs):
        if name:
            proto.output[i] = next(used).name
    proto.name = group.node.name
    return Node(proto)


def blob_operand(group: Group, i: int = 0) -> Operand:
    """Input `i`, which has to be a blob."""
    if i not in group.operands:
        raise Unsupported(f"its operand {i} is a constant")
    return group.operands[i]


def any_operand(ctx: Context, group: Group, i: int) -> Operand:
    """Input `i`: a blob, or a constant that the source stores quantised with one scale."""
    if i in group.operands:
        return group.operands[i]
    name = group.node.inputs[i]
    scaled = ctx.scaled(name)
    if scaled is None or scaled.data.dtype != INT8:
        raise Unsupported(f"its operand {name!r} is not quantised to 8 bits")
    scheme = scaled.single()
    made = ctx.integer_constant(name, scaled.data)
    ctx.builder.graph.tensor(made).quantisation = scheme.quantisation()
    return Operand(made, scheme)


def with_scheme(ctx: Context, group: Group, operand: Operand, scheme: Scheme) -> str:
    """The name of a blob that stands for the operand in another scheme: itself, or a new one behind a
    table.
    """
    if operand.scheme == scheme:
        return operand.name
    numbers = np.arange(-128, 128).astype(INT8)
    table = ctx.integer_constant(f"{group.node.name}.table", scheme.quantise(operand.scheme.dequantise(numbers)))
    made = ctx.emit_new("table_int8", group.node, [operand.name, table], ctx.shape(operand.name))
    mark(ctx, made, scheme)
    return made


def renamed(group: Group, names: dict[int, str]) -> Group:
    """The group with other blobs as its inputs, of the output's scheme."""
    scheme = group.outputs[0].scheme
    operands = {i: Operand(names[i], scheme) if i in names else old for i, old in group.operands.items()}
    return replace(group, operands=operands)
