"""Normalisations by mean and variance of the elements themselves: of rows, channels, or groups of channels."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_H, _W = 1, 2


def layer_norm_weights(layer: ParamLayer) -> list[Section]:
    names = ("gamma",) if layer.kind == "RMSNorm" else ("gamma", "beta")
    return [Section(name, layer.integer(0, 0), tagged=False) for name in names if layer.integer(2, 1)]


def instance_norm_weights(layer: ParamLayer) -> list[Section]:
    return [Section(name, layer.integer(0, 0), tagged=False) for name in ("gamma", "beta") if layer.integer(2, 1)]


def group_norm_weights(layer: ParamLayer) -> list[Section]:
    return [Section(name, layer.integer(1, 0), tagged=False) for name in ("gamma", "beta") if layer.integer(3, 1)]


def layer_norm(ctx: Context, layer: ParamLayer) -> None:
    """LayerNorm and RMSNorm: each row, or each channel where the parameters are as many as its elements."""
    shape, count = ctx.shape(layer.inputs[0]), layer.integer(0, 0)
    of_channels = len(shape) == 3 and count != shape[-1]
    size = prod(shape[1:]) if of_channels else shape[-1]
    if count != size:
        raise Unsupported(f"{count} parameters for rows of {shape[-1]} elements in shape {shape}")
    _normalise(ctx, layer, (prod(shape) // size, size), layer.number(1, 0.001), _W, layer.kind == "LayerNorm")


def instance_norm(ctx: Context, layer: ParamLayer) -> None:
    shape = ctx.shape(layer.inputs[0])
    if len(shape) != 3 or layer.integer(0, 0) not in (0, shape[0]):
        raise Unsupported(f"{layer.integer(0, 0)} channels of shape {shape}")
    _normalise(ctx, layer, (shape[0], prod(shape[1:])), layer.number(1, 0.001), _H)


def group_norm(ctx: Context, layer: ParamLayer) -> None:
    shape, groups = ctx.shape(layer.inputs[0]), layer.integer(0, 1)
    if layer.integer(1, 0) != shape[0] or groups < 1 or shape[0] % groups:
        raise Unsupported(f"{groups} groups of {layer.integer(1, 0)} channels in shape {shape}")
    _normalise(
        ctx, layer, (groups, prod(shape) // groups), layer.number(2, 0.001), _H, scaled=(shape[0], prod(shape[1:]))
    )


def _normalise(
    ctx: Context, layer: ParamLayer, view: Shape, epsilon: float, axis: int, centred: bool = True, scaled: Shape = ()
) -> None:
    """Along the rows of this view, then times gamma and plus beta along the axis of the view `scaled`."""
    if not epsilon > 0:
        raise Unsupported(f"its epsilon is {epsilon}; it must be above 0")
    shape = ctx.shape(layer.inputs[0])
    source = ctx.builder.reshaped(layer.name, layer.inputs[0], view)
    attrs = {"axis": _W, "centred": int(centred), "epsilon": epsilon}
    blob = ctx.emit_new("normalization", layer, [source], view, **attrs)
    if "gamma" in ctx.weights:
        scaled = scaled or view
        gamma = ctx.weights["gamma"]
        numbers = [gamma, ctx.weights.get("beta", np.zeros_like(gamma))]
        constants = [ctx.builder.constant(f"{layer.name}.{n}", a) for n, a in zip(("a", "b"), numbers, strict=True)]
        seen = ctx.builder.reshaped(layer.name, blob, scaled)
        blob = ctx.emit_new("scale", layer, [seen, *constants], scaled, axis=axis)
    ctx.emit("reshape", layer, [blob], shape)
