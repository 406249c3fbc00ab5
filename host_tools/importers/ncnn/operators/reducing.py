"""Reduction of any axes, and the mean and deviation of channels."""

from __future__ import annotations

from math import prod

from host_tools.functions import KINDS
from host_tools.importers.ncnn.context import Context
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.reductions import (
    ABSOLUTE,
    LENGTH,
    LOG_SUM,
    LOG_SUM_EXP,
    MAX,
    MEAN,
    MIN,
    PRODUCT,
    SQUARES,
    SUM,
    in_turns,
)
from host_tools.importers.refusals import Unsupported

# By ncnn's numbers.
_KINDS = (SUM, ABSOLUTE, SQUARES, MEAN, MAX, MIN, PRODUCT, ABSOLUTE, LENGTH, LOG_SUM, LOG_SUM_EXP)
_SUB, _MUL = 1, 2
_H, _W = 1, 2


def reduction(ctx: Context, layer: ParamLayer) -> None:
    """Times a coefficient. A blob of one axis is reduced along it whatever the parameters say."""
    operation, shape = layer.integer(0, 0), ctx.shape(layer.inputs[0])
    if not 0 <= operation < len(_KINDS):
        raise Unsupported(f"the operation number {operation}")
    axes = _axes(layer, len(shape))
    if not axes:
        raise Unsupported("it reduces no axis")
    keep = bool(layer.integer(4, 0))
    final = tuple(1 if axis in axes else n for axis, n in enumerate(shape) if keep or axis not in axes) or (1,)
    factor = layer.number(2, 1.0)
    blob = layer.inputs[0]
    for step in in_turns(shape, axes, _KINDS[operation]):
        source = ctx.builder.reshaped(layer.name, blob, step.view)
        blob = ctx.emit_new("reduce", layer, [source], step.kept, kind=step.kind, axis=_H)
    if factor != 1.0:
        seen = ctx.builder.reshaped(layer.name, blob, final)
        ctx.emit("binary_op", layer, [seen, ctx.scalar(layer, factor)], final, kind=_MUL)
    else:
        ctx.emit("reshape", layer, [blob], final)


def _axes(layer: ParamLayer, rank: int) -> set[int]:
    given = layer.integers(3)
    if given and not layer.integer(5, 0):
        raise Unsupported("the file is too old for axes (ncnn refuses it too); convert the model again")
    if any(not -rank <= axis < rank for axis in given):
        raise Unsupported(f"axes {given} of a blob with {rank} axes")
    if rank == 1 or layer.integer(1, 1):
        return set(range(rank))
    return {axis % rank for axis in given}


def statistics_pooling(ctx: Context, layer: ParamLayer) -> None:
    """The mean of each channel, and where it is asked for the deviations behind them."""
    shape = ctx.shape(layer.inputs[0])
    channels = shape[0] if len(shape) == 3 else 1
    view = (channels, prod(shape) // channels)
    source = ctx.builder.reshaped(layer.name, layer.inputs[0], view)
    mean = ctx.emit_new("reduce", layer, [source], (channels, 1), kind=MEAN, axis=_W)
    if not layer.integer(0, 0):
        ctx.emit("reshape", layer, [mean], (channels,))
        return
    apart = ctx.emit_new("binary_op", layer, [source, mean], view, kind=_SUB)
    squares = ctx.emit_new("unary", layer, [apart], view, kind=KINDS["square"], a=0.0, b=0.0)
    variance = ctx.emit_new("reduce", layer, [squares], (channels, 1), kind=MEAN, axis=_W)
    deviation = ctx.emit_new("unary", layer, [variance], (channels, 1), kind=KINDS["root"], a=0.0, b=0.0)
    both = ctx.emit_new("concat", layer, [mean, deviation], (2 * channels, 1), axis=_H)
    ctx.emit("reshape", layer, [both], (2 * channels,))
