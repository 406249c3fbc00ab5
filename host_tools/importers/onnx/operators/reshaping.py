"""Operators that keep every element and change at most where it lies."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.choosing import truth
from host_tools.importers.onnx.operators.views import permute
from host_tools.importers.refusals import Unsupported


def reshape(ctx: Context, node: Node) -> None:
    """Reshape, Flatten, Squeeze, Unsqueeze: the shape is what onnx infers from constant operands."""
    _same_elements(ctx, node, "reshape")


def identity(ctx: Context, node: Node) -> None:
    _same_elements(ctx, node, "share")


def _same_elements(ctx: Context, node: Node, op: str) -> None:
    source = ctx.operand(node.inputs[0])
    ctx.emit(op, node, [source])
    ctx.builder.graph.tensor(node.output).dtype = ctx.builder.graph.tensor(source).dtype


def dropout(ctx: Context, node: Node) -> None:
    """Does nothing at inference; older exporters name its mask even where nobody reads it."""
    if any(ctx.is_read(name) for name in node.outputs[1:] if name):
        node.only_first_output()
    if node.has_input(2) and bool(ctx.value(node.inputs[2], "training_mode").item()):
        raise Unsupported("it is in training mode")
    identity(ctx, node)


def transpose(ctx: Context, node: Node) -> None:
    shape = ctx.shape(node.inputs[0])
    perm = node.integers("perm", tuple(reversed(range(len(shape)))))
    permute(ctx, node, ctx.operand(node.inputs[0]), shape, perm)


def depth_to_space(ctx: Context, node: Node) -> None:
    """Channels to squares of pixels; in mode DCR the square's place is the outer part of a channel's number."""
    n, c, h, w = ctx.shape(node.inputs[0])
    size = _block_size(node)
    if c % (size * size):
        raise Unsupported(f"{c} channels are no multiple of {size} x {size}")
    mode = node.text("mode", "DCR")
    if mode == "DCR":
        shape, perm = (n, size, size, c // size**2, h, w), (0, 3, 4, 1, 5, 2)
    elif mode == "CRD":
        shape, perm = (n, c // size**2, size, size, h, w), (0, 1, 4, 2, 5, 3)
    else:
        raise Unsupported(f"mode {mode!r}; supported are DCR, CRD")
    permute(ctx, node, ctx.operand(node.inputs[0]), shape, perm)


def space_to_depth(ctx: Context, node: Node) -> None:
    n, c, h, w = ctx.shape(node.inputs[0])
    size = _block_size(node)
    if h % size or w % size:
        raise Unsupported(f"{h} x {w} pixels cannot be divided into squares of {size}")
    mode = node.text("mode", "DCR")
    if mode not in ("DCR", "CRD"):
        raise Unsupported(f"mode {mode!r}; supported are DCR, CRD")
    perm = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    permute(ctx, node, ctx.operand(node.inputs[0]), (n, c, h // size, size, w // size, size), perm)


def _block_size(node: Node) -> int:
    size = node.integer("blocksize", 0)
    if size < 1:
        raise Unsupported(f"its blocksize is {size}")
    return size


_CAST = {
    int(TensorProto.FLOAT): np.float32,
    int(TensorProto.BOOL): np.float32,
    int(TensorProto.INT32): np.int32,
    int(TensorProto.INT64): np.int32,
}


def cast(ctx: Context, node: Node) -> None:
    """Between float32, int32, int64, which is int32 here, and truth values, which are float32; of CastLike to the type
    of its second input.
    """
    to = ctx.elem_type(node.inputs[1]) if node.op == "CastLike" else node.integer("to", 0)
    source, target = _CAST.get(ctx.elem_type(node.inputs[0])), _CAST.get(to)
    if source is None or target is None:
        raise Unsupported("of the casts those between float32, int32, int64 and bool are supported")
    if to == TensorProto.BOOL and ctx.elem_type(node.inputs[0]) != TensorProto.BOOL:
        truth(ctx, node, node.inputs[0])
        return
    ctx.emit("share" if source == target else "cast", node, [node.inputs[0]])
    ctx.builder.graph.tensor(node.output).dtype = np.dtype(target)
