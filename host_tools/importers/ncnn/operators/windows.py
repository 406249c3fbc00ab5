"""Convolution and pooling."""

from __future__ import annotations

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.geometry import same_padding, window_output
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.operators import quantised
from host_tools.importers.ncnn.operators.activations import fused_activation
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_SAME_UPPER, _SAME_LOWER = -233, -234
_MAX, _AVERAGE = 0, 1
_FULL, _VALID, _POOL_SAME_UPPER, _POOL_SAME_LOWER = range(4)

Pads = tuple[int, int, int, int]  # top, left, bottom, right


def pair(layer: ParamLayer, key_w: int, key_h: int, default: int) -> tuple[int, int]:
    """(h, w) of a parameter whose height is its width where it is not given."""
    w = layer.integer(key_w, default)
    return layer.integer(key_h, w), w


def image(ctx: Context, layer: ParamLayer) -> Shape:
    shape = ctx.shape(layer.inputs[0])
    if len(shape) != 3:
        raise Unsupported(f"its input has shape {shape}; channels, height and width are needed")
    return shape


def _same(size: Shape, kernel: Shape, stride: Shape, dilation: Shape, upper: bool) -> Pads:
    if min(kernel + stride + dilation) < 1:
        raise Unsupported(f"kernel {kernel}, stride {stride} and dilation {dilation} must all be 1 or more")
    axes = list(zip(size, kernel, stride, dilation, strict=True))
    (top, bottom), (left, right) = (same_padding(*axis, upper) for axis in axes)
    # Where a window is smaller than its stride ncnn may pad less than nothing: it cuts, if the other axis is padded.
    spare = [d * (k - 1) + 1 + (n - 1) // s * s - n for n, k, s, d in axes]
    if min(spare) < 0 < max(spare):
        raise Unsupported("SAME padding where ncnn pads one axis and cuts the other; give the pads as numbers")
    return top, left, bottom, right


def convolution_weights(layer: ParamLayer) -> list[Section]:
    if layer.integer(19, 0):
        raise Unsupported("its weights are computed at run time (dynamic_weight)")
    sections = [Section("weight", layer.integer(6, 0), tagged=True, int8=bool(quantised.term(layer)))]
    if layer.integer(5, 0):
        sections.append(Section("bias", layer.integer(0, 0), tagged=False))
    return sections + quantised.scale_sections(layer)


def convolution(ctx: Context, layer: ParamLayer) -> None:
    """Convolution, and with groups (parameter 7) ConvolutionDepthWise."""
    count = layer.integer(0, 0)
    kernel, dilation, stride = pair(layer, 1, 11, 0), pair(layer, 2, 12, 1), pair(layer, 3, 13, 1)
    group = layer.integer(7, 1) if layer.kind.startswith("ConvolutionDepthWise") else 1
    if len(ctx.shape(layer.inputs[0])) == 1 and kernel == (1, 1) and group == 1:
        _flat_convolution(ctx, layer, count)
        return
    channels, *size = image(ctx, layer)
    left = layer.integer(4, 0)
    top = layer.integer(14, left)
    pads: Pads = (top, left, layer.integer(16, top), layer.integer(15, left))
    if all(pad in (_SAME_UPPER, _SAME_LOWER) for pad in pads) and len(set(pads)) == 1:
        pads = _same(tuple(size), kernel, stride, dilation, upper=left == _SAME_UPPER)
    if group < 1 or count < 1 or channels % group or count % group:
        raise Unsupported(f"{group} groups do not divide {channels} channels and {count} outputs")
    weight_shape = (count, channels // group, *kernel)
    if ctx.weights["weight"].size != count * channels // group * kernel[0] * kernel[1]:
        raise Unsupported(f"it has {ctx.weights['weight'].size} weights; {weight_shape} are needed")
    out_h = window_output(size[0], kernel[0], stride[0], dilation[0], pads[0], pads[2])
    out_w = window_output(size[1], kernel[1], stride[1], dilation[1], pads[1], pads[3])
    attrs: dict[str, Attr] = {
        "group": group,
        "pad_top": pads[0],
        "pad_left": pads[1],
        "pad_value": layer.number(18, 0.0),
    }
    for name, (value_h, value_w) in (("kernel", kernel), ("stride", stride), ("dilation", dilation)):
        attrs[f"{name}_h"], attrs[f"{name}_w"] = value_h, value_w
    if quantised.term(layer) and attrs["pad_value"]:
        raise Unsupported(f"it pads int8 numbers with {attrs['pad_value']}; 0 is supported")
    if quantised.gives_int8(layer):
        quantised.convolution(ctx, layer, weight_shape, (count, out_h, out_w), attrs)
        return
    operands = [quantised.input_operand(ctx, layer), quantised.weight_operand(ctx, layer, weight_shape)]
    if "bias" in ctx.weights:
        operands.append(ctx.weight(layer, "bias", (count,)))
    ctx.emit("convolution", layer, operands, (count, out_h, out_w), **attrs, **fused_activation(layer))


def _flat_convolution(ctx: Context, layer: ParamLayer, count: int) -> None:
    """A 1 x 1 convolution of a blob with one axis is a fully connected layer."""
    if quantised.gives_int8(layer):
        raise Unsupported("it gives int8 numbers of a blob with one axis")
    shape = (count, ctx.shape(layer.inputs[0])[0])
    operands = [quantised.input_operand(ctx, layer), quantised.weight_operand(ctx, layer, shape)]
    if "bias" in ctx.weights:
        operands.append(ctx.weight(layer, "bias", (count,)))
    ctx.emit("inner_product", layer, operands, (count,), per_row=0, **fused_activation(layer))


def pooling(ctx: Context, layer: ParamLayer) -> None:
    channels, *size = image(ctx, layer)
    kind = layer.integer(0, 0)
    if kind not in (_MAX, _AVERAGE):
        raise Unsupported(f"pooling type {kind}")
    if layer.integer(4, 0):  # global; the result has one axis
        _emit_pooling(ctx, layer, kind, tuple(size), (1, 1), (0, 0, 0, 0), 0, (channels,))
        return
    if layer.integer(7, 0):
        _adaptive_pooling(ctx, layer, kind, channels, tuple(size))
        return
    kernel, stride = pair(layer, 1, 11, 0), pair(layer, 2, 12, 1)
    left = layer.integer(3, 0)
    top = layer.integer(13, left)
    pads: Pads = (top, left, layer.integer(15, top), layer.integer(14, left))
    mode, include_pad = layer.integer(5, 0), layer.integer(6, 0)
    if mode == _FULL:
        tails = [_tail(*axis) for axis in zip(size, kernel, stride, pads[:2], pads[2:], strict=True)]
        if include_pad:  # then what rounding up adds counts as well
            pads = (pads[0], pads[1], pads[2] + tails[0], pads[3] + tails[1])
            tails = [0, 0]
    elif mode in (_POOL_SAME_UPPER, _POOL_SAME_LOWER):
        if any(pads):
            raise Unsupported(f"pad mode {mode} (SAME) with pads {pads} as well")
        pads = _same(tuple(size), kernel, stride, (1, 1), upper=mode == _POOL_SAME_UPPER)
        include_pad, tails = 1, [0, 0]  # ncnn leaves out only the pads that are parameters, and these are not
    elif mode == _VALID:
        tails = [0, 0]
    else:
        raise Unsupported(f"pad mode {mode}")
    after = (pads[2] + tails[0], pads[3] + tails[1])
    out_h, out_w = (
        window_output(n, k, s, 1, b, a) for n, k, s, b, a in zip(size, kernel, stride, pads[:2], after, strict=True)
    )
    for n, out, s, before in zip(size, (out_h, out_w), stride, pads[:2], strict=True):
        if (out - 1) * s >= n + before:
            raise Unsupported("its last window lies outside the input")
    _emit_pooling(ctx, layer, kind, kernel, stride, pads, include_pad, (channels, out_h, out_w))


def _tail(size: int, kernel: int, stride: int, before: int, after: int) -> int:
    """Elements that pad mode 0 adds behind, so that the last window is complete."""
    room = size + before + after - kernel
    if room < 0 or stride < 1:
        raise Unsupported(
            f"a window of {kernel} with stride {stride} does not fit into {size + before + after} elements"
        )
    return -room % stride


def _adaptive_pooling(ctx: Context, layer: ParamLayer, kind: int, channels: int, size: Shape) -> None:
    """To a given size; a window of one size only where it divides the input."""
    out_w = layer.integer(8, 0)
    wanted = (layer.integer(18, out_w), out_w)
    out = tuple(n if target == -233 else target for n, target in zip(size, wanted, strict=True))
    if any(target < 1 or n % target for n, target in zip(size, out, strict=True)):
        raise Unsupported(f"adaptive pooling of {size} to {out}, which does not divide it evenly")
    kernel = (size[0] // out[0], size[1] // out[1])
    _emit_pooling(ctx, layer, kind, kernel, kernel, (0, 0, 0, 0), 0, (channels, *out))


def _emit_pooling(
    ctx: Context,
    layer: ParamLayer,
    kind: int,
    kernel: Shape,
    stride: Shape,
    pads: Pads,
    include_pad: int,
    shape: Shape,
) -> None:
    attrs: dict[str, Attr] = dict(zip(("pad_top", "pad_left", "pad_bottom", "pad_right"), pads, strict=True))
    for name, (value_h, value_w) in (("kernel", kernel), ("stride", stride), ("dilation", (1, 1))):
        attrs[f"{name}_h"], attrs[f"{name}_w"] = value_h, value_w
    ctx.emit(
        "pooling",
        layer,
        layer.inputs,
        shape,
        kind=kind,
        include_pad=int(kind == _AVERAGE and include_pad != 0),
        **attrs,
    )
