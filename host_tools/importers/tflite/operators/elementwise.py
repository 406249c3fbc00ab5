"""Arithmetic on two operands."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, Context, Node
from host_tools.importers.tflite.operators.activations import float_attrs
from host_tools.quantised import (
    add_parameters,
    extremum_parameters,
    mul_parameters,
    prelu_parameters,
    sub_parameters,
)

# The kinds of binary_op.
_FLOAT_KINDS = {"ADD": 0, "SUB": 1, "MUL": 2, "DIV": 3, "MAXIMUM": 4, "MINIMUM": 5, "POW": 6}
_INT8_PARAMETERS = {"ADD": add_parameters, "SUB": sub_parameters, "MUL": mul_parameters}
_EXTREMA = {"MAXIMUM": "max", "MINIMUM": "min"}
_LEAKY = 2


def binary(ctx: Context, node: Node) -> None:
    int8 = ctx.is_int8(node)
    dtype = INT8 if int8 else FLOAT
    shapes = [ctx.shape(node.input(i)) for i in (0, 1)]
    out = broadcast(*shapes)
    a, b = (ctx.reshaped(node, ctx.operand(node.input(i), dtype), aligned(shapes[i], out)) for i in (0, 1))
    if not int8:
        ctx.emit("binary_op", node, [a, b], out, kind=_FLOAT_KINDS[node.kind], **float_attrs(node))
        return
    scales = [ctx.quantisation(name) for name in (node.input(0), node.input(1), node.output)]
    attrs: Mapping[str, Attr]
    if node.kind in _EXTREMA:
        if len(set(scales)) != 1:
            raise Unsupported("its operands and its output have different scales or zero points")
        attrs = extremum_parameters(_EXTREMA[node.kind])
    else:
        attrs = _INT8_PARAMETERS[node.kind](*scales[0], *scales[1], *scales[2], node.activation())
    ctx.emit("binary_int8", node, [a, b], out, **attrs)


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape of the result; raises Unsupported where c, h and w cannot express the broadcasting."""
    try:
        out = tuple(int(size) for size in np.broadcast_shapes(a, b))
    except ValueError:
        raise Unsupported(f"shapes {a} and {b} do not broadcast") from None
    folded = slice(0, -2)  # into h with four or more axes, into c with fewer; a single axis is as it is
    for shape in (aligned(a, out), aligned(b, out)):
        if shape[folded] != out[folded] and prod(shape[folded]) != 1:
            raise Unsupported(f"shapes {a} and {b} broadcast along some of the outer axes only")
    return out


def aligned(shape: Shape, out: Shape) -> Shape:
    """An operand's shape with as many axes as the result's: their number decides which is which."""
    return (1,) * (len(out) - len(shape)) + shape


def p_relu(ctx: Context, node: Node) -> None:
    """One slope for all float32 elements is an activation, which can be fused."""
    int8 = ctx.is_int8(node)
    dtype = INT8 if int8 else FLOAT
    shape, slope = ctx.shape(node.input(0)), ctx.shape(node.input(1))
    if broadcast(shape, slope) != shape:
        raise Unsupported(f"slopes of shape {slope} do not fit an input of shape {shape}")
    x = ctx.operand(node.input(0), dtype)
    if not int8 and ctx.is_constant(node.input(1)):
        slopes = np.unique(ctx.value(node.input(1), "slope"))
        if slopes.size == 1:
            attrs: dict[str, Attr] = {"activation": _LEAKY, "activation_a": float(slopes[0]), "activation_b": 0.0}
            ctx.emit("activation", node, [x], shape, **attrs)
            return
    operands = [x, ctx.reshaped(node, ctx.operand(node.input(1), dtype), aligned(slope, shape))]
    if not int8:
        ctx.emit("prelu", node, operands, shape)
        return
    scales = [ctx.quantisation(name) for name in (node.input(0), node.input(1), node.output)]
    ctx.emit("prelu_int8", node, operands, shape, **prelu_parameters(*scales[0], *scales[1], *scales[2]))
