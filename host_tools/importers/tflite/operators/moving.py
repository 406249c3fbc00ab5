"""Concatenation, slices and padding: elements that change their place."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import INT8, Context, Node, normal_axis, position
from host_tools.quantised import table

_CONSTANT, _REFLECT, _SYMMETRIC = 0, 2, 3
_MIRROR_REFLECT = 0  # MirrorPadMode


@dataclass(frozen=True)
class Change:
    """What a layer does along one axis: how many elements come out, and its parameters there."""

    count: int
    values: tuple[int, ...]


@dataclass(frozen=True)
class _Kind:
    """A layer kind whose parameters are given for each of c, h and w."""

    op: str
    names: tuple[tuple[str, ...], ...]
    unchanged: tuple[int, ...]


_SLICE = _Kind("slice", tuple((f"start_{a}", f"step_{a}") for a in "chw"), (0, 1))
_PADDING = _Kind("padding", (("front",), ("top",), ("left",)), (0,))


def _apply(
    ctx: Context,
    node: Node,
    kind: _Kind,
    blob: str,
    changes: dict[int, Change],
    final: Shape,
    output: str | None = None,
    **fixed: Attr,
) -> None:
    """Changes of several axes: in one layer where c, h and w can express them, else one after the other."""
    shape = ctx.builder.graph.tensor(blob).shape
    todo = {axis: change for axis, change in changes.items() if change != Change(shape[axis], kind.unchanged)}
    if not todo:
        ctx.emit("share" if shape == final else "reshape", node, [blob], final, output)
        return
    while todo:
        together = {axis: at for axis in todo if (at := position(shape, axis)) is not None}
        axes = list(together) or [next(iter(todo))]
        made = tuple(todo[axis].count if axis in axes else size for axis, size in enumerate(shape))
        attrs: dict[str, Attr] = {}
        for names in kind.names:
            attrs.update(zip(names, kind.unchanged, strict=True))
        if together:
            view, out = shape, made
            for axis, at in together.items():
                attrs.update(zip(kind.names[at], todo[axis].values, strict=True))
        else:
            view, out = _three_axes(shape, axes[0]), _three_axes(made, axes[0])
            attrs.update(zip(kind.names[1], todo[axes[0]].values, strict=True))
        source = ctx.reshaped(node, blob, view)
        for axis in axes:
            del todo[axis]
        if todo:
            blob = ctx.emit_new(kind.op, node, [source], out, output, **attrs, **fixed)
            blob, shape = ctx.reshaped(node, blob, made), made
        else:
            ctx.result(kind.op, node, [source], out, final, output, **attrs, **fixed)


def _three_axes(shape: Shape, axis: int) -> Shape:
    """The shape seen as what is before an axis, the axis, and what is behind it."""
    return prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])


def _data(ctx: Context, node: Node, i: int) -> str:
    return ctx.operand(node.input(i), ctx.dtype(node.output))


# Concatenation


def concatenation(ctx: Context, node: Node) -> None:
    if node.activation() != "NONE":
        raise Unsupported("it has a fused activation")
    axis = normal_axis(node.integer("Axis"), len(ctx.shape(node.input(0))))
    _concat(ctx, node, axis, [ctx.shape(name) for name in node.inputs], None)


def pack(ctx: Context, node: Node) -> None:
    """Concatenation along a new axis."""
    axis = normal_axis(node.integer("Axis", 0), len(ctx.shape(node.input(0))) + 1)
    shapes = [ctx.shape(name) for name in node.inputs]
    _concat(ctx, node, axis, [(*s[:axis], 1, *s[axis:]) for s in shapes], axis)


def _concat(ctx: Context, node: Node, axis: int, shapes: list[Shape], new_axis: int | None) -> None:
    others = {(shape[:axis], shape[axis + 1 :]) for shape in shapes}
    if len(others) != 1:
        raise Unsupported(f"its inputs of shapes {', '.join(map(str, shapes))} do not fit together")
    final = (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])
    blobs = [_requantised(ctx, node, i) for i in range(len(shapes))]
    if len(blobs) == 1:
        ctx.emit("reshape", node, blobs, final)
        return
    at = position(final, axis)
    if at is None:
        views, out, at = [_three_axes(shape, axis) for shape in shapes], _three_axes(final, axis), 1
    else:
        views, out = shapes, final
    operands = [ctx.reshaped(node, blob, view) for blob, view in zip(blobs, views, strict=True)]
    ctx.result("concat", node, operands, out, final, axis=at)


def _requantised(ctx: Context, node: Node, i: int) -> str:
    """An input of a concatenation, in int8 with the output's scale. (LiteRT itself refuses another scale.)"""
    name = node.input(i)
    operand = _data(ctx, node, i)
    if not ctx.is_int8(node) or ctx.quantisation(name) == ctx.quantisation(node.output):
        return operand
    values = np.asarray(table("QUANTIZE", *ctx.quantisation(name), *ctx.quantisation(node.output)), INT8)
    if ctx.is_constant(name):
        return ctx.constant(f"{name}.requantised", values[ctx.value(name, "input").astype(np.int32) + 128])
    constant = ctx.constant(f"{node.output}.table", values)
    return ctx.emit_new("table_int8", node, [operand, constant], ctx.shape(name))


# Slices


def unpack(ctx: Context, node: Node) -> None:
    shape = ctx.shape(node.input(0))
    axis = normal_axis(node.integer("Axis", 0), len(shape))
    if len(node.outputs) != shape[axis]:
        raise Unsupported(f"it has {len(node.outputs)} outputs for {shape[axis]} elements of axis {axis}")
    for i, output in enumerate(node.outputs):
        final = shape[:axis] + shape[axis + 1 :]
        _apply(ctx, node, _SLICE, _data(ctx, node, 0), {axis: Change(1, (i, 1))}, final, output)


def split(ctx: Context, node: Node) -> None:
    """The axis comes before the blob."""
    shape = ctx.shape(node.input(1))
    axis = _axis(ctx, node, 0, shape)
    count, rest = divmod(shape[axis], len(node.outputs))
    if rest:
        raise Unsupported(f"{shape[axis]} elements cannot be split into {len(node.outputs)} equal parts")
    _split(ctx, node, 1, axis, [count] * len(node.outputs))


def split_v(ctx: Context, node: Node) -> None:
    shape = ctx.shape(node.input(0))
    axis = _axis(ctx, node, 2, shape)
    sizes = ctx.integers(node, 1, "sizes")
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = shape[axis] - sum(size for size in sizes if size != -1)
    if sum(sizes) != shape[axis] or min(sizes, default=0) < 1 or len(sizes) != len(node.outputs):
        raise Unsupported(f"sizes {sizes} do not split {shape[axis]} elements into its outputs")
    _split(ctx, node, 0, axis, sizes)


def _axis(ctx: Context, node: Node, i: int, shape: Shape) -> int:
    axes = ctx.integers(node, i, "axis")
    if len(axes) != 1:
        raise Unsupported(f"its axis is {axes}; one number is expected")
    return normal_axis(axes[0], len(shape))


def _split(ctx: Context, node: Node, i: int, axis: int, sizes: list[int]) -> None:
    shape, start = ctx.shape(node.input(i)), 0
    for output, size in zip(node.outputs, sizes, strict=True):
        final = (*shape[:axis], size, *shape[axis + 1 :])
        _apply(ctx, node, _SLICE, _data(ctx, node, i), {axis: Change(size, (start, 1))}, final, output)
        start += size


def slice_(ctx: Context, node: Node) -> None:
    """Begins and sizes of all axes; a size of -1 is all that is left."""
    shape = ctx.shape(node.input(0))
    starts, sizes = ctx.integers(node, 1, "begin"), ctx.integers(node, 2, "size")
    if len(starts) != len(shape) or len(sizes) != len(shape):
        raise Unsupported(f"{len(starts)} begins and {len(sizes)} sizes for {len(shape)} axes")
    changes = {}
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        count = shape[axis] - start if size == -1 else size
        if start < 0 or count < 1 or start + count > shape[axis]:
            raise Unsupported(f"{count} elements from {start} on of the {shape[axis]} of axis {axis}")
        changes[axis] = Change(count, (start, 1))
    final = tuple(changes[axis].count for axis in range(len(shape)))
    _apply(ctx, node, _SLICE, _data(ctx, node, 0), changes, final)


def strided_slice(ctx: Context, node: Node) -> None:
    shape = ctx.shape(node.input(0))
    ranges, shrunk = strided_ranges(ctx, node, shape)
    changes = {}
    for axis, taken in enumerate(ranges):
        if not len(taken):
            raise Unsupported(f"it takes nothing of axis {axis}, which has {shape[axis]} elements")
        # A step behind the only element says nothing.
        changes[axis] = Change(len(taken), (taken.start, taken.step if len(taken) > 1 else 1))
    final = tuple(changes[axis].count for axis in range(len(shape)) if axis not in shrunk)
    _apply(ctx, node, _SLICE, _data(ctx, node, 0), changes, final)


def strided_ranges(ctx: Context, node: Node, shape: Shape) -> tuple[list[range], set[int]]:
    """The indices that a STRIDED_SLICE takes of each axis, and the axes that then vanish."""
    begins, ends = ctx.integers(node, 1, "begin"), ctx.integers(node, 2, "end")
    strides = ctx.integers(node, 3, "strides")
    if not len(begins) == len(ends) == len(strides) <= len(shape):
        raise Unsupported(f"begin {begins}, end {ends} and strides {strides} for {len(shape)} axes")
    if node.integer("EllipsisMask", 0) or node.integer("NewAxisMask", 0):
        raise Unsupported("ellipsis_mask and new_axis_mask are not supported")
    begin_mask, end_mask = node.integer("BeginMask", 0), node.integer("EndMask", 0)
    shrink_mask, offset = node.integer("ShrinkAxisMask", 0), node.integer("Offset", 0)
    ranges, shrunk = [range(size) for size in shape], set()
    for axis, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        size = shape[axis]
        if stride < 1:
            raise Unsupported(f"stride {stride}; strides must be 1 or more")
        if shrink_mask >> axis & 1:
            start = begin + size if begin < 0 else begin
            if not 0 <= start < size:
                raise Unsupported(f"index {begin} of axis {axis}, which has {size} elements")
            ranges[axis] = range(start, start + 1)
            shrunk.add(axis)
            continue
        if offset:
            end += begin
        chosen = slice(None if begin_mask >> axis & 1 else begin, None if end_mask >> axis & 1 else end, stride)
        ranges[axis] = range(*chosen.indices(size))
    return ranges, shrunk


# Padding


def pad(ctx: Context, node: Node) -> None:
    """PAD with zero, PADV2 with a number: in int8 the value that stands for it."""
    value: float = ctx.quantisation(node.output)[1] if ctx.is_int8(node) else 0.0
    if node.has_input(2):
        number = ctx.value(node.input(2), "value")
        if number.dtype != ctx.dtype(node.output) or number.size != 1:
            raise Unsupported(f"its value is {number.dtype} with {number.size} elements")
        if ctx.is_int8(node) and ctx.quantisation(node.input(2)) != ctx.quantisation(node.output):
            raise Unsupported("its value and its output have different scales or zero points")
        value = float(number.reshape(-1)[0])
    if ctx.is_int8(node) and ctx.quantisation(node.input(0)) != ctx.quantisation(node.output):
        raise Unsupported("its input and output have different scales or zero points")
    _pad(ctx, node, _CONSTANT, float(value))


def mirror_pad(ctx: Context, node: Node) -> None:
    _pad(ctx, node, _REFLECT if node.integer("Mode", 0) == _MIRROR_REFLECT else _SYMMETRIC, 0.0)


def _pad(ctx: Context, node: Node, mode: int, value: float) -> None:
    shape = ctx.shape(node.input(0))
    pads = ctx.integers(node, 1, "paddings")
    if len(pads) != 2 * len(shape) or min(pads, default=0) < 0:
        raise Unsupported(f"paddings {pads} of shape {shape}; two of 0 or more for each axis are expected")
    changes = {}
    for axis, (before, after) in enumerate(zip(pads[::2], pads[1::2], strict=True)):
        if mode != _CONSTANT and max(before, after) > shape[axis] - (mode == _REFLECT):
            raise Unsupported(f"it mirrors more than the {shape[axis]} elements of axis {axis}")
        changes[axis] = Change(before + shape[axis] + after, (before,))
    final = tuple(changes[axis].count for axis in range(len(shape)))
    _apply(ctx, node, _PADDING, _data(ctx, node, 0), changes, final, mode=mode, value=value)
