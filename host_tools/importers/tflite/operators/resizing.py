"""Resizing of height and width."""

from __future__ import annotations

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, Context, Node
from host_tools.quantised import bilinear_scale

_NEAREST, _BILINEAR = 0, 1
_HALF_PIXEL, _ALIGN_CORNERS, _ASYMMETRIC = 0, 1, 2
_ROUND_HALF_UP, _ROUND_DOWN = 1, 2
_LARGEST = 1 << 16


def _transform(ctx: Context, node: Node) -> tuple[Shape, int]:
    """The output's shape, and how its coordinates become the input's."""
    _, h, w, c = ctx.image(node.input(0))
    size = ctx.integers(node, 1, "size")
    if len(size) != 2 or min(size) < 1 or max(size) > _LARGEST:
        raise Unsupported(f"it resizes to {size}; a height and a width are expected")
    align, half = node.integer("AlignCorners", 0), node.integer("HalfPixelCenters", 0)
    if align and half:
        raise Unsupported("align_corners and half_pixel_centers exclude each other")
    return (1, *size, c), _ALIGN_CORNERS if align else _HALF_PIXEL if half else _ASYMMETRIC


def bilinear(ctx: Context, node: Node) -> None:
    out, transform = _transform(ctx, node)
    if ctx.is_int8(node):
        _bilinear_int8(ctx, node, out, transform)
        return
    scales = [after / before for before, after in zip(ctx.shape(node.input(0)), out, strict=True)]
    _emit(ctx, node, out, _BILINEAR, transform, _ROUND_DOWN, scales)


def _bilinear_int8(ctx: Context, node: Node, out: Shape, transform: int) -> None:
    if ctx.quantisation(node.input(0)) != ctx.quantisation(node.output):
        raise Unsupported("its input and output have different scales or zero points")
    sizes = list(zip(ctx.shape(node.input(0)), out, strict=True))
    scales = [bilinear_scale(*size, transform == _ALIGN_CORNERS) for size in sizes]
    operand = ctx.operand(node.input(0), INT8)
    half_pixel = int(transform == _HALF_PIXEL)
    ctx.emit("interp_int8", node, [operand], out, scale_h=scales[1], scale_w=scales[2], half_pixel=half_pixel)


def nearest(ctx: Context, node: Node) -> None:
    out, transform = _transform(ctx, node)
    rounding = _ROUND_DOWN if transform == _ASYMMETRIC else _ROUND_HALF_UP
    sizes = zip(ctx.shape(node.input(0)), out, strict=True)
    scales = [_exact_scale(transform, before, after) for before, after in sizes]
    _emit(ctx, node, out, _NEAREST, transform, rounding, scales)


def _emit(ctx: Context, node: Node, out: Shape, mode: int, transform: int, rounding: int, scales: list[float]) -> None:
    operand = ctx.operand(node.input(0), ctx.dtype(node.output))
    attrs = {"mode": mode, "transform": transform, "rounding": rounding}
    ctx.emit("interp", node, [operand], out, scale_h=scales[1], scale_w=scales[2], **attrs)


def _exact_scale(transform: int, before: int, after: int) -> float:
    """The scale with which interp takes the very neighbours that TFLite takes along one axis.

    The ratio of the sizes, or one close by: where a coordinate is a whole number in exact arithmetic, the
    float32 results of the two may fall on different sides of it.
    """
    wanted = _tflite_indices(transform, before, after)
    below = above = np.float32(after / before)
    for _ in range(8):
        for scale in (below, above):
            if (_interp_indices(transform, before, after, scale) == wanted).all():
                return float(scale)
        below, above = np.nextafter(below, FLOAT.type(0)), np.nextafter(above, FLOAT.type(np.inf))
    raise Unsupported(f"resizing {before} elements to {after} cannot be had exactly")


def _tflite_indices(transform: int, before: int, after: int) -> np.ndarray:
    single, i = np.float32, np.arange(after, dtype=np.float32)
    aligned = transform == _ALIGN_CORNERS
    scale = single(before - 1) / single(after - 1) if aligned and after > 1 else single(before) / single(after)
    coordinate = (i + single(0.5 if transform == _HALF_PIXEL else 0)) * scale
    index = np.floor(coordinate + single(0.5)) if aligned else np.floor(coordinate)
    return np.asarray(np.clip(index, 0, before - 1))


def _interp_indices(transform: int, before: int, after: int, scale: np.float32) -> np.ndarray:
    """As `nnmicro/reference/interp.py`: float64 rounded to float32 at each step."""
    i = np.arange(after, dtype=np.float64)
    if transform == _ALIGN_CORNERS:
        coordinate = i * (before - 1) / (after - 1) if after > 1 else i * 0
    elif transform == _ASYMMETRIC:
        coordinate = i / float(scale)
    else:
        coordinate = np.float32((i + 0.5) / float(scale)).astype(np.float64) - 0.5
    coordinate = np.clip(np.float32(coordinate).astype(np.float64), 0.0, before - 1.0)
    return np.asarray(np.floor(coordinate if transform == _ASYMMETRIC else coordinate + 0.5))
