"""Layers that stand for a table of numbers: MemoryData, and Embed, which looks rows up in one."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported


def _data_shape(layer: ParamLayer) -> Shape:
    w, h, d, c = (layer.integer(key, 0) for key in (0, 1, 11, 2))
    if d:
        raise Unsupported("blobs with a depth (four axes) are not supported")
    shape = (c, h, w) if c else (h, w) if h else (w,)
    if min(shape) < 1:
        raise Unsupported(f"its shape is {shape}")
    return shape


def memory_data_weights(layer: ParamLayer) -> list[Section]:
    return [Section("data", prod(_data_shape(layer)), tagged=layer.integer(21, 1) == 0)]


def memory_data(ctx: Context, layer: ParamLayer) -> None:
    ctx.constant(layer.outputs[0], ctx.weights["data"].reshape(_data_shape(layer)))


def embed_weights(layer: ParamLayer) -> list[Section]:
    int8 = layer.integer(18, 0) != 0
    sections = [Section("weight", layer.integer(3, 0), tagged=True, int8=int8)]
    if layer.integer(2, 0):
        sections.append(Section("bias", layer.integer(0, 0), tagged=False))
    if int8:
        sections.append(Section("scale", 1, tagged=False, blank=1.0))
    return sections


def embed(ctx: Context, layer: ParamLayer) -> None:
    """A row for each index, which is an int32."""
    name, count, rows = layer.inputs[0], layer.integer(0, 0), layer.integer(1, 0)
    shape = ctx.shape(name)
    if len(shape) != 1 or ctx.builder.graph.tensor(name).dtype != np.int32:
        raise Unsupported(f"its input has shape {shape}; one axis of indices, an Input of the network, is needed")
    if ctx.weights["weight"].size != rows * count:
        raise Unsupported(f"{ctx.weights['weight'].size} weights for {rows} rows of {count}")
    table = ctx.weights["weight"].reshape(1, rows, count)
    if "scale" in ctx.weights:
        if not ctx.weights["scale"][0] > 0:
            raise Unsupported(f"its scale is {ctx.weights['scale'][0]}")
        table = table * (np.float32(1) / ctx.weights["scale"])
    if "bias" in ctx.weights:
        table = table + ctx.weights["bias"]
    seen = ctx.emit_new("reshape", layer, [name], (1, shape[0], 1))
    ctx.builder.graph.tensor(seen).dtype = np.dtype(np.int32)
    constant = ctx.builder.constant(f"{layer.name}.weight", table)
    found = ctx.emit_new("gather", layer, [constant, seen], (1, shape[0], count))
    ctx.emit("reshape", layer, [found], (shape[0], count))
