"""Where a model goes from float32 to int8 and back, and what moves int8 numbers without saying what they
stand for.
"""

from __future__ import annotations

from math import prod

import numpy as np
from onnx import TensorProto

from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators import TABLE as FLOAT_TABLE
from host_tools.importers.onnx.quantised import windows
from host_tools.importers.onnx.quantised.emission import emit_group, mark
from host_tools.importers.onnx.quantised.groups import Group, Groups, Operand
from host_tools.importers.onnx.quantised.scheme import Scheme, blob_scheme
from host_tools.importers.refusals import Unsupported

_INTEGERS = (TensorProto.INT8, TensorProto.UINT8)
_MOVING = frozenset("Concat Dropout Flatten Identity Reshape Resize Slice Split Squeeze Transpose Unsqueeze".split())


def add_input(ctx: Context, groups: Groups, name: str) -> None:
    """An input of the model. An uint8 one becomes int8, with its zero point 128 lower; indices are int32."""
    ctx.builder.input(name, ctx.shape(name))
    if ctx.elem_type(name) in (TensorProto.INT32, TensorProto.INT64):
        ctx.builder.graph.tensor(name).dtype = np.dtype(np.int32)
    if ctx.elem_type(name) in _INTEGERS:
        scheme = groups.input_scheme(name)
        if scheme is None:
            raise Unsupported("it is quantised, but no DequantizeLinear behind it says what its numbers stand for")
        mark(ctx, name, scheme)


def quantize(ctx: Context, node: Node) -> None:
    """QuantizeLinear of a float32 blob."""
    if ctx.is_constant(node.inputs[0]) or ctx.elem_type(node.inputs[0]) not in (0, TensorProto.FLOAT):
        raise Unsupported("its input is not a blob of float32")
    if node.inputs[0] not in ctx.builder.graph.tensors:
        raise Unsupported(f"its input {node.inputs[0]!r} is not computed")
    scheme = blob_scheme(node.proto, ctx.constants, TensorProto.UNDEFINED)
    shape = ctx.shape(node.output)
    # Every element in the arithmetic that rounds halves to even, as ONNX does.
    attrs = {"scale": scheme.scale, "zero_point": scheme.zero, "in_blocks": prod(shape)}
    ctx.emit("quantize", node, [node.inputs[0]], **attrs)
    mark(ctx, node.output, scheme)


def dequantize(ctx: Context, name: str, operand: Operand) -> None:
    """DequantizeLinear of an int8 blob into the float32 blob `name`."""
    if operand.name not in ctx.builder.graph.tensors:
        raise Unsupported(f"its input {operand.name!r} is not computed")
    attrs = {"scale": operand.scheme.scale, "zero_point": operand.scheme.zero, "in_blocks": 0}
    ctx.builder.emit("dequantize", name, [operand.name], name, ctx.shape(name), **attrs)


def moves_integers(ctx: Context, node: Node) -> bool:
    """Whether a node takes quantised blobs as they are."""
    return bool(node.inputs) and not ctx.is_constant(node.inputs[0]) and ctx.elem_type(node.inputs[0]) in _INTEGERS


def move_integers(ctx: Context, node: Node) -> None:
    """An operator on quantised blobs themselves: what moves them, and MaxPool. They keep their scheme."""
    nearest = node.text("mode", "nearest") == "nearest"
    if node.op not in (*_MOVING, "MaxPool") or (node.op == "Resize" and not nearest):
        kind = "int8 or uint8"
        raise Unsupported(f"{node.inputs[0]!r} is {kind}; on such numbers themselves this operator is not supported")
    graph = ctx.builder.graph
    blobs = node.inputs if node.op == "Concat" else node.inputs[:1]
    for name in blobs:
        if name not in graph.tensors:
            raise Unsupported(f"its operand {name!r} is a constant")
    quantisation = graph.tensor(node.inputs[0]).quantisation
    if quantisation is None:
        raise Unsupported(f"nothing says what the numbers of {node.inputs[0]!r} stand for")
    scheme = Scheme(float(quantisation.scales[0]), int(quantisation.zero_points[0]))
    operands = {i: Operand(name, scheme) for i, name in enumerate(blobs)}
    group = Group(node, operands, [Operand(output, scheme) for output in node.outputs if output])
    if node.op == "MaxPool":
        emit_group(ctx, group, windows.max_pool)
    else:
        emit_group(ctx, group, lambda context, made: FLOAT_TABLE[made.node.op](context, made.node))
