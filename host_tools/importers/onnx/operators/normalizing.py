"""Batch normalisation and softmax."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.geometry import spatial_axis
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.refusals import Unsupported


def batch_normalization(ctx: Context, node: Node) -> None:
    """y = x * a + b with a = scale / sqrt(variance + epsilon) and b = bias - mean * a."""
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
    axis = spatial_axis(shape, 1)
    if a.shape != (shape[1],):
        raise Unsupported(f"{a.size} scales for {shape[1]} channels")
    constants = [
        ctx.builder.constant(f"{node.name}.a", a),
        ctx.builder.constant(f"{node.name}.b", bias - mean * a),
    ]
    ctx.emit("scale", node, [ctx.operand(node.inputs[0]), *constants], axis=axis)


def softmax(ctx: Context, node: Node) -> None:
    """Along one axis since opset 13; before, along all axes from `axis` on together."""
    shape = ctx.shape(node.inputs[0])
    rank = len(shape)
    axis = node.integer("axis", -1 if ctx.opset >= 13 else 1) % rank
    operand = ctx.operand(node.inputs[0])
    if ctx.opset >= 13:
        ctx.emit("softmax", node, [operand], axis=spatial_axis(shape, axis))
        return
    longer_than_one = [a for a in range(axis, rank) if shape[a] != 1]
    if len(longer_than_one) <= 1:
        only = longer_than_one[0] if longer_than_one else rank - 1
        ctx.emit("softmax", node, [operand], axis=spatial_axis(shape, only))
        return
    rows = ctx.reshaped(node, node.inputs[0], (prod(shape[:axis]), prod(shape[axis:])))
    done = ctx.emit_new("softmax", node, [rows], (prod(shape[:axis]), prod(shape[axis:])), axis=2)
    ctx.emit("reshape", node, [done])
