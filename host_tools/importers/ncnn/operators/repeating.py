"""Tile, and Flip, which has each element once but in the opposite order."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.ncnn.context import Context
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_MUL = 2
_MOST_TIMES = 1 << 16


def tile(ctx: Context, layer: ParamLayer) -> None:
    """Times for each axis, the last ones where there are fewer; more than the blob has are new axes before it."""
    shape, times = ctx.shape(layer.inputs[0]), layer.integers(2)
    if not times:
        rank, axis = len(shape), 0 if len(shape) == 1 else layer.integer(0, 0)
        if not 0 <= axis < rank:
            raise Unsupported(f"axis {axis} of a blob with {rank} axes")
        times = tuple(layer.integer(1, 1) if i == axis else 1 for i in range(rank))
    if len(times) > 3 or not all(1 <= n <= _MOST_TIMES for n in times):
        raise Unsupported(f"{times} repetitions of shape {shape}")
    times = (1,) * (len(shape) - len(times)) + times
    shape = (1,) * (len(times) - len(shape)) + shape
    blob = layer.inputs[0]
    for axis, n in enumerate(times):
        if n == 1:
            continue
        # A multiplication by ones spreads an axis of one element.
        before, behind = prod(shape[:axis]), prod(shape[axis:])
        seen = ctx.builder.reshaped(layer.name, blob, (before, 1, behind))
        ones = ctx.builder.constant(f"{layer.name}.ones", np.ones((1, n, 1)))
        blob = ctx.emit_new("binary_op", layer, [seen, ones], (before, n, behind), kind=_MUL)
        shape = (*shape[:axis], shape[axis] * n, *shape[axis + 1 :])
    ctx.emit("reshape", layer, [blob], shape)


def flip(ctx: Context, layer: ParamLayer) -> None:
    """Each axis by a table of its indices from the last one on."""
    shape = ctx.shape(layer.inputs[0])
    axes = {0} if len(shape) == 1 and layer.integers(0) else set(layer.integers(0))
    if any(not -len(shape) <= axis < len(shape) for axis in axes):
        raise Unsupported(f"axes {sorted(axes)} of a blob with {len(shape)} axes")
    blob = layer.inputs[0]
    for axis in sorted({axis % len(shape) for axis in axes}):
        n = shape[axis]
        view = (prod(shape[:axis]), n, prod(shape[axis + 1 :]))
        seen = ctx.builder.reshaped(layer.name, blob, view)
        backwards = np.arange(n - 1, -1, -1, dtype=np.int32).reshape(1, n, 1)
        table = ctx.builder.graph.add_constant(ctx.builder.free_name(f"{layer.name}.indices"), backwards)
        blob = ctx.emit_new("gather", layer, [seen, table], view)
    ctx.emit("reshape", layer, [blob], shape)
