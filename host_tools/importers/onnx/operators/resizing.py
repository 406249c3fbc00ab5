"""Resize and Upsample."""

from __future__ import annotations

from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.resizing_by_matrices import resize_by_matrices
from host_tools.importers.refusals import Unsupported

_MODES = {"nearest": 0, "linear": 1}
_HALF_PIXEL, _ALIGN_CORNERS, _ASYMMETRIC, _PYTORCH_HALF_PIXEL = range(4)
_TRANSFORMS = {
    "half_pixel": _HALF_PIXEL,
    "half_pixel_symmetric": _HALF_PIXEL,  # differs only where a scaled size is not whole, which is refused
    "align_corners": _ALIGN_CORNERS,
    "asymmetric": _ASYMMETRIC,
    "pytorch_half_pixel": _PYTORCH_HALF_PIXEL,
}
_ROUND_PREFER_FLOOR, _ROUND_PREFER_CEIL, _FLOOR, _CEIL = range(4)
_ROUNDINGS = {
    "round_prefer_floor": _ROUND_PREFER_FLOOR,
    "round_prefer_ceil": _ROUND_PREFER_CEIL,
    "floor": _FLOOR,
    "ceil": _CEIL,
}


def upsample(ctx: Context, node: Node) -> None:
    """Scales are an attribute up to opset 8 and an input since."""
    scales = list(node.numbers("scales")) if ctx.opset < 9 else _scales_input(ctx, node, 1)
    _emit(ctx, node, scales, _ASYMMETRIC, _FLOOR)


def resize(ctx: Context, node: Node) -> None:
    if ctx.opset < 11:
        scales = _scales_input(ctx, node, 1)
        shrinking = {scale < 1 for scale in scales if scale != 1}
        if len(shrinking) > 1:
            raise Unsupported("it enlarges one axis and shrinks another, whose rounding differs before opset 11")
        # onnxruntime's rule for this version: up when shrinking, down otherwise
        _emit(ctx, node, scales, _ASYMMETRIC, _CEIL if True in shrinking else _FLOOR)
        return
    transform = node.text("coordinate_transformation_mode", "half_pixel")
    shape, out = ctx.shape(node.inputs[0]), ctx.shape(node.output)
    rank = len(shape)
    scales = ratios = [after / before for before, after in zip(shape, out, strict=True)]
    if node.has_input(2) and ctx.value(node.inputs[2], "scales").size:
        axes = [a % rank for a in node.integers("axes", tuple(range(rank)))]
        given = _scales_input(ctx, node, 2)
        scales = [1.0] * rank
        for axis, scale in zip(axes, given, strict=True):
            scales[axis] = scale
        whole = all(abs(scale - ratio) <= 1e-6 for scale, ratio in zip(scales, ratios, strict=True))
        # Of such scales ONNX takes the coordinates from a size that is no whole number; other runtimes differ.
        if transform in ("half_pixel_symmetric", "align_corners") and not whole:
            raise Unsupported(f"{transform} with scales that do not give whole sizes")
    if (
        transform not in _TRANSFORMS
        or node.text("mode", "nearest") not in _MODES
        or node.integer("antialias", 0)
        or node.text("keep_aspect_ratio_policy", "stretch") != "stretch"
        or shape[:-2] != out[:-2]
    ):
        resize_by_matrices(ctx, node)
    else:
        _emit(ctx, node, scales, _TRANSFORMS[transform], _ROUNDINGS[node.text("nearest_mode", "round_prefer_floor")])


def _scales_input(ctx: Context, node: Node, i: int) -> list[float]:
    return [float(scale) for scale in ctx.value(node.inputs[i], "scales").reshape(-1)]


def _emit(ctx: Context, node: Node, scales: list[float], transform: int, rounding: int) -> None:
    mode = node.text("mode", "nearest")
    if mode not in _MODES:
        raise Unsupported(f"mode {mode!r}; supported are {', '.join(_MODES)}")
    shape, out = ctx.shape(node.inputs[0]), ctx.shape(node.output)
    if len(scales) != len(shape) or shape[:-2] != out[:-2] or any(s != 1 for s in scales[:-2]):
        raise Unsupported(f"it resizes shape {shape} to {out}; only height and width can be resized")
    scale_h, scale_w = ([1.0, 1.0] + scales)[-2:]
    ctx.emit(
        "interp",
        node,
        [ctx.operand(node.inputs[0])],
        mode=_MODES[mode],
        transform=transform,
        rounding=rounding,
        scale_h=scale_h,
        scale_w=scale_w,
    )
