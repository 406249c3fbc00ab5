"""Fully connected layers and products of matrices."""

from __future__ import annotations

from math import prod

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, Context, Node
from host_tools.importers.tflite.operators.activations import float_attrs
from host_tools.importers.tflite.operators.weights import check_float_weight, integer_operands
from host_tools.quantised import matmul_parameters


def fully_connected(ctx: Context, node: Node) -> None:
    """Weights are [outputs, length]; the input is rows of that length whatever its shape says."""
    if node.integer("WeightsFormat", 0):
        raise Unsupported("its weights are shuffled; only the default format is supported")
    weight = ctx.value(node.input(1), "weight")
    shape = ctx.shape(node.input(0))
    if weight.ndim != 2 or not weight.size or prod(shape) % weight.shape[1]:
        raise Unsupported(f"weights of shape {weight.shape} do not fit an input of shape {shape}")
    outputs, length = weight.shape
    rows = prod(shape) // length
    final = (rows, outputs)
    if node.integer("KeepNumDims", 0):
        if shape[-1] != length:
            raise Unsupported(f"it keeps the axes of shape {shape}, but has weights for {length} elements")
        final = (*shape[:-1], outputs)
    attrs: dict[str, Attr] = {"per_row": int(rows != 1)}
    if ctx.is_int8(node):
        op = "inner_product_int8"
        operands, more = integer_operands(ctx, node, outputs, axis=0)
        attrs |= more
    else:
        op = "inner_product"
        check_float_weight(ctx, node)
        operands = [ctx.operand(node.input(0), FLOAT), ctx.operand(node.input(1), FLOAT)]
        if node.has_input(2):
            if ctx.value(node.input(2), "bias").size != outputs:
                raise Unsupported(f"its bias does not have {outputs} elements")
            operands.append(ctx.operand(node.input(2), FLOAT))
        attrs |= float_attrs(node)
    operands[0] = ctx.reshaped(node, operands[0], (rows, length))
    ctx.result(op, node, operands, (rows, outputs), final, **attrs)


def batch_matmul(ctx: Context, node: Node) -> None:
    """The last two axes are matrices, the ones before count them; either operand may be a constant."""
    shapes = [ctx.shape(node.input(i)) for i in (0, 1)]
    if min(map(len, shapes)) < 2:
        raise Unsupported(f"its operands have shapes {shapes[0]} and {shapes[1]}; two axes at least are expected")
    int8 = ctx.is_int8(node)
    adjoint = [bool(node.integer(name, 0)) for name in ("AdjX", "AdjY")]
    (m, depth), (other, n) = ((s[:-3:-1] if flip else s[-2:]) for s, flip in zip(shapes, adjoint, strict=True))
    if depth != other:
        raise Unsupported(f"matrices of {m} x {depth} and {other} x {n} cannot be multiplied")
    outer = _outer(shapes[0][:-2], shapes[1][:-2])
    operands = []
    for i, shape in enumerate(shapes):
        operand = ctx.operand(node.input(i), INT8 if int8 else FLOAT)
        operands.append(ctx.reshaped(node, operand, (prod(shape[:-2]), *shape[-2:])))
    attrs: dict[str, Attr] = {"transpose_a": int(adjoint[0]), "transpose_b": int(adjoint[1])}
    if int8:
        scales = [ctx.quantisation(name) for name in (node.input(0), node.input(1), node.output)]
        attrs |= matmul_parameters(*scales[0], *scales[1], *scales[2])
    op = "matmul_int8" if int8 else "matmul"
    ctx.result(op, node, operands, (prod(outer), m, n), (*outer, m, n), **attrs)


def _outer(a: Shape, b: Shape) -> Shape:
    """How many matrices come out, axis by axis: one operand has as many, the other as many or one for all."""
    rank = max(len(a), len(b))
    a, b = ((1,) * (rank - len(s)) + s for s in (a, b))
    if a == b or prod(b) == 1:
        return a
    if prod(a) == 1:
        return b
    raise Unsupported(f"{a} and {b} matrices broadcast along some of the outer axes only")
