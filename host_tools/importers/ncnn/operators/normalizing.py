"""Batch normalisation, scale and softmax, the first two along the outermost axis (c, or h or w of fewer)."""

from __future__ import annotations

import numpy as np

from host_tools.importers.geometry import spatial_axis
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

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
