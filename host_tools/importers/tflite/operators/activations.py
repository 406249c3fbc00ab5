"""Functions of one element: activations, and a change of an int8 blob's scale."""

from __future__ import annotations

import math
from math import prod

from host_tools.functions import KINDS
from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, Context, Node
from host_tools.quantised import table

_LEAKY, _SIGMOID = 2, 4
# TFLite's name -> the kind of activation and its two numbers.
_FLOAT: dict[str, tuple[int, float, float]] = {
    "NONE": (0, 0.0, 0.0),
    "RELU": (1, 0.0, 0.0),
    "RELU6": (3, 0.0, 6.0),
    "RELU_N1_TO_1": (3, -1.0, 1.0),
    "RELU_0_TO_1": (3, 0.0, 1.0),
    "LOGISTIC": (_SIGMOID, 0.0, 0.0),
}


def _attrs(kind: int, a: float = 0.0, b: float = 0.0) -> dict[str, Attr]:
    return {"activation": kind, "activation_a": a, "activation_b": b}


def float_attrs(node: Node) -> dict[str, Attr]:
    """The fused activation as parameters of a float32 kernel."""
    return _attrs(*_FLOAT[node.activation()])


def separate_activation(ctx: Context, node: Node, op: str, inputs: list[str], shape: Shape, /, **attrs: Attr) -> None:
    """A float32 layer whose kernel has no activation of its own, and the fused one as a layer behind it."""
    if node.activation() == "NONE":
        ctx.emit(op, node, inputs, shape, **attrs)
    else:
        computed = ctx.emit_new(op, node, inputs, shape, **attrs)
        ctx.emit("activation", node, [computed], shape, **float_attrs(node))


def activation(ctx: Context, node: Node) -> None:
    if ctx.is_int8(node):
        _table(ctx, node)
    else:
        _activate(ctx, node, *_FLOAT[node.kind])


def _activate(ctx: Context, node: Node, kind: int, a: float = 0.0, b: float = 0.0) -> None:
    operand = ctx.operand(node.input(0), FLOAT)
    ctx.emit("activation", node, [operand], ctx.shape(node.input(0)), **_attrs(kind, a, b))


def _table(ctx: Context, node: Node, *, alpha: float = 0.0, approximate: bool = False, count: int = 16) -> None:
    """int8: the result for each of the 256 values, computed now."""
    source, target = ctx.quantisation(node.input(0)), ctx.quantisation(node.output)
    values = table(
        node.kind, source[0], source[1], target[0], target[1], alpha=alpha, approximate=approximate, count=count
    )
    operands = [ctx.operand(node.input(0), INT8), ctx.constant(f"{node.output}.table", values)]
    ctx.emit("table_int8", node, operands, ctx.shape(node.input(0)))


def requantise(ctx: Context, node: Node) -> None:
    """int8 with another scale."""
    _table(ctx, node, count=prod(ctx.shape(node.input(0))))


# The operator -> the function's name in nnmicro, and its two parameters.
_FUNCTIONS: dict[str, tuple[str, float, float]] = {
    "ABS": ("absolute", 0.0, 0.0),
    "CEIL": ("ceil", 0.0, 0.0),
    "COS": ("cosine", 0.0, 0.0),
    "ELU": ("elu", 1.0, 1.0),
    "EXP": ("exponential", 0.0, 0.0),
    "FLOOR": ("floor", 0.0, 0.0),
    "GELU": ("gelu", 0.0, 0.0),
    "HARD_SWISH": ("hard_swish", 1 / 6, 0.5),
    "LOG": ("logarithm", 0.0, 0.0),
    "NEG": ("negative", 0.0, 0.0),
    "ROUND": ("nearest", 0.0, 0.0),
    "RSQRT": ("inverse_root", 0.0, 0.0),
    "SIGN": ("sign", 0.0, 0.0),
    "SIN": ("sine", 0.0, 0.0),
    "SQRT": ("root", 0.0, 0.0),
    "SQUARE": ("square", 0.0, 0.0),
    "TANH": ("tanh", 0.0, 0.0),
}
FUNCTIONS = tuple(_FUNCTIONS)


def function(ctx: Context, node: Node) -> None:
    """A function of one number."""
    approximate = node.kind == "GELU" and bool(node.integer("Approximate", 0))
    if ctx.is_int8(node):
        _table(ctx, node, approximate=approximate)
        return
    name, a, b = _FUNCTIONS[node.kind]
    kind = KINDS["gelu_by_tanh" if approximate else name]
    operand = ctx.operand(node.input(0), FLOAT)
    ctx.emit("unary", node, [operand], ctx.shape(node.input(0)), kind=kind, a=a, b=b)


def leaky_relu(ctx: Context, node: Node) -> None:
    alpha = node.number("Alpha")
    if not math.isfinite(alpha):
        raise Unsupported(f"its slope is {alpha}")
    if ctx.is_int8(node):
        _table(ctx, node, alpha=alpha)
    else:
        _activate(ctx, node, _LEAKY, alpha)
