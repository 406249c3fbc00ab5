"""Reductions over any axes, and where the largest or smallest element along an axis lies."""

from __future__ import annotations

import numpy as np

from host_tools.functions import KINDS
from host_tools.importers.builder import Shape
from host_tools.importers.geometry import spatial_axis
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators import windows
from host_tools.importers.onnx.operators.views import finish, lines
from host_tools.importers.reductions import (
    ABSOLUTE,
    LENGTH,
    LOG_SUM,
    LOG_SUM_EXP,
    MAX,
    MEAN,
    MIN,
    PRODUCT,
    SQUARES,
    SUM,
    in_turns,
)
from host_tools.importers.refusals import Unsupported

_KINDS = {
    "ReduceSum": SUM, "ReduceMean": MEAN, "ReduceMax": MAX, "ReduceMin": MIN, "ReduceProd": PRODUCT,
    "ReduceL1": ABSOLUTE, "ReduceL2": LENGTH, "ReduceLogSum": LOG_SUM, "ReduceLogSumExp": LOG_SUM_EXP,
    "ReduceSumSquare": SQUARES,
}  # fmt: skip
OPERATORS = tuple(_KINDS)
_H = 1

# Of one element.
_ALONE = {ABSOLUTE: "absolute", LENGTH: "absolute", LOG_SUM: "logarithm", SQUARES: "square"}


def reduce(ctx: Context, node: Node) -> None:
    """Means and maxima over height and width are poolings, which can take their input by rows."""
    shape = ctx.shape(node.inputs[0])
    wanted = windows.named_axes(ctx, node)
    kind = _KINDS[node.op]
    reduced = {axis for axis in wanted if shape[axis] != 1}
    if kind in (MEAN, MAX) and all(axis >= len(shape) - 2 for axis in reduced):
        windows.reduce(ctx, node)
    elif not reduced:
        _elementwise(ctx, node, kind)
    elif len(reduced) == 1 and _has_axis(shape, *reduced):
        (axis,) = reduced
        kept = (*shape[:axis], 1, *shape[axis + 1 :])
        finish(ctx, node, "reduce", [ctx.operand(node.inputs[0])], kept, kind=kind, axis=spatial_axis(shape, axis))
    else:
        _in_turns(ctx, node, kind, shape, reduced)


def _has_axis(shape: Shape, axis: int) -> bool:
    try:
        spatial_axis(shape, axis)
    except Unsupported:
        return False
    return True


def _elementwise(ctx: Context, node: Node, kind: int) -> None:
    """No axis of more than one element is reduced."""
    operand = ctx.operand(node.inputs[0])
    if kind in _ALONE:
        finish(ctx, node, "unary", [operand], ctx.shape(node.inputs[0]), kind=KINDS[_ALONE[kind]], a=0.0, b=0.0)
    else:
        same = ctx.shape(node.output) == ctx.shape(node.inputs[0])
        ctx.emit("share" if same else "reshape", node, [operand])


def _in_turns(ctx: Context, node: Node, kind: int, shape: Shape, reduced: set[int]) -> None:
    steps = list(in_turns(shape, reduced, kind))
    blob = ctx.operand(node.inputs[0])
    for i, step in enumerate(steps):
        source = ctx.builder.reshaped(node.name, blob, step.view)
        if i == len(steps) - 1:
            finish(ctx, node, "reduce", [source], step.kept, kind=step.kind, axis=_H)
        else:
            blob = ctx.emit_new("reduce", node, [source], step.kept, kind=step.kind, axis=_H)


def arg_extremum(ctx: Context, node: Node) -> None:
    """The indices are int32, where ONNX says int64: no axis is longer."""
    axis = node.integer("axis", 0)
    source, view, at = lines(ctx, node, axis)
    if node.integer("select_last_index", 0):
        raise Unsupported("it finds the last of equal elements (select_last_index); the first one is supported")
    over = axis % len(view) if view == ctx.shape(node.inputs[0]) else 1
    kept = (*view[:over], 1, *view[over + 1 :])
    attrs = {"kind": int(node.op == "ArgMin"), "axis": at}
    final = ctx.shape(node.output)
    if final == kept:
        ctx.emit("arg_max", node, [source], **attrs)
    else:
        found = ctx.emit_new("arg_max", node, [source], kept, **attrs)
        ctx.builder.graph.tensor(found).dtype = np.dtype(np.int32)
        ctx.emit("reshape", node, [found])
    ctx.builder.graph.tensor(node.output).dtype = np.dtype(np.int32)
