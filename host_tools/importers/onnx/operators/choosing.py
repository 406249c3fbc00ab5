"""Comparisons, logic, and what is chosen by them or by indices. A truth value is a float32 here: 1 or 0."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.geometry import broadcast
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.views import finish, lines, number
from host_tools.importers.refusals import Unsupported

_MUL, _MAX, _REVERSE_SUB = 2, 4, 7  # kinds of binary_op
_EQUAL, _GREATER, _AT_LEAST = range(3)  # kinds of compare
# The kind, and whether the operands change places.
_COMPARISONS = {
    "Equal": (_EQUAL, False),
    "Greater": (_GREATER, False),
    "GreaterOrEqual": (_AT_LEAST, False),
    "Less": (_GREATER, True),
    "LessOrEqual": (_AT_LEAST, True),
}
COMPARISONS = tuple(_COMPARISONS)


def _number(ctx: Context, node: Node, name: str) -> str:
    """An operand as float32: truth values are, integers become it (they are exact up to 2^24)."""
    if ctx.is_constant(name):
        return ctx.builder.constant(f"{name}.numbers", ctx.constants[name].astype(np.float32))
    if ctx.builder.graph.tensor(name).dtype == np.float32:
        return name
    return ctx.emit_new("cast", node, [name], ctx.shape(name))


def compare(ctx: Context, node: Node) -> None:
    kind, exchanged = _COMPARISONS[node.op]
    broadcast(*(ctx.shape(name) for name in node.inputs))
    operands = [_number(ctx, node, name) for name in node.inputs]
    ctx.emit("compare", node, operands[::-1] if exchanged else operands, kind=kind)


def logic(ctx: Context, node: Node) -> None:
    """And, Or and Xor are the product, the larger and the other one."""
    broadcast(*(ctx.shape(name) for name in node.inputs))
    operands = [_number(ctx, node, name) for name in node.inputs]
    if node.op == "Xor":
        same = ctx.emit_new("compare", node, operands, ctx.shape(node.output), kind=_EQUAL)
        ctx.emit("binary_op", node, [same, number(ctx, node, 1.0)], kind=_REVERSE_SUB)
    else:
        ctx.emit("binary_op", node, operands, kind=_MUL if node.op == "And" else _MAX)


def negation(ctx: Context, node: Node) -> None:
    ctx.emit("binary_op", node, [_number(ctx, node, node.inputs[0]), number(ctx, node, 1.0)], kind=_REVERSE_SUB)


def truth(ctx: Context, node: Node, name: str) -> None:
    """The node's output: whether each element differs from 0."""
    zero = number(ctx, node, 0.0)
    falls = ctx.emit_new("compare", node, [_number(ctx, node, name), zero], ctx.shape(name), kind=_EQUAL)
    ctx.emit("compare", node, [falls, zero], kind=_EQUAL)


def where(ctx: Context, node: Node) -> None:
    if ctx.builder.graph.tensors.get(node.inputs[1]) and ctx.elem_type(node.output) not in (0, 1):
        raise Unsupported("it chooses between integers; float32 is supported")
    shapes = [ctx.shape(name) for name in node.inputs]
    out = ctx.shape(node.output)
    for shape in shapes:
        broadcast(shape, out)
    ctx.emit("where", node, [_number(ctx, node, node.inputs[0]), *(ctx.operand(n) for n in node.inputs[1:])])


def trilu(ctx: Context, node: Node) -> None:
    """A triangle of each matrix, zeros elsewhere."""
    rows, columns = ctx.shape(node.inputs[0])[-2:]
    k = int(ctx.value(node.inputs[1], "diagonal").item()) if node.has_input(1) else 0
    ones = np.ones((rows, columns), np.float32)
    mask = np.triu(ones, k) if node.integer("upper", 1) else np.tril(ones, k)
    ctx.emit(
        "where", node, [ctx.builder.constant(f"{node.name}.triangle", mask), node.inputs[0], number(ctx, node, 0.0)]
    )


def cum_sum(ctx: Context, node: Node) -> None:
    axis = ctx.integers(node, 1, "axis")[0]
    source, view, at = lines(ctx, node, axis)
    attrs = {"axis": at, "exclusive": node.integer("exclusive", 0), "reverse": node.integer("reverse", 0)}
    finish(ctx, node, "cumsum", [source], view, **attrs)


def top_k(ctx: Context, node: Node) -> None:
    """One layer for the elements and one for where they lie; sorted even where any order would do."""
    shape = ctx.shape(node.inputs[0])
    axis = node.integer("axis", -1)
    source, view, at = lines(ctx, node, axis)
    k = ctx.integers(node, 1, "k")[0] if ctx.opset >= 10 else node.integer("k", 0)
    over = axis % len(shape)
    if not 1 <= k <= shape[over]:
        raise Unsupported(f"{k} of the {shape[over]} elements of axis {over}")
    final = (*shape[:over], k, *shape[over + 1 :])
    kept = final if view == shape else (view[0], k, view[2])
    attrs = {"axis": at, "smallest": int(node.integer("largest", 1) == 0)}
    for output, dtype in zip(node.outputs, (np.float32, np.int32), strict=False):
        if not output:
            continue
        if kept == final:
            ctx.builder.emit("top_k", node.name, [source], output, final, **attrs)
        else:
            found = ctx.emit_new("top_k", node, [source], kept, **attrs)
            ctx.builder.graph.tensor(found).dtype = np.dtype(dtype)
            ctx.builder.emit("reshape", node.name, [found], output, final)
        ctx.builder.graph.tensor(output).dtype = np.dtype(dtype)


def gather_elements(ctx: Context, node: Node) -> None:
    shape, out = ctx.shape(node.inputs[0]), ctx.shape(node.output)
    axis = node.integer("axis", 0) % len(shape)
    if shape[:axis] != out[:axis] or shape[axis + 1 :] != out[axis + 1 :]:
        raise Unsupported(f"it takes shape {out} out of {shape}; only axis {axis} may differ")
    before, behind = prod(shape[:axis]), prod(shape[axis + 1 :])
    gathered(ctx, node, (before, shape[axis], behind), (before, out[axis], behind))


def gathered(ctx: Context, node: Node, view: Shape, indices: Shape) -> None:
    """The node's output: what its second operand, seen with shape `indices`, names along the middle axis of its first,
    seen with shape `view`.
    """
    name = node.inputs[1]
    if ctx.is_constant(name):
        places = ctx.integer_constant(f"{name}.indices", ctx.constants[name].astype(np.int32).reshape(indices))
    else:
        whole = ctx.builder.graph.tensor(name).dtype == np.int32
        places = name if whole else ctx.emit_new("cast", node, [name], ctx.shape(name))
        ctx.builder.graph.tensor(places).dtype = np.dtype(np.int32)
        if ctx.builder.graph.tensor(places).shape != indices:
            places = ctx.emit_new("reshape", node, [places], indices)
            ctx.builder.graph.tensor(places).dtype = np.dtype(np.int32)
    source = ctx.reshaped(node, node.inputs[0], view)
    finish(ctx, node, "gather", [source, places], (view[0], indices[1], view[2]))
