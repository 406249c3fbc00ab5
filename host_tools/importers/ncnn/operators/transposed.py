"""Transposed convolution: Deconvolution and, with groups, DeconvolutionDepthWise."""

from __future__ import annotations

from host_tools.graph import Attr
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.operators.activations import fused_activation
from host_tools.importers.ncnn.operators.windows import image, pair
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_SAME_UPPER, _SAME_LOWER = -233, -234


def deconvolution_weights(layer: ParamLayer) -> list[Section]:
    if layer.integer(28, 0):
        raise Unsupported("its weights are computed at run time (dynamic_weight)")
    sections = [Section("weight", layer.integer(6, 0), tagged=True)]
    if layer.integer(5, 0):
        sections.append(Section("bias", layer.integer(0, 0), tagged=False))
    return sections


def deconvolution(ctx: Context, layer: ParamLayer) -> None:
    count = layer.integer(0, 0)
    kernel, dilation, stride = pair(layer, 1, 11, 0), pair(layer, 2, 12, 1), pair(layer, 3, 13, 1)
    group = layer.integer(7, 1) if layer.kind.startswith("DeconvolutionDepthWise") else 1
    channels, *size = image(ctx, layer)
    if group < 1 or count < 1 or channels % group or count % group:
        raise Unsupported(f"{group} groups do not divide {channels} channels and {count} outputs")
    if min(kernel + dilation + stride) < 1:
        raise Unsupported(f"kernel {kernel}, stride {stride} and dilation {dilation} must all be 1 or more")
    weight_shape = (count, channels // group, *kernel)
    if ctx.weights["weight"].size != count * channels // group * kernel[0] * kernel[1]:
        raise Unsupported(f"it has {ctx.weights['weight'].size} weights; {weight_shape} are needed")
    right = layer.integer(18, 0)
    full = [
        (n - 1) * s + d * (k - 1) + 1 + more
        for n, s, d, k, more in zip(size, stride, dilation, kernel, (layer.integer(19, right), right), strict=True)
    ]
    (top, bottom), (left, cut_right) = _cuts(layer, full)
    out = (count, full[0] - top - bottom, full[1] - left - cut_right)
    if min(out) < 1 or min(top, left, bottom, cut_right) < 0:
        raise Unsupported(f"its output of {full} cannot be cut to {out[1:]}")
    operands = [layer.inputs[0], ctx.weight(layer, "weight", (-1,))]
    if "bias" in ctx.weights:
        operands.append(ctx.weight(layer, "bias", (count,)))
    attrs: dict[str, Attr] = {"group": group, "pad_top": top, "pad_left": left}
    for name, (value_h, value_w) in (("kernel", kernel), ("stride", stride), ("dilation", dilation)):
        attrs[f"{name}_h"], attrs[f"{name}_w"] = value_h, value_w
    ctx.emit("deconvolution", layer, operands, out, **attrs, **fused_activation(layer))


def _cuts(layer: ParamLayer, full: list[int]) -> list[tuple[int, int]]:
    """What is cut off before and behind, of rows and of columns: the pads, or what a wanted size leaves over."""
    left = layer.integer(4, 0)
    top = layer.integer(14, left)
    right, bottom = layer.integer(15, left), layer.integer(16, top)
    pads = (top, bottom, left, right)
    wanted = (layer.integer(21, layer.integer(20, 0)), layer.integer(20, 0))
    if max(pads) > 0 or min(wanted) <= 0:
        return [(max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))]
    if min(pads) >= 0:
        return [(0, 0), (0, 0)] if [*wanted] == full else _no_size(wanted)
    cuts = [have - want for have, want in zip(full, wanted, strict=True)]
    if _SAME_UPPER in pads:
        return [(cut // 2, cut - cut // 2) for cut in cuts]
    if _SAME_LOWER in pads:
        return [(cut - cut // 2, cut // 2) for cut in cuts]
    raise Unsupported(f"pads of {pads}")


def _no_size(wanted: tuple[int, int]) -> list[tuple[int, int]]:
    raise Unsupported(f"an output of {wanted} without pads of -233 (SAME_UPPER) or -234 (SAME_LOWER)")
