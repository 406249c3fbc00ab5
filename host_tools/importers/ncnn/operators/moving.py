"""Concatenation, slices and padding."""

from __future__ import annotations

from host_tools.graph import Attr
from host_tools.importers.geometry import spatial_axis
from host_tools.importers.ncnn.context import Context
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_EQUAL_SHARE = -233


def _axis(layer: ParamLayer, key: int, rank: int) -> int:
    axis = layer.integer(key, 0)
    if rank == 1:
        return 0  # ncnn ignores the axis of a blob that has one
    if not -rank <= axis < rank:
        raise Unsupported(f"axis {axis} of blobs with {rank} axes")
    return axis % rank


def part(starts: dict[int, int]) -> dict[str, Attr]:
    """Parameters of a slice that begins there along c (0), h (1) and w (2)."""
    found: dict[str, Attr] = {}
    for at, letter in enumerate("chw"):
        found[f"start_{letter}"], found[f"step_{letter}"] = starts.get(at, 0), 1
    return found


def concat(ctx: Context, layer: ParamLayer) -> None:
    shapes = [ctx.shape(name) for name in layer.inputs]
    axis = _axis(layer, 0, len(shapes[0]))
    around = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(around) > 1 or len({len(shape) for shape in shapes}) > 1:
        raise Unsupported(f"shapes {', '.join(map(str, shapes))} differ in more than axis {axis}")
    if len(shapes) == 1:
        ctx.share(layer)
        return
    out = list(shapes[0])
    out[axis] = sum(shape[axis] for shape in shapes)
    ctx.emit("concat", layer, layer.inputs, tuple(out), axis=spatial_axis(tuple(out), axis))


def slice_(ctx: Context, layer: ParamLayer) -> None:
    """One slice layer for each output; sizes (0) or first indices behind the first output (2)."""
    shape = ctx.shape(layer.inputs[0])
    axis = _axis(layer, 1, len(shape))
    at = spatial_axis(shape, axis)
    start, total = 0, shape[axis]
    for i, output in enumerate(layer.outputs):
        size = _slice_size(layer, i, start, total)
        if size < 1 or start + size > total:
            raise Unsupported(f"output {i} would take {size} of {total} elements from {start} on")
        out = (*shape[:axis], size, *shape[axis + 1 :])
        ctx.builder.emit("slice", layer.name, layer.inputs, output, out, **part({at: start}))
        start += size


def _slice_size(layer: ParamLayer, i: int, start: int, total: int) -> int:
    count, sizes, ends = len(layer.outputs), layer.integers(0), layer.integers(2)
    if ends:
        end = total if i == count - 1 else ends[i]
        return (end + total if end < 0 else end) - start
    return (total - start) // (count - i) if sizes[i] == _EQUAL_SHARE else sizes[i]


def padding(ctx: Context, layer: ParamLayer) -> None:
    """Constant (type 0), edge (1) or reflect (2)."""
    shape = ctx.shape(layer.inputs[0])
    top, bottom, left, right = (layer.integer(key, 0) for key in range(4))
    mode, front, behind = layer.integer(4, 0), layer.integer(7, 0), layer.integer(8, 0)
    if layer.integer(6, 0):
        raise Unsupported("a padding value for each channel")
    if mode not in (0, 1, 2):
        raise Unsupported(f"padding type {mode}")
    pads = [(front, behind), (top, bottom), (left, right)][3 - len(shape) :]  # others do not exist in this blob
    if any(min(pair) < 0 for pair in pads):
        raise Unsupported(f"negative padding {pads}")
    if mode == 2 and any(max(pair) >= size for pair, size in zip(pads, shape, strict=True)):
        raise Unsupported(f"it reflects more than the elements of shape {shape}")
    out = tuple(size + before + after for size, (before, after) in zip(shape, pads, strict=True))
    starts = [0] * (3 - len(shape)) + [before for before, _ in pads]
    attrs: dict[str, Attr] = dict(zip(("front", "top", "left"), starts, strict=True))
    ctx.emit("padding", layer, layer.inputs, out, mode=mode, value=layer.number(5, 0.0), **attrs)
