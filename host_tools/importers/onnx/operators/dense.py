"""Matrix products with constant weights."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.refusals import Unsupported


def mat_mul(ctx: Context, node: Node) -> None:
    a, b = node.inputs
    if ctx.is_constant(a):
        raise Unsupported("its left operand is a constant; only the right one may be")
    weight = ctx.value(b, "right operand")
    weight = weight.reshape(weight.shape[-2:]) if prod(weight.shape[:-2]) == 1 else weight
    shape = ctx.shape(a)
    if weight.ndim != 2 or shape[-1] != weight.shape[0]:
        raise Unsupported(f"operands of shapes {shape} and {weight.shape}; the right one must be one matrix")
    if prod(ctx.shape(node.output)) != prod(shape[:-1]) * weight.shape[1]:
        raise Unsupported(f"its output has shape {ctx.shape(node.output)}")
    constant = ctx.builder.constant(f"{b}.transposed", weight.T)
    ctx.emit("inner_product", node, [a, constant], per_row=int(prod(shape[:-1]) != 1))


def gemm(ctx: Context, node: Node) -> None:
    """alpha * A * B' + beta * C with constant B and C; alpha and beta go into them."""
    if ctx.is_constant(node.inputs[0]) or node.integer("transA", 0):
        raise Unsupported("its left operand is a constant, or transposed")
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
