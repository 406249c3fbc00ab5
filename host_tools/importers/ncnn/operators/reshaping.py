"""Layers that keep every element and change at most where it lies."""

from __future__ import annotations

from math import prod

from host_tools.importers.builder import Shape
from host_tools.importers.ncnn.context import Context
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
        ctx.builder.emit("share", layer.name, layer.inputs, output, ctx.shape(layer.inputs[0]))


def flatten(ctx: Context, layer: ParamLayer) -> None:
    ctx.emit("reshape", layer, layer.inputs, (prod(ctx.shape(layer.inputs[0])),))


def reshape(ctx: Context, layer: ParamLayer) -> None:
    """Sizes of w, h and c: 0 takes the input's, one -1 takes what is left."""
    if 6 in layer.params:
        raise Unsupported(f"its shape is an expression, {layer.params[6]}")
    if (
        layer.integer(11, _ABSENT) != _ABSENT
        or layer.integer(12, _NO_BATCH) != _NO_BATCH
        or layer.integer(13, _NO_BATCH) != _NO_BATCH
    ):
        raise Unsupported("it has a depth or a batch axis")
    if layer.integer(3, 0):
        raise Unsupported("it permutes (parameter 3 of old files); convert the model again with a current ncnn")
    source = ctx.shape(layer.inputs[0])
    c, h, w = (1,) * (3 - len(source)) + source
    sizes = [
        size
        for size in (layer.integer(2, _ABSENT), layer.integer(1, _ABSENT), layer.integer(0, _ABSENT))
        if size != _ABSENT
    ]
    if not sizes or layer.integer(0, _ABSENT) == _ABSENT or (len(sizes) == 2 and layer.integer(1, _ABSENT) == _ABSENT):
        raise Unsupported("it gives no width, or channels without height")
    kept = (c, h, w)[3 - len(sizes) :]
    sizes = [old if size == 0 else size for size, old in zip(sizes, kept, strict=True)]
    total = c * h * w
    shape: Shape = tuple(total // -prod(sizes) if size == -1 else size for size in sizes)
    if sizes.count(-1) > 1 or min(shape) < 1 or prod(shape) != total:
        raise Unsupported(f"shape {source} cannot become {tuple(sizes)}")
    ctx.emit("reshape", layer, layer.inputs, shape)


def permute(ctx: Context, layer: ParamLayer) -> None:
    order, shape = layer.integer(0, 0), ctx.shape(layer.inputs[0])
    if len(shape) == 1:
        ctx.share(layer)
        return
    if not 0 <= order < (6 if len(shape) == 3 else 2):
        raise Unsupported(f"order {order} of a blob with {len(shape)} axes")
    perm = _ORDERS[order] if len(shape) == 3 else ((0, 1), (1, 0))[order]
    ctx.emit("permute", layer, layer.inputs, tuple(shape[axis] for axis in perm), perm=perm)
