"""Normalisations by mean and variance of the elements themselves, and by their length."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.views import finish, lines, permute
from host_tools.importers.refusals import Unsupported

_H, _W = 1, 2  # axes of layers
_DIV, _ABSOLUTE = 3, 5  # kinds of binary_op and reduce
_LEAST_VARIANCE = 1e-9  # as in ONNX's definition of MeanVarianceNormalization
_SHORTEST = 1e-30  # of what is divided by; ONNX divides 0 by 0 into 0


def layer_normalization(ctx: Context, node: Node) -> None:
    """LayerNormalization and RMSNormalization: over the last axes, from `axis` on."""
    node.only_first_output()
    shape = ctx.shape(node.inputs[0])
    rank = len(shape)
    axis = node.integer("axis", -1)
    if not -rank <= axis < rank:
        raise Unsupported(f"it works from axis {axis} of shape {shape} on")
    axis %= rank
    view = shape if axis == rank - 1 else (prod(shape[:axis]), prod(shape[axis:]))
    normalised = _normalised(ctx, node, view, node.integer("stash_type", 1), node.op == "LayerNormalization")
    factors = _spread(ctx.value(node.inputs[1], "scale"), shape[axis:])
    bias = node.inputs[2] if node.has_input(2) else None
    terms = np.zeros(factors.size) if bias is None else _spread(ctx.value(bias, "bias"), shape[axis:])
    _scale(ctx, node, normalised, view, factors, terms, _W)


def _spread(values: np.ndarray, shape: Shape) -> np.ndarray:
    return np.broadcast_to(values, shape).reshape(-1)


def _normalised(ctx: Context, node: Node, view: Shape, stash_type: int, centred: bool) -> str:
    """The node's input, seen so, along its last axis."""
    if stash_type != 1:
        raise Unsupported("it computes in another type than float32 (stash_type)")
    source = ctx.reshaped(node, node.inputs[0], view)
    epsilon = node.number("epsilon", 1e-5)
    if not epsilon > 0:
        raise Unsupported(f"its epsilon is {epsilon}; it must be above 0")
    return ctx.emit_new("normalization", node, [source], view, axis=_W, centred=int(centred), epsilon=epsilon)


def _scale(ctx: Context, node: Node, blob: str, view: Shape, factors: np.ndarray, terms: np.ndarray, axis: int) -> None:
    constants = [ctx.builder.constant(f"{node.name}.a", factors), ctx.builder.constant(f"{node.name}.b", terms)]
    finish(ctx, node, "scale", [blob, *constants], view, axis=axis)


def instance_normalization(ctx: Context, node: Node) -> None:
    """Each channel by itself."""
    shape = ctx.shape(node.inputs[0])
    view = (shape[0] * shape[1], prod(shape[2:]))
    normalised = _normalised(ctx, node, view, 1, True)
    _scale_channels(ctx, node, normalised, shape)


def group_normalization(ctx: Context, node: Node) -> None:
    """Groups of channels (opset 21; the one of opset 18 is withdrawn)."""
    shape = ctx.shape(node.inputs[0])
    groups = node.integer("num_groups", 0)
    if groups < 1 or shape[1] % groups:
        raise Unsupported(f"{groups} groups of {shape[1]} channels")
    view = (shape[0] * groups, prod(shape[1:]) // groups)
    normalised = _normalised(ctx, node, view, node.integer("stash_type", 1), True)
    _scale_channels(ctx, node, normalised, shape)


def _scale_channels(ctx: Context, node: Node, blob: str, shape: Shape) -> None:
    view = (shape[0] * shape[1], prod(shape[2:]))
    factors, terms = (ctx.value(node.inputs[i], what) for i, what in ((1, "scale"), (2, "bias")))
    if factors.shape != shape[1:2] or terms.shape != shape[1:2]:
        raise Unsupported(f"{factors.size} scales and {terms.size} biases for {shape[1]} channels")
    of_channels = [np.tile(values, shape[0]) for values in (factors, terms)]
    _scale(ctx, node, ctx.builder.reshaped(node.name, blob, view), view, of_channels[0], of_channels[1], _H)


def mean_variance_normalization(ctx: Context, node: Node) -> None:
    """Over some axes together, which are brought to the end for it, and back."""
    shape = ctx.shape(node.inputs[0])
    over = sorted(axis % len(shape) for axis in node.integers("axes", (0, 2, 3)))
    order = tuple([axis for axis in range(len(shape)) if axis not in over] + over)
    moved = tuple(shape[axis] for axis in order)
    view = (prod(moved[: len(shape) - len(over)]), prod(moved[len(shape) - len(over) :]))
    source = ctx.operand(node.inputs[0])
    still = [axis for axis in order if shape[axis] != 1] == [axis for axis in range(len(shape)) if shape[axis] != 1]
    if not still:
        source = ctx.emit_new("permute", node, [source], moved, perm=order)
    rows = ctx.builder.reshaped(node.name, source, view)
    done = ctx.emit_new("normalization", node, [rows], view, axis=_W, centred=1, epsilon=_LEAST_VARIANCE)
    permute(ctx, node, done, moved, tuple(order.index(axis) for axis in range(len(shape))))


def lp_normalization(ctx: Context, node: Node) -> None:
    """Division by the length (p = 2) or by the sum of the sizes (p = 1)."""
    axis, p = node.integer("axis", -1), node.integer("p", 2)
    source, view, at = lines(ctx, node, axis)
    if p == 2:
        finish(ctx, node, "l2_normalize", [source], view, axis=at, epsilon=_SHORTEST)
    elif p == 1:
        over = axis % len(view) if view == ctx.shape(node.inputs[0]) else 1
        kept = (*view[:over], 1, *view[over + 1 :])
        total = ctx.emit_new("reduce", node, [source], kept, kind=_ABSOLUTE, axis=at)
        finish(ctx, node, "binary_op", [source, total], view, kind=_DIV)
    else:
        raise Unsupported(f"its p is {p}; 1 and 2 are supported")
