"""Crop: a part of a blob, given by offsets and sizes, by first and last indices, or by another blob's shape."""

from __future__ import annotations

from host_tools.importers.builder import Shape
from host_tools.importers.ncnn.context import Context
from host_tools.importers.ncnn.expressions import evaluate
from host_tools.importers.ncnn.operators.moving import part
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_REST = -233
_INDICES, _EXPRESSIONS = (9, 10, 11), (19, 20, 21)  # first, last, axes
# Parameters of width, height and channels.
_OFFSETS, _SIZES, _OFFSETS_BEHIND = (0, 1, 2), (3, 4, 5), (6, 7, 8)

_Range = tuple[int, int]  # first element, and how many


def crop(ctx: Context, layer: ParamLayer) -> None:
    shape = ctx.shape(layer.inputs[0])
    firsts, lasts, axes = _indices(ctx, layer)
    if firsts and lasts:
        ranges = _by_indices(firsts, lasts, axes, shape)
    elif len(layer.inputs) == 2:
        ranges = _like(ctx, layer, shape)
    else:
        ranges = _by_sizes(layer, shape)
    out = tuple(count for _, count in ranges)
    if any(start < 0 or count < 1 or start + count > n for (start, count), n in zip(ranges, shape, strict=True)):
        raise Unsupported(f"it takes {out} elements from {tuple(start for start, _ in ranges)} on of shape {shape}")
    if out == shape:
        ctx.emit("share", layer, layer.inputs[:1], shape)
        return
    starts = {at: start for at, (start, _) in enumerate(ranges, 3 - len(shape))}
    ctx.emit("slice", layer, layer.inputs[:1], out, **part(starts))


def _like(ctx: Context, layer: ParamLayer, shape: Shape) -> list[_Range]:
    """As much as the second blob has; a missing channel axis takes all."""
    if layer.integer(0, 0) == _REST:
        raise Unsupported("its range is computed at run time")
    other = ctx.shape(layer.inputs[1])
    if len(other) < len(shape):
        other = (shape[0] if len(shape) == 3 else 1, *((1,) * (len(shape) - 1) + other)[1 - len(shape) :])
    sizes = other[len(other) - len(shape) :]
    return [(layer.integer(key, 0), n) for key, n in zip(_keys(_OFFSETS, shape), sizes, strict=True)]


def _by_sizes(layer: ParamLayer, shape: Shape) -> list[_Range]:
    ranges = []
    for axis, n in enumerate(shape):
        start = layer.integer(_keys(_OFFSETS, shape)[axis], 0)
        count = n - start - layer.integer(_keys(_OFFSETS_BEHIND, shape)[axis], 0)
        wanted = layer.integer(_keys(_SIZES, shape)[axis], 0)
        ranges.append((start, count if wanted == _REST else min(count, wanted)))
    return ranges


def _indices(ctx: Context, layer: ParamLayer) -> list[tuple[int, ...]]:
    """The first and last indices and their axes, as numbers or as expressions of the inputs' shapes."""
    if not any(key in layer.params for key in _EXPRESSIONS):
        return [layer.integers(key) for key in _INDICES]
    shapes = [ctx.shape(name) for name in layer.inputs]
    return [tuple(evaluate(str(layer.params.get(key, "")), shapes)) for key in _EXPRESSIONS]


def _by_indices(starts: Shape, ends: Shape, axes: Shape, shape: Shape) -> list[_Range]:
    ranges = [(0, n) for n in shape]
    axes = axes or tuple(range(len(shape)))
    if min(len(starts), len(ends)) < len(axes):
        raise Unsupported(f"{len(starts)} first and {len(ends)} last indices for {len(axes)} axes")
    for axis, start, end in zip(axes, starts, ends, strict=False):
        if not -len(shape) <= axis < len(shape):
            raise Unsupported(f"axis {axis} of a blob with {len(shape)} axes")
        n = shape[axis]
        first = 0 if start == _REST else start + n if start < 0 else start
        last = n if end == _REST else min(n, end if end > 0 else n + end)
        ranges[axis] = (first, last - first)
    return ranges


def _keys(keys: tuple[int, ...], shape: Shape) -> tuple[int, ...]:
    """The parameters of each axis of the blob, which ncnn counts from the width."""
    return keys[: len(shape)][::-1]
