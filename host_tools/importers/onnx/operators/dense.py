"""Matrix products."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.views import finish, number
from host_tools.importers.refusals import Unsupported

_ADD, _MUL = 0, 2


def mat_mul(ctx: Context, node: Node) -> None:
    a, b = node.inputs
    if ctx.is_constant(a) or not ctx.is_constant(b) or ctx.value(b, "").ndim < 2 or prod(ctx.shape(b)[:-2]) != 1:
        _products(ctx, node)
        return
    weight = ctx.value(b, "right operand")
    rows, columns = weight.shape[-2:]
    weight = weight.reshape(rows, columns)
    shape = ctx.shape(a)
    if shape[-1] != rows:
        raise Unsupported(f"operands of shapes {shape} and {(rows, columns)} cannot be multiplied")
    if prod(ctx.shape(node.output)) != prod(shape[:-1]) * columns:
        raise Unsupported(f"its output has shape {ctx.shape(node.output)}")
    constant = ctx.builder.constant(f"{b}.transposed", weight.T)
    ctx.emit("inner_product", node, [a, constant], per_row=int(prod(shape[:-1]) != 1))


def _products(ctx: Context, node: Node) -> None:
    """Of blobs: the last two axes are matrices, the ones before count them."""
    shapes = [ctx.shape(name) for name in node.inputs]
    matrices = [(1, *shapes[0])[-2:], (*shapes[1], 1) if len(shapes[1]) == 1 else shapes[1][-2:]]
    if min(map(len, shapes)) < 1 or matrices[0][1] != matrices[1][0]:
        raise Unsupported(f"operands of shapes {shapes[0]} and {shapes[1]} cannot be multiplied")
    counts = [prod(shape[:-2]) for shape in shapes]
    outer = [(1,) * (max(map(len, shapes)) - len(shape)) + shape[:-2] for shape in shapes]
    if counts[0] != counts[1] and 1 not in counts or 1 not in counts and outer[0] != outer[1]:
        raise Unsupported(f"matrices of shapes {shapes[0]} and {shapes[1]} broadcast along some of the outer axes only")
    operands = [ctx.reshaped(node, n, (k, *m)) for n, k, m in zip(node.inputs, counts, matrices, strict=True)]
    shape = (max(counts), matrices[0][0], matrices[1][1])
    finish(ctx, node, "matmul", operands, shape, transpose_a=0, transpose_b=0)


def gemm(ctx: Context, node: Node) -> None:
    """alpha * A * B' + beta * C; where B and C are constants alpha and beta go into them."""
    constants = [ctx.is_constant(name) for name in node.inputs if name]
    if constants[0] or node.integer("transA", 0) or not all(constants[1:]):
        _gemm_of_blobs(ctx, node)
        return
    rows, length = ctx.shape(node.inputs[0])
    per_row = int(rows != 1)
    operands = [node.inputs[0], _gemm_weight(ctx, node, length)]
    count = ctx.shape(node.output)[-1]
    if not node.has_input(2):
        ctx.emit("inner_product", node, operands, per_row=per_row)
        return
    c, beta = node.inputs[2], np.float32(node.number("beta", 1.0))
    added = ctx.value(c, "summand")
    if added.size in (1, count) and (added.ndim < 2 or added.shape[0] == 1):
        if beta == 1 and added.shape == (count,):
            operands.append(ctx.operand(c))
        else:
            operands.append(ctx.builder.constant(f"{c}.bias", np.broadcast_to(beta * added.reshape(-1), (count,))))
        ctx.emit("inner_product", node, operands, per_row=per_row)
    else:  # other numbers for other rows
        product = ctx.emit_new("inner_product", node, operands, (rows, count), per_row=per_row)
        ctx.emit("binary_op", node, [product, ctx.builder.constant(f"{c}.summand", beta * added)], kind=0)


def _gemm_of_blobs(ctx: Context, node: Node) -> None:
    a, b = (ctx.operand(name) for name in node.inputs[:2])
    flips = {"transpose_a": int(node.integer("transA", 0) != 0), "transpose_b": int(node.integer("transB", 0) != 0)}
    shapes = [ctx.shape(name) for name in node.inputs[:2]]
    (m, depth), (other, n) = (s[::-1] if flip else s for s, flip in zip(shapes, flips.values(), strict=True))
    if depth != other:
        raise Unsupported(f"operands of shapes {shapes[0]} and {shapes[1]} cannot be multiplied")
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    added = ctx.operand(node.inputs[2]) if node.has_input(2) else None
    if added is not None and beta != 1.0:
        scaled = [added, number(ctx, node, beta)]
        added = ctx.emit_new("binary_op", node, scaled, ctx.shape(node.inputs[2]), kind=_MUL)
    if alpha == 1.0 and added is None:
        ctx.emit("matmul", node, [a, b], **flips)
        return
    product = ctx.emit_new("matmul", node, [a, b], (m, n), **flips)
    if alpha != 1.0:
        scaled = [product, number(ctx, node, alpha)]
        if added is None:
            ctx.emit("binary_op", node, scaled, kind=_MUL)
            return
        product = ctx.emit_new("binary_op", node, scaled, (m, n), kind=_MUL)
    assert added is not None
    ctx.emit("binary_op", node, [product, added], kind=_ADD)


def _gemm_weight(ctx: Context, node: Node, length: int) -> str:
    """The weights as [out, in], times alpha."""
    name = node.inputs[1]
    weight = ctx.value(name, "right operand")
    transposed, alpha = node.integer("transB", 0), np.float32(node.number("alpha", 1.0))
    weight = weight if transposed else weight.T
    if weight.ndim != 2 or weight.shape[1] != length:
        raise Unsupported(f"weights for {weight.shape[1:]} elements do not fit rows of {length}")
    if transposed and alpha == 1:
        return ctx.operand(name)
    return ctx.builder.constant(f"{name}.transposed", alpha * weight)
