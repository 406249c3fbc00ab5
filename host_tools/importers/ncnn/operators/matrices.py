"""Matrix products: Gemm and MatMul."""

from __future__ import annotations

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_ADD, _MUL = 0, 2


def mat_mul(ctx: Context, layer: ParamLayer) -> None:
    """A vector on the left is a row, on the right a column; the axis that it lacks is left out of the result."""
    a, b = (ctx.shape(name) for name in layer.inputs)
    turned = int(layer.integer(0, 0) != 0)
    if len(b) == 1:  # as it is: a column, or a row that is transposed
        turned = 1
    left, right = (1, *a) if len(a) == 1 else a, (1, *b) if len(b) == 1 else b
    depth, columns = (right[-1], right[-2]) if turned else right[-2:]
    counts = [shape[0] if len(shape) == 3 else 1 for shape in (left, right)]
    if left[-1] != depth or (counts[0] != counts[1] and 1 not in counts):
        raise Unsupported(f"operands of shapes {a} and {b} cannot be multiplied")
    operands = [
        ctx.builder.reshaped(layer.name, name, (count, *shape[-2:]))
        for name, count, shape in zip(layer.inputs, counts, (left, right), strict=True)
    ]
    made = (max(counts), left[-2], columns)
    kept = ((max(counts),) if len(left) == 3 or len(right) == 3 else ()) + (left[-2],) * (len(a) > 1)
    final = kept + ((columns,) if len(b) > 1 else ()) or (1,)
    product = ctx.emit_new("matmul", layer, operands, made, transpose_a=0, transpose_b=turned)
    ctx.emit("reshape", layer, [product], final)


def gemm_weights(layer: ParamLayer) -> list[Section]:
    if layer.integer(18, 0):
        raise Unsupported("its weights are quantised (quantize_term); convert the float32 model")
    m, n, k = (layer.integer(key, 0) for key in (7, 8, 9))
    sections = []
    if layer.integer(4, 0) == 1:
        sections.append(Section("a", m * k, tagged=True))
    if layer.integer(5, 0) == 1:
        sections.append(Section("b", n * k, tagged=True))
    if layer.integer(6, 0) == 1 and layer.integer(10, 0) != -1:
        count = {0: 1, 1: m, 2: m, 3: m * n, 4: n}.get(layer.integer(10, 0))
        if count is None:
            raise Unsupported(f"a third operand of type {layer.integer(10, 0)}")
        sections.append(Section("c", count, tagged=True))
    return sections


def gemm(ctx: Context, layer: ParamLayer) -> None:
    """alpha * (A * B + beta * C), transposed where asked for."""
    given = list(layer.inputs)
    flip_a, flip_b = (int(layer.integer(key, 0) != 0) for key in (2, 3))
    a = _matrix(ctx, layer, "a", given, flip_a)
    alpha, beta = layer.number(0, 1.0), layer.number(1, 1.0)
    if "b" in ctx.weights and not flip_a and not given and ("c" not in ctx.weights or layer.integer(10, 0) in (0, 4)):
        blob = _dense(ctx, layer, a, flip_b, alpha, beta)
    else:
        blob = _product(ctx, layer, given, a, flip_a, flip_b, beta)
        if alpha != 1.0:
            blob = ctx.emit_new("binary_op", layer, [blob, ctx.scalar(layer, alpha)], ctx.shape(blob), kind=_MUL)
    m, n = ctx.shape(blob)
    if layer.integer(14, 0):
        blob, (m, n) = ctx.emit_new("permute", layer, [blob], (n, m), perm=(1, 0)), (n, m)
    ctx.emit("reshape", layer, [blob], (m, 1, n) if layer.integer(11, 0) else (m, n))


def _dense(ctx: Context, layer: ParamLayer, a: str, flip_b: int, alpha: float, beta: float) -> str:
    """Of each row with weights and a bias that are known: a fully connected layer."""
    (m, depth), n = ctx.shape(a), layer.integer(8, 0)
    weight = ctx.weights["b"]
    if n < 1 or weight.size != n * depth:
        raise Unsupported(f"{weight.size} weights for {n} outputs of rows of {depth}")
    weight = np.float32(alpha) * (weight.reshape(n, depth) if flip_b else weight.reshape(depth, n).T)
    operands = [a, ctx.builder.constant(f"{layer.name}.b", weight)]
    if "c" in ctx.weights:
        bias = np.broadcast_to(np.float32(alpha * beta) * ctx.weights["c"], (n,))
        operands.append(ctx.builder.constant(f"{layer.name}.c", bias))
    return ctx.emit_new("inner_product", layer, operands, (m, n), per_row=int(m > 1))


def _product(ctx: Context, layer: ParamLayer, given: list[str], a: str, flip_a: int, flip_b: int, beta: float) -> str:
    """A * B + beta * C."""
    b = _matrix(ctx, layer, "b", given, flip_b)
    shapes = [ctx.shape(name) for name in (a, b)]
    (m, depth), (other, n) = (s[::-1] if flip else s for s, flip in zip(shapes, (flip_a, flip_b), strict=True))
    if depth != other:
        raise Unsupported(f"operands of shapes {shapes[0]} and {shapes[1]} cannot be multiplied")
    blob = ctx.emit_new("matmul", layer, [a, b], (m, n), transpose_a=flip_a, transpose_b=flip_b)
    summand = _summand(ctx, layer, given, m, n)
    if summand is None:
        return blob
    if beta != 1.0:
        scaled = [summand, ctx.scalar(layer, beta)]
        summand = ctx.emit_new("binary_op", layer, scaled, ctx.shape(summand), kind=_MUL)
    return ctx.emit_new("binary_op", layer, [blob, summand], (m, n), kind=_ADD)


def _matrix(ctx: Context, layer: ParamLayer, section: str, given: list[str], flip: int) -> str:
    """A (M x K) or B (K x N): a constant, or the next input; with three axes its rows are channels."""
    if section in ctx.weights:
        rows, columns = (7, 9) if section == "a" else (9, 8)
        shape: Shape = (layer.integer(rows, 0), layer.integer(columns, 0))
        return ctx.weight(layer, section, shape[::-1] if flip else shape)
    if not given:
        raise Unsupported(f"it has {len(layer.inputs)} inputs, which are too few")
    name = given.pop(0)
    shape = ctx.shape(name)
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[1] != 1):
        raise Unsupported(f"an operand of shape {shape}; a matrix is needed")
    return ctx.builder.reshaped(layer.name, name, (shape[0], shape[-1]))


def _summand(ctx: Context, layer: ParamLayer, given: list[str], m: int, n: int) -> str | None:
    """C, with two axes that broadcast to M x N; a vector of M is a column."""
    views: dict[int, Shape] = {0: (1, 1), 1: (m, 1), 2: (m, 1), 3: (m, n), 4: (1, n)}
    if "c" in ctx.weights:
        return ctx.weight(layer, "c", views[layer.integer(10, 0)])
    if layer.integer(6, 0) or not given:
        return None
    shape = ctx.shape(given[0])
    # In the order in which ncnn looks: the last that fits counts.
    kinds: dict[Shape, int] = {(1,): 0, (m,): 1, (n,): 4, (m, 1): 2, (m, n): 3, (1, n): 4}
    if shape not in kinds:
        raise Unsupported(f"a third operand of shape {shape} for a product of {m} x {n}")
    return ctx.builder.reshaped(layer.name, given[0], views[kinds[shape]])
