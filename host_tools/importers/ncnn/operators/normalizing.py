"""Batch normalisation, scale, softmax and lengths; the first two along the outermost axis (c, or h or w of fewer)."""

from __future__ import annotations

from math import prod, sqrt

import numpy as np

from host_tools.functions import KINDS
from host_tools.graph import Attr
from host_tools.importers.geometry import spatial_axis
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.reductions import MEAN
from host_tools.importers.refusals import Unsupported

_ADD, _SUB, _MUL, _DIV = range(4)  # kinds of binary_op
_W = 2
_RUN_TIME = -233
_SMALLEST_DEVIATION = 0.0001  # what ncnn divides by instead of 0


def batch_norm_weights(layer: ParamLayer) -> list[Section]:
    count = layer.integer(0, 0)
    return [Section(name, count, tagged=False) for name in ("slope", "mean", "variance", "bias")]


def batch_norm(ctx: Context, layer: ParamLayer) -> None:
    """y = x * a + b with a = slope / sqrt(variance + eps) and b = bias - mean * a."""
    slope, mean, variance, bias = (
        ctx.weights[name].astype(np.float64) for name in ("slope", "mean", "variance", "bias")
    )
    variance = variance + layer.number(1, 0.0)
    if not (variance >= 0).all():
        raise Unsupported("a variance is negative or no number")
    deviation = np.sqrt(variance)
    a = slope / np.where(deviation == 0, _SMALLEST_DEVIATION, deviation)
    _emit_scale(ctx, layer, a, bias - mean * a)


def scale_weights(layer: ParamLayer) -> list[Section]:
    count = layer.integer(0, 0)
    if count == _RUN_TIME:
        raise Unsupported("its scale is computed at run time")
    names = ("scale", "bias") if layer.integer(1, 0) else ("scale",)
    return [Section(name, count, tagged=False) for name in names]


def scale(ctx: Context, layer: ParamLayer) -> None:
    factors = ctx.weights["scale"]
    _emit_scale(ctx, layer, factors, ctx.weights.get("bias", np.zeros_like(factors)))


def _emit_scale(ctx: Context, layer: ParamLayer, a: np.ndarray, b: np.ndarray) -> None:
    shape = ctx.shape(layer.inputs[0])
    if a.shape != shape[:1]:
        raise Unsupported(f"it has {a.size} scales; the outermost axis of its input, {shape}, needs {shape[0]}")
    constants = [ctx.builder.constant(f"{layer.name}.{name}", data) for name, data in (("a", a), ("b", b))]
    ctx.emit("scale", layer, [layer.inputs[0], *constants], shape, axis=spatial_axis(shape, 0))


def softmax(ctx: Context, layer: ParamLayer) -> None:
    axis, shape = layer.integer(0, 0), ctx.shape(layer.inputs[0])
    if axis and not layer.integer(1, 0):
        raise Unsupported("the file is too old for an axis other than 0 (ncnn refuses it too); convert it again")
    if len(shape) == 1:
        axis = 0
    elif not -len(shape) <= axis < len(shape):
        raise Unsupported(f"axis {axis} of a blob with {len(shape)} axes")
    ctx.emit("softmax", layer, layer.inputs, shape, axis=spatial_axis(shape, axis))


def normalize_weights(layer: ParamLayer) -> list[Section]:
    return [Section("scale", layer.integer(3, 0), tagged=False)]


def normalize(ctx: Context, layer: ParamLayer) -> None:
    """Divided by the length over space, channels or both; the epsilon is added to its square (mode 0), or is the
    least length (1) or the least square of one (2). Then times one number, or one for each channel.
    """
    shape, epsilon, mode = ctx.shape(layer.inputs[0]), layer.number(2, 0.0001), layer.integer(9, 0)
    channels = shape[0] if len(shape) == 3 else 1
    size = prod(shape) // channels
    over_space, over_channels = layer.integer(0, 0) != 0, layer.integer(4, 1) != 0
    if not (over_space or over_channels) or mode not in (0, 1, 2) or not epsilon > 0:
        raise Unsupported(f"over no axis, or with epsilon {epsilon} in mode {mode}")
    factors = ctx.weights["scale"][:1] if layer.integer(1, 0) else ctx.weights["scale"]
    if factors.size not in (1, channels):
        raise Unsupported(f"{factors.size} scales for {channels} channels")
    view, axis = ((1, channels * size), _W) if over_space and over_channels else ((channels, size), 1 + over_space)
    count = view[axis - 1]
    blob = ctx.builder.reshaped(layer.name, layer.inputs[0], view)
    if mode == 0:  # the layer divides by the root of the mean of squares
        attrs: dict[str, Attr] = {"axis": axis, "centred": 0, "epsilon": epsilon / count}
        blob = ctx.emit_new("normalization", layer, [blob], view, **attrs)
        factors = factors / np.sqrt(np.float32(count))
    else:
        attrs = {"axis": axis, "epsilon": epsilon if mode == 1 else sqrt(epsilon)}
        blob = ctx.emit_new("l2_normalize", layer, [blob], view, **attrs)
    seen = ctx.builder.reshaped(layer.name, blob, (channels, size))
    constant = ctx.builder.constant(f"{layer.name}.scale", factors.reshape(-1, 1))
    scaled = ctx.emit_new("binary_op", layer, [seen, constant], (channels, size), kind=_MUL)
    ctx.emit("reshape", layer, [scaled], shape)


def mean_variance(ctx: Context, layer: ParamLayer) -> None:
    """Less the mean of each channel, or of all, and where asked for divided by the deviation plus epsilon. ncnn gives
    a blob of three axes whatever it is given.
    """
    shape = ctx.shape(layer.inputs[0])
    final = (1,) * (3 - len(shape)) + shape
    rows = 1 if layer.integer(1, 0) else final[0]
    view = (rows, prod(shape) // rows)
    source = ctx.builder.reshaped(layer.name, layer.inputs[0], view)
    mean = ctx.emit_new("reduce", layer, [source], (rows, 1), kind=MEAN, axis=_W)
    blob = ctx.emit_new("binary_op", layer, [source, mean], view, kind=_SUB)
    if layer.integer(0, 0):
        squares = ctx.emit_new("unary", layer, [blob], view, kind=KINDS["square"], a=0.0, b=0.0)
        variance = ctx.emit_new("reduce", layer, [squares], (rows, 1), kind=MEAN, axis=_W)
        deviation = ctx.emit_new("unary", layer, [variance], (rows, 1), kind=KINDS["root"], a=0.0, b=0.0)
        epsilon = ctx.scalar(layer, layer.number(2, 0.0001))
        divisor = ctx.emit_new("binary_op", layer, [deviation, epsilon], (rows, 1), kind=_ADD)
        blob = ctx.emit_new("binary_op", layer, [blob, divisor], view, kind=_DIV)
    ctx.emit("reshape", layer, [blob], final)
