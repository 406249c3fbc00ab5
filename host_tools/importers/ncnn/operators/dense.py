"""Fully connected layers."""

from __future__ import annotations

from math import prod

from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.operators import quantised
from host_tools.importers.ncnn.operators.activations import fused_activation
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported


def inner_product_weights(layer: ParamLayer) -> list[Section]:
    sections = [Section("weight", layer.integer(2, 0), tagged=True, int8=bool(quantised.term(layer)))]
    if layer.integer(1, 0):
        sections.append(Section("bias", layer.integer(0, 0), tagged=False))
    return sections + quantised.scale_sections(layer)


def inner_product(ctx: Context, layer: ParamLayer) -> None:
    """Of all elements together, or of each row where the input has two axes and rows of the right length."""
    shape, count = ctx.shape(layer.inputs[0]), layer.integer(0, 0)
    weights = ctx.weights["weight"].size
    if count < 1 or weights % count:
        raise Unsupported(f"{weights} weights for {count} outputs")
    length = weights // count
    by_row = len(shape) == 2 and shape[1] == length
    if not by_row and prod(shape) != length:
        raise Unsupported(f"it has weights for {length} elements; its input has shape {shape}")
    operands = [quantised.input_operand(ctx, layer), quantised.weight_operand(ctx, layer, (count, length))]
    if "bias" in ctx.weights:
        operands.append(ctx.weight(layer, "bias", (count,)))
    out = (shape[0], count) if by_row else (count,)
    per_row = int(by_row and shape[0] > 1)
    ctx.emit("inner_product", layer, operands, out, per_row=per_row, **fused_activation(layer))
