"""Layers that keep every element and change at most where it lies."""

from __future__ import annotations

from math import prod

from host_tools.importers.builder import Shape
from host_tools.importers.geometry import spatial_axis
from host_tools.importers.ncnn.context import Context
from host_tools.importers.ncnn.expressions import evaluate
from host_tools.importers.ncnn.operators.windows import image
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_ABSENT = -233
_NO_BATCH = 233
# Order type -> which axis of (c, h, w) becomes the new c, h and w.
_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


def noop(ctx: Context, layer: ParamLayer) -> None:
    ctx.share(layer)


def split(ctx: Context, layer: ParamLayer) -> None:
    """One shared view for each output."""
    for output in layer.outputs:
        ctx.share_as(layer, output)


def flatten(ctx: Context, layer: ParamLayer) -> None:
    ctx.emit("reshape", layer, layer.inputs, (prod(ctx.shape(layer.inputs[0])),))


def reshape(ctx: Context, layer: ParamLayer) -> None:
    """To sizes, of which 0 takes the input's, and one -1 takes what is left."""
    if layer.integer(3, 0):
        raise Unsupported("it permutes (parameter 3 of old files); convert the model again with a current ncnn")
    source = ctx.shape(layer.inputs[0])
    sizes = _without_batch(layer, _sizes(ctx, layer))
    if len(sizes) > 3:
        raise Unsupported(f"it has a depth: {tuple(sizes)} are four axes")
    total = prod(source)
    kept = ((1,) * (3 - len(source)) + source)[3 - len(sizes) :]
    sizes = [old if size == 0 else size for size, old in zip(sizes, kept, strict=True)]
    shape: Shape = tuple(total // -prod(sizes) if size == -1 else size for size in sizes)
    if sizes.count(-1) > 1 or min(shape) < 1 or prod(shape) != total:
        raise Unsupported(f"shape {source} cannot become {tuple(sizes)}")
    ctx.emit("reshape", layer, layer.inputs[:1], shape)


def _sizes(ctx: Context, layer: ParamLayer) -> list[int]:
    """The outermost axis first."""
    text = layer.params.get(6)
    if text is not None:
        return evaluate(str(text), [ctx.shape(name) for name in layer.inputs])[::-1]
    w, h, d, c = (layer.integer(key, _ABSENT) for key in (0, 1, 11, 2))
    if w == _ABSENT or (h == _ABSENT and c != _ABSENT):
        raise Unsupported("it gives no width, or channels without height")
    return [size for size in (c, d, h, w) if size != _ABSENT]


def _without_batch(layer: ParamLayer, sizes: list[int]) -> list[int]:
    """Without the axis that is a batch, which is of one."""
    before, axis = layer.integer(12, _NO_BATCH), layer.integer(13, _NO_BATCH)
    if axis == _NO_BATCH:
        if before != _NO_BATCH and 0 in sizes:
            raise Unsupported(f"{tuple(sizes)} with a size of the input's, which has a batch axis and the result none")
        return sizes
    if not 0 <= axis < len(sizes) or sizes[axis] not in (-1, 0, 1) or (0 in sizes and before != axis):
        raise Unsupported(f"a batch on axis {axis} of {tuple(sizes)}; there is a batch of one")
    return sizes[:axis] + sizes[axis + 1 :]


def squeeze(ctx: Context, layer: ParamLayer) -> None:
    """Axes of one element go; at least one axis stays."""
    shape, given = ctx.shape(layer.inputs[0]), layer.integers(3)
    if layer.params.get(3) is None:
        flags = (layer.integer(0, 0), layer.integer(1, 0), layer.integer(2, 0))[: len(shape)][::-1]
        gone = {axis for axis, flag in enumerate(flags) if flag}
    else:
        gone = {axis + len(shape) if axis < 0 else axis for axis in given}
    kept = tuple(n for axis, n in enumerate(shape) if n != 1 or axis not in gone)
    ctx.emit("reshape", layer, layer.inputs, kept or (1,))


def expand_dims(ctx: Context, layer: ParamLayer) -> None:
    shape, axes = ctx.shape(layer.inputs[0]), layer.integers(3)
    rank = len(shape) + len(axes)
    new = {axis % rank for axis in axes}
    if rank > 3 or len(new) != len(axes) or any(not -rank <= axis < rank for axis in axes):
        raise Unsupported(f"new axes {axes} in shape {shape}; three axes are supported")
    old = iter(shape)
    ctx.emit("reshape", layer, layer.inputs, tuple(1 if axis in new else next(old) for axis in range(rank)))


def reorg(ctx: Context, layer: ParamLayer) -> None:
    """Squares of pixels to channels; in mode 1 the square's place is the outer part of a channel's number."""
    (c, h, w), size = image(ctx, layer), layer.integer(0, 1)
    if size < 1 or h % size or w % size:
        raise Unsupported(f"{h} x {w} elements are no multiple of {size} x {size}")
    rows, columns, squares = h // size, w // size, size * size
    # Two transpositions of four axes at most: first the rows, then the columns.
    blob = ctx.builder.reshaped(layer.name, layer.inputs[0], (c, rows, size, w))
    blob = ctx.emit_new("permute", layer, [blob], (c, size, rows, w), perm=(0, 2, 1, 3))
    blob = ctx.builder.reshaped(layer.name, blob, (c * size, rows, columns, size))
    blob = ctx.emit_new("permute", layer, [blob], (c * size, size, rows, columns), perm=(0, 3, 1, 2))
    if layer.integer(1, 0):
        blob = ctx.builder.reshaped(layer.name, blob, (c, squares, rows * columns))
        blob = ctx.emit_new("permute", layer, [blob], (squares, c, rows * columns), perm=(1, 0, 2))
    ctx.emit("reshape", layer, [blob], (c * squares, rows, columns))


def permute(ctx: Context, layer: ParamLayer) -> None:
    order, shape = layer.integer(0, 0), ctx.shape(layer.inputs[0])
    if len(shape) == 1:
        ctx.share(layer)
        return
    if not 0 <= order < (6 if len(shape) == 3 else 2):
        raise Unsupported(f"order {order} of a blob with {len(shape)} axes")
    perm = _ORDERS[order] if len(shape) == 3 else ((0, 1), (1, 0))[order]
    ctx.emit("permute", layer, layer.inputs, tuple(shape[axis] for axis in perm), perm=perm)


def pixel_shuffle(ctx: Context, layer: ParamLayer) -> None:
    """Channels to squares of pixels; in mode 1 the square's place is the outer part of a channel's number."""
    (c, h, w), size = image(ctx, layer), layer.integer(0, 1)
    if size < 1 or c % (size * size):
        raise Unsupported(f"{c} channels are no multiple of {size} x {size}")
    count = c // (size * size)
    # Two transpositions of four axes at most: first the columns, then the rows.
    outer = layer.integer(1, 0) == 1
    seen = (size * size, count, h * w) if outer else (count, size * size, h * w)
    blob = ctx.builder.reshaped(layer.name, layer.inputs[0], seen)
    if outer:
        blob = ctx.emit_new("permute", layer, [blob], (count, size * size, h * w), perm=(1, 0, 2))
    blob = ctx.builder.reshaped(layer.name, blob, (count * size, size, h, w))
    blob = ctx.emit_new("permute", layer, [blob], (count * size, h, w, size), perm=(0, 2, 3, 1))
    blob = ctx.builder.reshaped(layer.name, blob, (count, size, h, w * size))
    blob = ctx.emit_new("permute", layer, [blob], (count, h, size, w * size), perm=(0, 2, 1, 3))
    ctx.emit("reshape", layer, [blob], (count, h * size, w * size))


def shuffle_channel(ctx: Context, layer: ParamLayer) -> None:
    (c, h, w), groups = image(ctx, layer), layer.integer(0, 1)
    if groups < 1 or c % groups:
        raise Unsupported(f"{groups} groups of {c} channels")
    groups = c // groups if layer.integer(1, 0) else groups
    blob = ctx.builder.reshaped(layer.name, layer.inputs[0], (groups, c // groups, h * w))
    blob = ctx.emit_new("permute", layer, [blob], (c // groups, groups, h * w), perm=(1, 0, 2))
    ctx.emit("reshape", layer, [blob], (c, h, w))


def cumulative_sum(ctx: Context, layer: ParamLayer) -> None:
    shape, axis = ctx.shape(layer.inputs[0]), layer.integer(0, 0)
    if not -len(shape) <= axis < len(shape):
        raise Unsupported(f"axis {axis} of a blob with {len(shape)} axes")
    attrs = {"axis": spatial_axis(shape, axis), "exclusive": 0, "reverse": 0}
    ctx.emit("cumsum", layer, layer.inputs, shape, **attrs)
