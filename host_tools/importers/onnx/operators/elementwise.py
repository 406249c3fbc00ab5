"""Activations and element-wise arithmetic."""

from __future__ import annotations

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.geometry import broadcast
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.views import number

_FLOAT_MAX = float(np.finfo(np.float32).max)
_KINDS = {"Add": 0, "Sub": 1, "Mul": 2, "Div": 3, "Max": 4, "Min": 5, "Pow": 6, "Sum": 0, "Mean": 0}


def _activation(ctx: Context, node: Node, kind: int, a: float = 0.0, b: float = 0.0) -> None:
    ctx.emit("activation", node, [ctx.operand(node.inputs[0])], activation=kind, activation_a=a, activation_b=b)


def relu(ctx: Context, node: Node) -> None:
    _activation(ctx, node, 1)


def leaky_relu(ctx: Context, node: Node) -> None:
    _activation(ctx, node, 2, node.number("alpha", 0.01))


def p_relu(ctx: Context, node: Node) -> None:
    """One slope for all elements is a leaky ReLU."""
    slope = node.inputs[1]
    slopes = np.unique(ctx.value(slope, "slope")) if ctx.is_constant(slope) else np.zeros(0)
    if slopes.size == 1:
        _activation(ctx, node, 2, float(slopes[0]))
        return
    broadcast(ctx.shape(node.inputs[0]), ctx.shape(slope))
    ctx.emit("prelu", node, [ctx.operand(node.inputs[0]), ctx.operand(slope)])


def sigmoid(ctx: Context, node: Node) -> None:
    _activation(ctx, node, 4)


def clip(ctx: Context, node: Node) -> None:
    """Bounds are attributes up to opset 10 and optional inputs since."""
    lo, hi = node.number("min", -_FLOAT_MAX), node.number("max", _FLOAT_MAX)
    if ctx.opset >= 11:
        lo = float(ctx.value(node.inputs[1], "lower bound").item()) if node.has_input(1) else -_FLOAT_MAX
        hi = float(ctx.value(node.inputs[2], "upper bound").item()) if node.has_input(2) else _FLOAT_MAX
    lo, hi = max(lo, -_FLOAT_MAX), min(hi, _FLOAT_MAX)  # an infinite bound is no bound
    if lo == 0 and hi == _FLOAT_MAX:
        relu(ctx, node)
    else:
        _activation(ctx, node, 3, lo, hi)


def binary(ctx: Context, node: Node) -> None:
    a, b = node.inputs
    broadcast(ctx.shape(a), ctx.shape(b))
    ctx.emit("binary_op", node, [ctx.operand(a), ctx.operand(b)], kind=_KINDS[node.op])


def variadic(ctx: Context, node: Node) -> None:
    """Sum, Max and Min of any number of operands: a chain of binary operations."""
    if len(node.inputs) == 1:
        ctx.emit("share", node, [ctx.operand(node.inputs[0])])
        return
    left, shape = _all_but_last(ctx, node)
    broadcast(shape, ctx.shape(node.inputs[-1]))
    ctx.emit("binary_op", node, [left, ctx.operand(node.inputs[-1])], kind=_KINDS[node.op])


def mean(ctx: Context, node: Node) -> None:
    if len(node.inputs) == 1:
        ctx.emit("share", node, [ctx.operand(node.inputs[0])])
        return
    left, shape = _all_but_last(ctx, node)
    shape = broadcast(shape, ctx.shape(node.inputs[-1]))
    total = ctx.emit_new("binary_op", node, [left, ctx.operand(node.inputs[-1])], shape, kind=_KINDS[node.op])
    ctx.emit("binary_op", node, [total, number(ctx, node, 1 / len(node.inputs))], kind=_KINDS["Mul"])


def _all_but_last(ctx: Context, node: Node) -> tuple[str, Shape]:
    kind = _KINDS[node.op]
    left, shape = ctx.operand(node.inputs[0]), ctx.shape(node.inputs[0])
    for name in node.inputs[1:-1]:
        shape = broadcast(shape, ctx.shape(name))
        left = ctx.emit_new("binary_op", node, [left, ctx.operand(name)], shape, kind=kind)
    return left, shape
