"""Batch normalisation and softmax."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.geometry import spatial_axis
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.views import finish, lines
from host_tools.importers.refusals import Unsupported


def batch_normalization(ctx: Context, node: Node) -> None:
    """y = x * a + b, a and b for each channel."""
    a, b = factors_and_summands(ctx, node)
    axis = spatial_axis(ctx.shape(node.inputs[0]), 1)
    constants = [ctx.builder.constant(f"{node.name}.a", a), ctx.builder.constant(f"{node.name}.b", b)]
    ctx.emit("scale", node, [ctx.operand(node.inputs[0]), *constants], axis=axis)


def factors_and_summands(ctx: Context, node: Node) -> tuple[np.ndarray, np.ndarray]:
    """What a batch normalisation multiplies by and adds: a = scale / sqrt(variance + epsilon) and
    b = bias - mean * a, float64.
    """
    node.only_first_output()
    if node.integer("training_mode", 0) or not node.integer("spatial", 1):
        raise Unsupported("it is in training mode, or normalises every element by itself (spatial = 0)")
    parts = ("scale", "bias", "mean", "variance")
    scale, bias, mean, variance = (
        ctx.value(name, what).astype(np.float64) for name, what in zip(node.inputs[1:5], parts, strict=True)
    )
    variance = variance + node.number("epsilon", 1e-5)
    if not (variance > 0).all():
        raise Unsupported("a variance is not positive")
    a = scale / np.sqrt(variance)
    shape = ctx.shape(node.inputs[0])
    if a.shape != (shape[1],):
        raise Unsupported(f"{a.size} scales for {shape[1]} channels")
    return a, bias - mean * a


def softmax(ctx: Context, node: Node) -> None:
    softmax_as(ctx, node, "softmax", [])


def log_softmax(ctx: Context, node: Node) -> None:
    softmax_as(ctx, node, "log_softmax", [])


def softmax_as(ctx: Context, node: Node, op: str, constants: list[str], **attrs: Attr) -> None:
    """Along one axis since opset 13; before, along all axes from `axis` on together.

    op: the layer that computes it, with these constants and attributes besides its operand and axis.
    """
    shape = ctx.shape(node.inputs[0])
    rank = len(shape)
    axis = node.integer("axis", -1 if ctx.opset >= 13 else 1) % rank
    longer_than_one = [a for a in range(axis, rank) if shape[a] != 1]
    if ctx.opset >= 13 or len(longer_than_one) <= 1:
        if ctx.opset < 13:
            axis = longer_than_one[0] if longer_than_one else rank - 1
        source, view, at = lines(ctx, node, axis)
        finish(ctx, node, op, [source, *constants], view, axis=at, **attrs)
        return
    flat = (prod(shape[:axis]), prod(shape[axis:]))
    rows = ctx.reshaped(node, node.inputs[0], flat)
    done = ctx.emit_new(op, node, [rows, *constants], flat, axis=2, **attrs)
    ctx.emit("reshape", node, [done])
