"""Operators that keep every element and change at most where it lies.

Elements are counted in the source's order, the last axis fastest; where they do not lie in memory so, the
layout of the graph sees to it.
"""

from __future__ import annotations

from math import prod

from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import Context, Node, normal_axis


def _reshape(ctx: Context, node: Node, final: Shape) -> None:
    if prod(final) != prod(ctx.shape(node.input(0))):
        raise Unsupported(f"shape {ctx.shape(node.input(0))} cannot become {final}")
    ctx.emit("reshape", node, [ctx.operand(node.input(0), ctx.dtype(node.output))], final)


def reshape(ctx: Context, node: Node) -> None:
    _reshape(ctx, node, reshaped_shape(ctx, node))


def reshaped_shape(ctx: Context, node: Node) -> Shape:
    """The shape is an operand, or an option in older files; one size may be -1."""
    wanted = ctx.integers(node, 1, "shape") if node.has_input(1) else list(node.integers("NewShape"))
    if wanted.count(-1) == 1:
        known = -prod(wanted)
        if known <= 0 or prod(ctx.shape(node.input(0))) % known:
            raise Unsupported(f"shape {ctx.shape(node.input(0))} cannot become {tuple(wanted)}")
        wanted[wanted.index(-1)] = prod(ctx.shape(node.input(0))) // known
    return tuple(wanted)


def expand_dims(ctx: Context, node: Node) -> None:
    _reshape(ctx, node, expanded_shape(ctx, node))


def expanded_shape(ctx: Context, node: Node) -> Shape:
    shape, axes = ctx.shape(node.input(0)), ctx.integers(node, 1, "axis")
    if len(axes) != 1:
        raise Unsupported(f"its axis is {axes}; one number is expected")
    axis = normal_axis(axes[0], len(shape) + 1)
    return (*shape[:axis], 1, *shape[axis:])


def squeeze(ctx: Context, node: Node) -> None:
    _reshape(ctx, node, squeezed_shape(ctx, node))


def squeezed_shape(ctx: Context, node: Node) -> Shape:
    shape = ctx.shape(node.input(0))
    axes = {normal_axis(axis, len(shape)) for axis in node.integers("SqueezeDims")}
    if any(shape[axis] != 1 for axis in axes):
        raise Unsupported(f"it drops axes {sorted(axes)} of shape {shape}, which are not all 1")
    gone = axes or {axis for axis, size in enumerate(shape) if size == 1}
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)


def transpose(ctx: Context, node: Node) -> None:
    shape, perm = ctx.shape(node.input(0)), transposed_axes(ctx, node)
    operand = ctx.operand(node.input(0), ctx.dtype(node.output))
    ctx.emit("permute", node, [operand], tuple(shape[axis] for axis in perm), perm=perm)


def transposed_axes(ctx: Context, node: Node) -> Shape:
    rank = len(ctx.shape(node.input(0)))
    perm = tuple(normal_axis(axis, rank) for axis in ctx.integers(node, 1, "permutation"))
    if sorted(perm) != list(range(rank)):
        raise Unsupported(f"its permutation {perm} is not one of {rank} axes")
    return perm


def _block(node: Node) -> int:
    block = node.integer("BlockSize")
    if block < 1:
        raise Unsupported(f"its block size is {block}")
    return block


def space_to_depth(ctx: Context, node: Node) -> None:
    """Rows and columns of a block become channels: row, column, channel."""
    _, h, w, c = ctx.image(node.input(0))
    block = _block(node)
    if h % block or w % block:
        raise Unsupported(f"{h} x {w} cannot be divided into blocks of {block} x {block}")
    before = (h // block, block, w // block, block * c)
    _exchange(ctx, node, before, (1, h // block, w // block, block * block * c))


def depth_to_space(ctx: Context, node: Node) -> None:
    """Channels (row, column, channel) become rows and columns of a block."""
    _, h, w, c = ctx.image(node.input(0))
    block = _block(node)
    if c % (block * block):
        raise Unsupported(f"{c} channels cannot be divided into blocks of {block} x {block}")
    before = (h, w, block, c // block)
    _exchange(ctx, node, before, (1, h * block, w * block, c // (block * block)))


def _exchange(ctx: Context, node: Node, before: Shape, final: Shape) -> None:
    """The elements seen with shape `before`, its two middle axes exchanged."""
    operand = ctx.operand(node.input(0), ctx.dtype(node.output))
    after = (before[0], before[2], before[1], before[3])
    view = ctx.reshaped(node, operand, before)
    ctx.result("permute", node, [view], after, final, perm=(0, 2, 1, 3))
