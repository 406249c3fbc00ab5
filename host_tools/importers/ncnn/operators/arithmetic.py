"""Functions of each element that are several layers here: Exp, Log, Power, Threshold, GLU, Bias."""

from __future__ import annotations

from math import log

from host_tools.functions import KINDS
from host_tools.graph import Attr
from host_tools.importers.geometry import spatial_axis
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.operators.moving import part
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_ADD, _MUL, _POW = 0, 2, 6  # kinds of binary_op
_GREATER = 1  # kind of compare
_SIGMOID = 4  # activation
_NATURAL = -1.0  # as a base: e

# A layer: its name, whether a number is its first (-1) or second operand (1) or it has none (0), that number, the kind.
_Step = tuple[str, int, float, int]


def _affine(layer: ParamLayer) -> list[_Step]:
    """shift + x * scale."""
    scale, shift = layer.number(1, 1.0), layer.number(2, 0.0)
    steps: list[_Step] = []
    if scale != 1.0:
        steps.append(("binary_op", 1, scale, _MUL))
    if shift != 0.0:
        steps.append(("binary_op", 1, shift, _ADD))
    return steps


def _in_turn(ctx: Context, layer: ParamLayer, steps: list[_Step]) -> None:
    blob = layer.inputs[0]
    shape = ctx.shape(blob)
    if not steps:
        ctx.share(layer)
    for i, (op, side, number, kind) in enumerate(steps):
        operands = [blob] if side == 0 else [blob, ctx.scalar(layer, number)][::side]
        attrs: dict[str, Attr] = {"kind": kind, **({"a": 0.0, "b": 0.0} if op == "unary" else {})}
        if i == len(steps) - 1:
            ctx.emit(op, layer, operands, shape, **attrs)
        else:
            blob = ctx.emit_new(op, layer, operands, shape, **attrs)


def exp(ctx: Context, layer: ParamLayer) -> None:
    """base ** (shift + x * scale)."""
    base = layer.number(0, _NATURAL)
    last: _Step = ("unary", 0, 0.0, KINDS["exponential"]) if base == _NATURAL else ("binary_op", -1, base, _POW)
    _in_turn(ctx, layer, [*_affine(layer), last])


def log_(ctx: Context, layer: ParamLayer) -> None:
    """The logarithm of shift + x * scale."""
    base = layer.number(0, _NATURAL)
    steps: list[_Step] = [*_affine(layer), ("unary", 0, 0.0, KINDS["logarithm"])]
    if base != _NATURAL:
        if base <= 0.0 or base == 1.0:
            raise Unsupported(f"a logarithm to the base {base}")
        steps.append(("binary_op", 1, 1.0 / log(base), _MUL))
    _in_turn(ctx, layer, steps)


def power(ctx: Context, layer: ParamLayer) -> None:
    """(shift + x * scale) ** power."""
    exponent = layer.number(0, 1.0)
    _in_turn(ctx, layer, _affine(layer) + ([] if exponent == 1.0 else [("binary_op", 1, exponent, _POW)]))


def threshold(ctx: Context, layer: ParamLayer) -> None:
    """1 where x is above the number, else 0."""
    _in_turn(ctx, layer, [("compare", 1, layer.number(0, 0.0), _GREATER)])


def bias_weights(layer: ParamLayer) -> list[Section]:
    return [Section("bias", layer.integer(0, 0), tagged=False)]


def bias(ctx: Context, layer: ParamLayer) -> None:
    """A number for each channel; a blob of fewer axes is one channel."""
    shape, count = ctx.shape(layer.inputs[0]), ctx.weights["bias"].size
    channels = shape[0] if len(shape) == 3 else 1
    if count < channels:
        raise Unsupported(f"{count} numbers for the {channels} channels of shape {shape}")
    view = (channels, 1, 1) if len(shape) == 3 else (1,) * len(shape)
    numbers = ctx.builder.constant(f"{layer.name}.bias", ctx.weights["bias"][:channels].reshape(view))
    ctx.emit("binary_op", layer, [layer.inputs[0], numbers], shape, kind=_ADD)


def glu(ctx: Context, layer: ParamLayer) -> None:
    """The first half along an axis times the sigmoid of the second."""
    shape = ctx.shape(layer.inputs[0])
    axis = 0 if len(shape) == 1 else layer.integer(0, 0)
    if not -len(shape) <= axis < len(shape) or shape[axis] % 2:
        raise Unsupported(f"halves of axis {axis} of shape {shape}")
    axis %= len(shape)
    half = (*shape[:axis], shape[axis] // 2, *shape[axis + 1 :])
    at = spatial_axis(shape, axis)
    first, second = (
        ctx.emit_new("slice", layer, layer.inputs, half, **part({at: start})) for start in (0, shape[axis] // 2)
    )
    gate = ctx.emit_new("activation", layer, [second], half, activation=_SIGMOID, activation_a=0.0, activation_b=0.0)
    ctx.emit("binary_op", layer, [first, gate], half, kind=_MUL)
