"""Operators that take elements several times, or some of them: Expand, Tile, Gather."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.choosing import gathered
from host_tools.importers.onnx.operators.moving import slice_attrs
from host_tools.importers.onnx.operators.views import finish, repeated
from host_tools.importers.refusals import Unsupported

_MOST_RUNS = 32
_H = 1


def expand(ctx: Context, node: Node) -> None:
    shape, out = ctx.shape(node.inputs[0]), ctx.shape(node.output)
    shape = (1,) * (len(out) - len(shape)) + shape
    times = [after // before for before, after in zip(shape, out, strict=True)]
    _repeat(ctx, node, times)


def tile(ctx: Context, node: Node) -> None:
    _repeat(ctx, node, ctx.integers(node, 1, "repeats"))


def _repeat(ctx: Context, node: Node, times: list[int]) -> None:
    out = ctx.shape(node.output)
    shape = ctx.shape(node.inputs[0])
    shape = (1,) * (len(out) - len(shape)) + shape
    blob = ctx.operand(node.inputs[0])
    for axis, n in enumerate(times):
        if n > 1:
            blob, shape = repeated(ctx, node, blob, shape, axis, n)
    ctx.emit("reshape", node, [blob])


def gather(ctx: Context, node: Node) -> None:
    """With constant indices a slice for each run of them that is evenly spaced, and their concatenation."""
    shape = ctx.shape(node.inputs[0])
    axis = node.integer("axis", 0) % len(shape)
    if not ctx.is_constant(node.inputs[1]):
        view = (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
        gathered(ctx, node, view, (1, prod(ctx.shape(node.inputs[1])), 1))
        return
    indices = ctx.value(node.inputs[1], "indices").reshape(-1).astype(np.int64)
    indices = np.where(indices < 0, indices + shape[axis], indices)
    if not ((0 <= indices) & (indices < shape[axis])).all():
        raise Unsupported(f"an index lies outside the {shape[axis]} elements of axis {axis}")
    runs = _runs([int(i) for i in indices])
    if len(runs) > _MOST_RUNS:
        gathered(ctx, node, (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])), (1, len(indices), 1))
        return
    before, behind = prod(shape[:axis]), prod(shape[axis + 1 :])
    source = ctx.reshaped(node, node.inputs[0], (before, shape[axis], behind))
    parts = []
    for start, step, count in runs:
        attrs = slice_attrs((before, shape[axis], behind), {_H: (start, step)})
        if len(runs) == 1:
            finish(ctx, node, "slice", [source], (before, count, behind), **attrs)
            return
        parts.append(ctx.emit_new("slice", node, [source], (before, count, behind), **attrs))
    finish(ctx, node, "concat", parts, (before, len(indices), behind), axis=_H)


def _runs(indices: list[int]) -> list[tuple[int, int, int]]:
    """(start, step, count) of rising runs."""
    runs: list[tuple[int, int, int]] = []
    for index in indices:
        if runs:
            start, step, count = runs[-1]
            if count == 1 and index > start:
                runs[-1] = (start, index - start, 2)
                continue
            if count > 1 and index == start + step * count:
                runs[-1] = (start, step, count + 1)
                continue
        runs.append((index, 1, 1))
    return runs
