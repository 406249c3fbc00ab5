"""Comparisons, logic, and what is chosen by them, by indices or by size. A truth value is a float32 here: 1 or 0."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT32, Context, Node, normal_axis, position
from host_tools.importers.tflite.operators.elementwise import aligned, broadcast

_MUL, _MAX, _REVERSE_SUB = 2, 4, 7  # kinds of binary_op
_EQUAL, _GREATER, _AT_LEAST = range(3)  # kinds of compare
# The kind, whether the operands change places, and whether it is the opposite.
_COMPARISONS = {
    "EQUAL": (_EQUAL, False, False),
    "GREATER": (_GREATER, False, False),
    "GREATER_EQUAL": (_AT_LEAST, False, False),
    "LESS": (_GREATER, True, False),
    "LESS_EQUAL": (_AT_LEAST, True, False),
    "NOT_EQUAL": (_EQUAL, False, True),
}
_LOGIC = {"LOGICAL_AND": _MUL, "LOGICAL_OR": _MAX}
COMPARISONS, LOGIC = tuple(_COMPARISONS), tuple(_LOGIC)


def _truth(ctx: Context, node: Node, i: int) -> str:
    """Input `i`, which has to be bool."""
    name = node.input(i)
    if ctx.source(name).dtype != np.bool_:
        raise Unsupported(f"its input {name!r} is {ctx.source(name).type_name.lower()}; bool is expected")
    if ctx.is_constant(name):
        return ctx.derived(name, "numbers", ctx.constants[name].astype(np.float32))
    ctx.shape(name)
    return name


def _pair(ctx: Context, node: Node, names: list[str]) -> tuple[list[str], Shape]:
    """Two operands seen with as many axes, and the shape of the result."""
    shapes = [ctx.builder.graph.tensor(name).shape for name in names]
    out = broadcast(*shapes)
    return [ctx.reshaped(node, name, aligned(s, out)) for name, s in zip(names, shapes, strict=True)], out


def compare(ctx: Context, node: Node) -> None:
    kind, exchanged, opposite = _COMPARISONS[node.kind]
    operands, out = _pair(ctx, node, [ctx.operand(node.input(i), FLOAT) for i in (0, 1)])
    operands = operands[::-1] if exchanged else operands
    if opposite:
        same = ctx.emit_new("compare", node, operands, out, kind=kind)
        ctx.emit("binary_op", node, [same, ctx.number(node, 1.0)], out, kind=_REVERSE_SUB)
    else:
        ctx.emit("compare", node, operands, out, kind=kind)


def logic(ctx: Context, node: Node) -> None:
    """And is the product, or the larger one."""
    operands, out = _pair(ctx, node, [_truth(ctx, node, i) for i in (0, 1)])
    ctx.emit("binary_op", node, operands, out, kind=_LOGIC[node.kind])


def negation(ctx: Context, node: Node) -> None:
    operands = [_truth(ctx, node, 0), ctx.number(node, 1.0)]
    ctx.emit("binary_op", node, operands, ctx.shape(node.input(0)), kind=_REVERSE_SUB)


def select(ctx: Context, node: Node) -> None:
    """SELECT and SELECT_V2; in the first a condition of one axis goes with the first axis of the others."""
    shapes = [ctx.shape(node.input(i)) for i in range(3)]
    if node.kind == "SELECT" and len(shapes[0]) == 1 and len(shapes[1]) > 1:
        shapes[0] += (1,) * (len(shapes[1]) - 1)
    out = broadcast(broadcast(shapes[1], shapes[2]), shapes[0])
    for shape in shapes:
        broadcast(shape, out)
    names = [_truth(ctx, node, 0), *(ctx.operand(node.input(i), FLOAT) for i in (1, 2))]
    operands = [ctx.reshaped(node, name, aligned(s, out)) for name, s in zip(names, shapes, strict=True)]
    ctx.emit("where", node, operands, out)


def gather(ctx: Context, node: Node) -> None:
    """What indices of the run name along an axis; one that is outside names the nearest element."""
    shape, indices = ctx.shape(node.input(0)), ctx.shape(node.input(1))
    axis = normal_axis(node.integer("Axis", 0), len(shape))
    if node.integer("BatchDims", 0):
        raise Unsupported("indices for each element of the first axes (batch_dims)")
    before, behind, count = prod(shape[:axis]), prod(shape[axis + 1 :]), prod(indices)
    source = ctx.reshaped(node, ctx.operand(node.input(0), ctx.dtype(node.output)), (before, shape[axis], behind))
    places = ctx.reshaped(node, _indices(ctx, node.input(1)), (1, count, 1))
    final = (*shape[:axis], *indices, *shape[axis + 1 :])
    ctx.result("gather", node, [source, places], (before, count, behind), final)


def _indices(ctx: Context, name: str) -> str:
    if ctx.is_constant(name):
        return ctx.derived(name, "indices", ctx.constants[name].astype(np.int32))
    if ctx.builder.graph.tensor(name).dtype != INT32:
        raise Unsupported(f"its indices {name!r} are {ctx.source(name).type_name.lower()}; int32 is supported")
    return name


def cumulative_sum(ctx: Context, node: Node) -> None:
    shape = ctx.shape(node.input(0))
    (axis,) = ctx.integers(node, 1, "axis")
    operand, view, at = _lines(ctx, node, normal_axis(axis, len(shape)))
    flags = {"exclusive": node.integer("Exclusive", 0), "reverse": node.integer("Reverse", 0)}
    ctx.result("cumsum", node, [operand], view, shape, axis=at, **{name: int(value) for name, value in flags.items()})


def top_k(ctx: Context, node: Node) -> None:
    """The largest of the last axis, and where they are: a layer each."""
    shape = ctx.shape(node.input(0))
    (k,) = ctx.integers(node, 1, "k")
    if not shape or not 1 <= k <= shape[-1]:
        raise Unsupported(f"{k} of the last axis of shape {shape}")
    operand, view, at = _lines(ctx, node, len(shape) - 1)
    final = (*shape[:-1], k)
    kept = final if view == shape else (view[0], k, view[2])
    for output in node.outputs:
        ctx.result("top_k", node, [operand], kept, final, output, smallest=0, axis=at)


def _lines(ctx: Context, node: Node, axis: int) -> tuple[str, Shape, int]:
    """The first operand for a layer along an axis, its shape then, and whether the axis is c (0), h (1) or w (2)."""
    shape, operand = ctx.shape(node.input(0)), ctx.operand(node.input(0), FLOAT)
    at = position(shape, axis)
    if at is not None:
        return operand, shape, at
    view = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    return ctx.reshaped(node, operand, view), view, 1
