"""Functions of one element: activations, and a change of an int8 blob's scale."""

from __future__ import annotations

import math
from math import prod

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, Context, Node
from host_tools.quantised import TABLES, table

_LEAKY, _SIGMOID = 2, 4
_ADD, _SUB, _MUL, _MIN, _POW = 0, 1, 2, 5, 6  # kinds of binary_op
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
    if node.kind not in TABLES:
        raise Unsupported("it is not supported in int8")
    source, target = ctx.quantisation(node.input(0)), ctx.quantisation(node.output)
    values = table(
        node.kind, source[0], source[1], target[0], target[1], alpha=alpha, approximate=approximate, count=count
    )
    operands = [ctx.operand(node.input(0), INT8), ctx.constant(f"{node.output}.table", values)]
    ctx.emit("table_int8", node, operands, ctx.shape(node.input(0)))


def requantise(ctx: Context, node: Node) -> None:
    """int8 with another scale."""
    _table(ctx, node, count=prod(ctx.shape(node.input(0))))


def int8_only(ctx: Context, node: Node) -> None:
    if not ctx.is_int8(node):
        raise Unsupported("it is supported in int8 only")
    _table(ctx, node)


def gelu(ctx: Context, node: Node) -> None:
    if not ctx.is_int8(node):
        raise Unsupported("it is supported in int8 only")
    _table(ctx, node, approximate=bool(node.integer("Approximate", 0)))


def leaky_relu(ctx: Context, node: Node) -> None:
    alpha = node.number("Alpha")
    if not math.isfinite(alpha):
        raise Unsupported(f"its slope is {alpha}")
    if ctx.is_int8(node):
        _table(ctx, node, alpha=alpha)
    else:
        _activate(ctx, node, _LEAKY, alpha)


class _Chain:
    """float32 arithmetic with numbers, layer behind layer on the node's input."""

    def __init__(self, ctx: Context, node: Node) -> None:
        self.ctx, self.node = ctx, node
        self.shape = ctx.shape(node.input(0))
        self.source = ctx.operand(node.input(0), FLOAT)

    def step(self, kind: int, a: str, b: str | float, /, **attrs: Attr) -> str:
        return self.ctx.emit_new("binary_op", self.node, self._operands(a, b), self.shape, kind=kind, **attrs)

    def last(self, kind: int, a: str, b: str | float) -> None:
        self.ctx.emit("binary_op", self.node, self._operands(a, b), self.shape, kind=kind)

    def _operands(self, a: str, b: str | float) -> list[str]:
        return [a, b if isinstance(b, str) else self.number(b)]

    def number(self, value: float) -> str:
        return self.ctx.number(self.node, value)


def tanh(ctx: Context, node: Node) -> None:
    """float32: 2 sigmoid(2 x) - 1."""
    if ctx.is_int8(node):
        _table(ctx, node)
        return
    chain = _Chain(ctx, node)
    sigmoid = chain.step(_MUL, chain.source, 2.0, **_attrs(_SIGMOID))
    chain.last(_SUB, chain.step(_MUL, sigmoid, 2.0), 1.0)


def hard_swish(ctx: Context, node: Node) -> None:
    """float32: x min(max(x + 3, 0), 6) / 6."""
    if ctx.is_int8(node):
        _table(ctx, node)
        return
    chain = _Chain(ctx, node)
    gate = chain.step(_ADD, chain.source, 3.0, **_attrs(*_FLOAT["RELU6"]))
    chain.last(_MUL, chain.step(_MUL, gate, chain.source), 1.0 / 6.0)


def elu(ctx: Context, node: Node) -> None:
    """float32: max(x, 0) + e ** min(x, 0) - 1."""
    if ctx.is_int8(node):
        _table(ctx, node)
        return
    chain = _Chain(ctx, node)
    power = chain.step(_POW, chain.number(math.e), chain.step(_MIN, chain.source, 0.0))
    below = chain.step(_SUB, power, 1.0)
    above = ctx.emit_new("activation", node, [chain.source], chain.shape, **_attrs(*_FLOAT["RELU"]))
    chain.last(_ADD, above, below)
