"""Activations and element-wise arithmetic."""

from __future__ import annotations

import numpy as np

from host_tools.functions import KINDS
from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.geometry import broadcast
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_FLOAT_MAX = float(np.finfo(np.float32).max)
_ADD, _SUB, _MUL, _MAX, _POW, _RDIV = 0, 1, 2, 4, 6, 8  # ncnn's numbers for BinaryOp, and nnmicro's
_REVERSED_POW = 9
_NAMES = ("atan2", "reversed atan2", "fmod", "reversed fmod", "logaddexp", "floor_divide",
          "reversed floor_divide",           "remainder", "reversed remainder")  # fmt: skip


def _activation(ctx: Context, layer: ParamLayer, kind: int, a: float = 0.0, b: float = 0.0) -> None:
    attrs: dict[str, Attr] = {"activation": kind, "activation_a": a, "activation_b": b}
    ctx.emit("activation", layer, layer.inputs, ctx.shape(layer.inputs[0]), **attrs)


def relu(ctx: Context, layer: ParamLayer) -> None:
    slope = layer.number(0, 0.0)
    _activation(ctx, layer, 2 if slope else 1, slope)


def prelu_weights(layer: ParamLayer) -> list[Section]:
    return [Section("slope", layer.integer(0, 0), tagged=False)]


def prelu(ctx: Context, layer: ParamLayer) -> None:
    """A slope for each channel, or for each row or element of fewer axes; or one for all."""
    slopes, shape = ctx.weights["slope"], ctx.shape(layer.inputs[0])
    if slopes.size not in (1, shape[0]):
        raise Unsupported(f"{slopes.size} slopes for shape {shape}")
    view = (slopes.size,) + (1,) * (len(shape) - 1)
    ctx.emit("prelu", layer, [layer.inputs[0], ctx.weight(layer, "slope", view)], shape)


def clip(ctx: Context, layer: ParamLayer) -> None:
    _activation(ctx, layer, 3, layer.number(0, -_FLOAT_MAX), layer.number(1, _FLOAT_MAX))


def sigmoid(ctx: Context, layer: ParamLayer) -> None:
    _activation(ctx, layer, 4)


# ncnn's operations of UnaryOp, in the order of their numbers.
_UNARY = (
    "absolute", "negative", "floor", "ceil", "square", "root", "inverse_root", "exponential", "logarithm", "sine",
    "cosine", "tangent", "arc_sine", "arc_cosine", "arc_tangent", "reciprocal", "tanh", "logarithm_10", "nearest",
    "truncated",
)  # fmt: skip


def _function(ctx: Context, layer: ParamLayer, name: str, a: float = 0.0, b: float = 0.0) -> None:
    ctx.emit("unary", layer, layer.inputs, ctx.shape(layer.inputs[0]), kind=KINDS[name], a=a, b=b)


def unary_op(ctx: Context, layer: ParamLayer) -> None:
    kind = layer.integer(0, 0)
    if not 0 <= kind < len(_UNARY):
        raise Unsupported(f"the operation number {kind}")
    _function(ctx, layer, _UNARY[kind])


def abs_val(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "absolute")


def celu(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "celu", layer.number(0, 1.0))


def elu(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "elu", layer.number(0, 0.1), 1.0)


def erf(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "error")


def gelu(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "gelu_by_tanh" if layer.integer(0, 0) else "gelu")


def hard_sigmoid(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "hard_sigmoid", layer.number(0, 0.2), layer.number(1, 0.5))


def hard_swish(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "hard_swish", layer.number(0, 0.2), layer.number(1, 0.5))


def mish(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "mish")


def selu(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "elu", layer.number(0, 1.67326324), layer.number(1, 1.050700987))


def shrink(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "shrink", layer.number(1, 0.5), layer.number(0, 0.0))


def softplus(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "softplus")


def swish(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "swish", 1.0)


def tanh(ctx: Context, layer: ParamLayer) -> None:
    _function(ctx, layer, "tanh")


def dropout(ctx: Context, layer: ParamLayer) -> None:
    scale = layer.number(0, 1.0)
    if scale == 1.0:
        ctx.share(layer)
    else:
        operands = [layer.inputs[0], ctx.scalar(layer, scale)]
        ctx.emit("binary_op", layer, operands, ctx.shape(layer.inputs[0]), kind=_MUL)


def binary_op(ctx: Context, layer: ParamLayer) -> None:
    kind = layer.integer(0, 0)
    if not 0 <= kind <= _REVERSED_POW:
        name = _NAMES[kind - 10] if 10 <= kind < 10 + len(_NAMES) else f"number {kind}"
        raise Unsupported(f"the operation {name}")
    a = layer.inputs[0]
    if layer.integer(1, 0):
        if len(layer.inputs) != 1:
            raise Unsupported("it has a scalar and two inputs")
        operands = [a, ctx.scalar(layer, layer.number(2, 0.0))]
    elif len(layer.inputs) == 2:
        b = layer.inputs[1]
        operands = [_expand(ctx, layer, a, ctx.shape(b)), _expand(ctx, layer, b, ctx.shape(a))]
    else:
        raise Unsupported("it has one input and no scalar")
    shape = broadcast(*(ctx.shape(name) for name in operands))
    if kind == _REVERSED_POW:
        operands, kind = operands[::-1], _POW
    ctx.emit("binary_op", layer, operands, shape, kind=kind)


def _expand(ctx: Context, layer: ParamLayer, name: str, other: Shape) -> str:
    """An operand with as many axes as the other: ncnn adds inner axes where the outer ones agree, numpy outer
    ones.
    """
    shape = ctx.shape(name)
    if len(shape) >= len(other):
        return name
    if len(shape) == 2:
        shape = (*shape, 1)
    elif shape[0] == other[0]:
        shape = shape + (1,) * (len(other) - 1)
    else:
        shape = (1,) * (len(other) - 1) + shape
    return ctx.builder.reshaped(layer.name, name, shape)


def eltwise(ctx: Context, layer: ParamLayer) -> None:
    """Product (0), sum with optional coefficients (1) or maximum (2) of blobs of the same shape."""
    shape = ctx.shape(layer.inputs[0])
    if any(ctx.shape(name) != shape for name in layer.inputs):
        shapes = ", ".join(str(ctx.shape(name)) for name in layer.inputs)
        raise Unsupported(f"its inputs must have the same shape; they have {shapes}")
    kinds = {0: _MUL, 1: _ADD, 2: _MAX}
    operation = layer.integer(0, 0)
    if operation not in kinds:
        raise Unsupported(f"the operation number {operation}")
    factors = list(layer.numbers(1)) if operation == 1 else []
    if factors and len(factors) != len(layer.inputs):
        raise Unsupported(f"{len(factors)} coefficients for {len(layer.inputs)} inputs")
    factors = factors or [1.0] * len(layer.inputs)
    left = _scaled(ctx, layer, layer.inputs[0], factors[0])
    for i, name in enumerate(layer.inputs[1:], 1):
        kind = kinds[operation]
        if factors[i] == -1.0:
            kind, right = _SUB, name
        else:
            right = _scaled(ctx, layer, name, factors[i])
        if i == len(layer.inputs) - 1:
            ctx.emit("binary_op", layer, [left, right], shape, kind=kind)
        else:
            left = ctx.emit_new("binary_op", layer, [left, right], shape, kind=kind)


def _scaled(ctx: Context, layer: ParamLayer, name: str, factor: float) -> str:
    if factor == 1.0:
        return name
    return ctx.emit_new("binary_op", layer, [name, ctx.scalar(layer, factor)], ctx.shape(name), kind=_MUL)
