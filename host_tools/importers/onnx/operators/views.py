"""Blobs seen with other shapes: for layers that work along one axis, and to move axes about."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.geometry import spatial_axis
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.refusals import Unsupported

MUL = 2  # kind of binary_op


def lines(ctx: Context, node: Node, axis: int) -> tuple[str, Shape, int]:
    """The node's first operand for a layer along one axis: as it is where (c, h, w) has that axis, else with the axes
    before it and behind it folded. The shape that it is seen with, and whether the axis is c (0), h (1) or w (2) then.
    """
    shape = ctx.shape(node.inputs[0])
    rank = len(shape)
    if not -rank <= axis < rank:
        raise Unsupported(f"it works along axis {axis} of shape {shape}")
    try:
        return ctx.operand(node.inputs[0]), shape, spatial_axis(shape, axis)
    except Unsupported:
        axis %= rank
        view = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
        return ctx.reshaped(node, node.inputs[0], view), view, 1


def finish(ctx: Context, node: Node, op: str, inputs: list[str], shape: Shape, /, **attrs: Attr) -> None:
    """The layer that makes the node's output, in this shape, and the reshape behind it where that is not the
    output's.
    """
    final = ctx.shape(node.output)
    if final == shape:
        ctx.emit(op, node, inputs, **attrs)
    else:
        if prod(final) != prod(shape):
            raise Unsupported(f"its output should have shape {final}, but its operands give {shape}")
        ctx.emit("reshape", node, [ctx.emit_new(op, node, inputs, shape, **attrs)])


def number(ctx: Context, node: Node, value: float) -> str:
    """A constant of one element."""
    return ctx.builder.constant(f"{node.name}.number", np.array(value))


def repeated(ctx: Context, node: Node, blob: str, shape: Shape, axis: int, times: int) -> tuple[str, Shape]:
    """The blob as often along an axis; a multiplication by ones spreads an axis of one element."""
    before, behind = prod(shape[:axis]), prod(shape[axis:])
    view = ctx.builder.reshaped(node.name, blob, (before, 1, behind))
    ones = ctx.builder.constant(f"{node.name}.ones", np.ones((1, times, 1)))
    spread = ctx.emit_new("binary_op", node, [view, ones], (before, times, behind), kind=MUL)
    wider = (*shape[:axis], shape[axis] * times, *shape[axis + 1 :])
    return ctx.builder.reshaped(node.name, spread, wider), wider


def permute(ctx: Context, node: Node, blob: str, shape: Shape, perm: Shape) -> None:
    """The node's output: the blob, seen with this shape, with its axes in another order.

    A permute layer moves four axes at most. More are first merged where neighbours stay neighbours, and then moved one
    after the other.
    """
    if sum(size != 1 for size in shape) <= 4:
        source = ctx.builder.reshaped(node.name, blob, shape)
        finish(ctx, node, "permute", [source], tuple(shape[axis] for axis in perm), perm=perm)
        return
    sizes, order = _merged(shape, perm)
    source = ctx.builder.reshaped(node.name, blob, tuple(sizes))
    if len(sizes) <= 4:
        finish(ctx, node, "permute", [source], tuple(sizes[axis] for axis in order), perm=tuple(order))
        return
    now = list(range(len(sizes)))
    for place, axis in enumerate(order):
        at = now.index(axis)
        if at == place:
            continue
        moved = [now[:place], now[place:at], [axis], now[at + 1 :]]
        a, b, c, d = (prod(sizes[i] for i in group) for group in moved)
        now = [*moved[0], axis, *moved[1], *moved[3]]
        source = ctx.builder.reshaped(node.name, source, (a, b, c, d))
        if now == order:
            finish(ctx, node, "permute", [source], (a, c, b, d), perm=(0, 2, 1, 3))
            return
        source = ctx.emit_new("permute", node, [source], (a, c, b, d), perm=(0, 2, 1, 3))


def _merged(shape: Shape, perm: Shape) -> tuple[list[int], list[int]]:
    """Sizes and new order of the axes, without those of one element and with those as one that stay side by side."""
    runs: list[list[int]] = []
    for axis in perm:
        if shape[axis] == 1:
            continue
        if runs and all(shape[between] == 1 for between in range(runs[-1][-1] + 1, axis)) and axis > runs[-1][-1]:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    first = sorted(run[0] for run in runs)
    by_first = {run[0]: run for run in runs}
    sizes = [prod(shape[axis] for axis in by_first[start]) for start in first]
    return sizes, [first.index(run[0]) for run in runs]
