"""Softmax, its logarithm, and division by the length."""

from __future__ import annotations

import math

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, Context, Node, position
from host_tools.quantised import log_softmax_parameters, softmax_parameters

_MUL = 2
_EPSILON = 1e-6  # LiteRT's: no shorter length divides
_LENGTH_SCALE = (1 / 128, 0)  # of L2_NORMALIZATION's output


def _last_axis(shape: Shape) -> int:
    axis = position(shape, -1) if shape else None
    if axis is None:
        raise Unsupported(f"shape {shape}; an axis is expected")
    return axis


def softmax(ctx: Context, node: Node) -> None:
    """Along the last axis, of beta times the input."""
    shape, beta = ctx.shape(node.input(0)), node.number("Beta")
    axis = _last_axis(shape)
    if not math.isfinite(beta):
        raise Unsupported(f"its beta is {beta}")
    if ctx.is_int8(node):
        values, attrs = softmax_parameters(ctx.quantisation(node.input(0))[0], beta, *ctx.quantisation(node.output))
        operands = [
            ctx.operand(node.input(0), INT8),
            ctx.constant(f"{node.output}.table", np.asarray(values)),
        ]
        ctx.emit("softmax_int8", node, operands, shape, axis=axis, **attrs)
        return
    operand = ctx.operand(node.input(0), FLOAT)
    if beta != 1.0:
        factor = ctx.number(node, beta)
        operand = ctx.emit_new("binary_op", node, [operand, factor], shape, kind=_MUL)
    ctx.emit("softmax", node, [operand], shape, axis=axis)


def log_softmax(ctx: Context, node: Node) -> None:
    """Along the last axis."""
    shape = ctx.shape(node.input(0))
    axis = _last_axis(shape)
    if not ctx.is_int8(node):
        ctx.emit("log_softmax", node, [ctx.operand(node.input(0), FLOAT)], shape, axis=axis)
        return
    scale, _ = ctx.quantisation(node.input(0))
    values, attrs = log_softmax_parameters(scale, *ctx.quantisation(node.output))
    operands = [ctx.operand(node.input(0), INT8), ctx.constant(f"{node.output}.table", np.asarray(values))]
    ctx.emit("log_softmax_int8", node, operands, shape, axis=axis, **attrs)


def l2_normalization(ctx: Context, node: Node) -> None:
    """Along the last axis."""
    shape = ctx.shape(node.input(0))
    axis = _last_axis(shape)
    if node.activation() != "NONE":
        raise Unsupported("its fused activation is not supported")
    if not ctx.is_int8(node):
        ctx.emit("l2_normalize", node, [ctx.operand(node.input(0), FLOAT)], shape, axis=axis, epsilon=_EPSILON)
        return
    if ctx.quantisation(node.output) != _LENGTH_SCALE:
        raise Unsupported(f"its output {node.output!r} must have the scale 1/128 and the zero point 0")
    _, zero = ctx.quantisation(node.input(0))
    operand = ctx.operand(node.input(0), INT8)
    ctx.emit("l2_normalize_int8", node, [operand], shape, axis=axis, input_zero=zero)
