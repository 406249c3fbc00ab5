"""Between types: quantisation, dequantisation and casts."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, Context, Node
from host_tools.importers.tflite.operators.activations import requantise
from host_tools.quantised import conversion_in_blocks


def quantize(ctx: Context, node: Node) -> None:
    """From float32, or from int8 to another scale."""
    if ctx.dtype(node.output) != INT8:
        raise Unsupported(f"its output {node.output!r} is not int8")
    if ctx.dtype(node.input(0)) == INT8:
        requantise(ctx, node)
        return
    _convert(ctx, node, "quantize", FLOAT, ctx.quantisation(node.output))


def dequantize(ctx: Context, node: Node) -> None:
    """From int8. Constants, int8 or float16, are float32 before they get here."""
    if ctx.dtype(node.output) != FLOAT or ctx.dtype(node.input(0)) != INT8:
        raise Unsupported("int8 to float32 is supported")
    _convert(ctx, node, "dequantize", INT8, ctx.quantisation(node.input(0)))


def _convert(ctx: Context, node: Node, op: str, source: np.dtype, quantisation: tuple[float, int]) -> None:
    shape = ctx.shape(node.input(0))
    attrs: dict[str, Attr] = {"scale": quantisation[0], "zero_point": quantisation[1]}
    attrs["in_blocks"] = conversion_in_blocks(prod(shape))
    ctx.emit(op, node, [ctx.operand(node.input(0), source)], shape, **attrs)


def cast(ctx: Context, node: Node) -> None:
    """The numbers as they are stored, whatever scale they have; a cast to the same type does nothing."""
    if ctx.source(node.input(0)).dtype == ctx.source(node.output).dtype:
        ctx.emit("share", node, [ctx.operand(node.input(0), ctx.dtype(node.output))], ctx.shape(node.input(0)))
    else:
        ctx.emit_cast(node)
