"""Operators that keep every element and change at most where it lies."""

from __future__ import annotations

from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.refusals import Unsupported


def reshape(ctx: Context, node: Node) -> None:
    """Reshape, Flatten, Squeeze, Unsqueeze: the shape is what onnx infers from constant operands."""
    ctx.emit("reshape", node, [ctx.operand(node.inputs[0])])


def identity(ctx: Context, node: Node) -> None:
    ctx.emit("share", node, [ctx.operand(node.inputs[0])])


def dropout(ctx: Context, node: Node) -> None:
    """Does nothing at inference."""
    node.only_first_output()
    if node.has_input(2) and bool(ctx.value(node.inputs[2], "training_mode").item()):
        raise Unsupported("it is in training mode")
    identity(ctx, node)


def transpose(ctx: Context, node: Node) -> None:
    rank = len(ctx.shape(node.inputs[0]))
    perm = node.integers("perm", tuple(reversed(range(rank))))
    ctx.emit("permute", node, [ctx.operand(node.inputs[0])], perm=perm)
