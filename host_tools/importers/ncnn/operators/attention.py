"""Scaled dot-product attention as products of matrices: SDPA, and MultiHeadAttention with its projections."""

from __future__ import annotations

from math import sqrt

from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_ADD, _MUL = 0, 2
_W = 2


def _refuse_variants(layer: ParamLayer) -> None:
    if layer.integer(7, 0):
        raise Unsupported("it keeps keys and values of earlier steps (kv_cache)")
    if layer.integer(18, 0):
        raise Unsupported("it computes in int8 (quantize_term); convert the float32 model")


def sdpa_weights(layer: ParamLayer) -> list[Section]:
    _refuse_variants(layer)
    return []


def sdpa(ctx: Context, layer: ParamLayer) -> None:
    """Inputs are query, key, value and, where there is one, what is added before the softmax."""
    masked = layer.integer(5, 0) != 0
    if len(layer.inputs) != 3 + masked:
        raise Unsupported(f"it has {len(layer.inputs)} inputs; {3 + masked} are expected")
    query, key, value = layer.inputs[:3]
    factor = layer.number(6, 0.0) or 1.0 / sqrt(ctx.shape(query)[-1])
    scaled = ctx.emit_new("binary_op", layer, [query, ctx.scalar(layer, factor)], ctx.shape(query), kind=_MUL)
    blob = _attention(ctx, layer, scaled, key, value, layer.inputs[3] if masked else None)
    ctx.emit("reshape", layer, [blob], ctx.shape(blob))


def _attention(ctx: Context, layer: ParamLayer, query: str, key: str, value: str, mask: str | None) -> str:
    """softmax(query * key' + mask) * value of (heads, steps, width); several heads may share one key and value."""
    (heads, steps, width), (groups, length, other) = ctx.shape(query), ctx.shape(key)
    if other != width or heads % groups or ctx.shape(value)[:2] != (groups, length):
        shapes = ", ".join(str(ctx.shape(name)) for name in (query, key, value))
        raise Unsupported(f"query, key and value of shapes {shapes} do not fit together")
    rows, out = heads // groups * steps, ctx.shape(value)[-1]
    seen = ctx.builder.reshaped(layer.name, query, (groups, rows, width))
    flips = {"transpose_a": 0, "transpose_b": 1}
    scores = ctx.emit_new("matmul", layer, [seen, key], (groups, rows, length), **flips)
    if mask is not None:
        shape = ctx.shape(mask)
        if shape not in ((steps, length), (1, steps, length), (heads, steps, length)):
            raise Unsupported(f"a mask of shape {shape} for {heads} heads of {steps} x {length}")
        apart = ctx.builder.reshaped(layer.name, scores, (heads, steps, length))
        apart = ctx.emit_new("binary_op", layer, [apart, mask], (heads, steps, length), kind=_ADD)
        scores = ctx.builder.reshaped(layer.name, apart, (groups, rows, length))
    shares = ctx.emit_new("softmax", layer, [scores], (groups, rows, length), axis=_W)
    product = ctx.emit_new("matmul", layer, [shares, value], (groups, rows, out), transpose_a=0, transpose_b=0)
    return ctx.builder.reshaped(layer.name, product, (heads, steps, out))


def multi_head_weights(layer: ParamLayer) -> list[Section]:
    _refuse_variants(layer)
    width, size = layer.integer(0, 0), layer.integer(2, 0)
    if width < 1 or size % width:
        raise Unsupported(f"{size} weights for a width of {width}")
    sections = []
    for name, count in (
        ("query", size),
        *((n, width * layer.integer(k, width)) for n, k in (("key", 3), ("value", 4))),
    ):
        sections.append(Section(name, count, tagged=True))
        sections.append(Section(f"{name} bias", width, tagged=False))
    return [*sections, Section("out", size, tagged=True), Section("out bias", size // width, tagged=False)]


def multi_head(ctx: Context, layer: ParamLayer) -> None:
    """Inputs are query, key and value, of which those that are missing are the one before, and a mask behind them."""
    width, heads = layer.integer(0, 0), layer.integer(1, 1)
    masked = layer.integer(5, 0) != 0
    given = layer.inputs[: len(layer.inputs) - masked]
    if not 1 <= len(given) <= 3 or heads < 1 or width % heads:
        raise Unsupported(f"{len(layer.inputs)} inputs, and {heads} heads of a width of {width}")
    given += given[-1:] * (3 - len(given))
    factor = layer.number(6, 1.0 / sqrt(width // heads))
    parts = []
    for name, blob in zip(("query", "key", "value"), given, strict=True):
        shape = ctx.shape(blob)
        if len(shape) != 2 or ctx.weights[name].size != width * shape[1]:
            raise Unsupported(f"its {name} has shape {shape}, which its {ctx.weights[name].size} weights do not fit")
        made = _projected(ctx, layer, name, blob, width)
        seen = ctx.builder.reshaped(layer.name, made, (shape[0], heads, width // heads))
        turned = (heads, shape[0], width // heads)
        parts.append(ctx.emit_new("permute", layer, [seen], turned, perm=(1, 0, 2)))
    scaled = ctx.emit_new("binary_op", layer, [parts[0], ctx.scalar(layer, factor)], ctx.shape(parts[0]), kind=_MUL)
    blob = _attention(ctx, layer, scaled, parts[1], parts[2], layer.inputs[-1] if masked else None)
    steps = ctx.shape(blob)[1]
    blob = ctx.emit_new("permute", layer, [blob], (steps, heads, width // heads), perm=(1, 0, 2))
    blob = ctx.builder.reshaped(layer.name, blob, (steps, width))
    blob = _projected(ctx, layer, "out", blob, ctx.weights["out"].size // width)
    ctx.emit("reshape", layer, [blob], ctx.shape(blob))


def _projected(ctx: Context, layer: ParamLayer, name: str, blob: str, count: int) -> str:
    rows, length = ctx.shape(blob)
    operands = [blob, ctx.weight(layer, name, (count, length)), ctx.weight(layer, f"{name} bias", (count,))]
    return ctx.emit_new("inner_product", layer, operands, (rows, count), per_row=int(rows > 1))
