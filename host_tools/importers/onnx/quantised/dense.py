"""Matrix products with constant weights in int8."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.quantised.emission import blob_operand, integer_node
from host_tools.importers.onnx.quantised.groups import Group
from host_tools.importers.onnx.quantised.weights import bias_of, quantised_weights, run_constants
from host_tools.importers.refusals import Unsupported


def mat_mul(ctx: Context, group: Group) -> None:
    """A * B with a constant matrix B."""
    operand, node = blob_operand(group), integer_node(group)
    rank = ctx.value(node.inputs[1], "right operand").ndim
    weights = quantised_weights(ctx, node.inputs[1], axis=rank - 1)
    data, length = weights.data, ctx.shape(operand.name)[-1]
    if data.ndim < 2 or prod(data.shape[:-2]) != 1 or data.shape[-2] != length:
        raise Unsupported(f"its right operand of shape {data.shape} is no matrix for rows of {length}")
    matrix = data.reshape(data.shape[-2:]).T
    bias = np.zeros(matrix.shape[0], np.int32)
    _emit(ctx, group, node, matrix, weights.scales, weights.zero, bias)


def gemm(ctx: Context, group: Group) -> None:
    """alpha * A * B' + beta * C: alpha goes into the multiplier, beta into the bias."""
    operand, node = blob_operand(group), integer_node(group)
    if node.integer("transA", 0):
        raise Unsupported("its left operand is transposed")
    transposed, alpha = node.integer("transB", 0), node.number("alpha", 1.0)
    weights = quantised_weights(ctx, node.inputs[1], axis=0 if transposed else 1)
    matrix = weights.data if transposed else weights.data.T
    if matrix.ndim != 2 or matrix.shape[1] != ctx.shape(operand.name)[-1]:
        raise Unsupported(f"weights of shape {weights.data.shape} do not fit {ctx.shape(operand.name)}")
    if not alpha > 0:
        raise Unsupported(f"an alpha of {alpha}")
    scales = (np.float32(alpha) * weights.scales).astype(np.float32)
    bias = bias_of(ctx, group, 2, operand, scales, matrix.shape[0], node.number("beta", 1.0))
    _emit(ctx, group, node, matrix, scales, weights.zero, bias)


def _emit(
    ctx: Context,
    group: Group,
    node: Node,
    matrix: np.ndarray,
    scales: np.ndarray,
    zero: int,
    bias: np.ndarray,
) -> None:
    """inner_product_int8 with a matrix [out, in]. The engine's rows are those of c, h and w, so what has more
    axes is seen as one matrix.
    """
    operand = blob_operand(group)
    shape = ctx.shape(operand.name)
    rows, outputs = prod(shape[:-1]), matrix.shape[0]
    constants = run_constants(ctx, group, operand, matrix, scales, bias)
    attrs = {
        "per_row": int(rows != 1),
        "input_zero": operand.scheme.zero,
        "weight_zero": zero,
        "output_zero": group.outputs[0].scheme.zero,
        "activation_min": group.low,
        "activation_max": group.high,
    }
    if prod(ctx.shape(node.output)) != rows * outputs:
        raise Unsupported(f"its output has shape {ctx.shape(node.output)}")
    if len(shape) <= 2:
        ctx.emit("inner_product_int8", node, [operand.name, *constants], **attrs)
        return
    flat = ctx.reshaped(node, operand.name, (rows, shape[-1]))
    made = ctx.emit_new("inner_product_int8", node, [flat, *constants], (rows, outputs), **attrs)
    ctx.emit("reshape", node, [made])
