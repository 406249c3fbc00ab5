"""Convolution and pooling in int8."""

from __future__ import annotations

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.normalizing import factors_and_summands
from host_tools.importers.onnx.operators.windows import (
    Window,
    as_image,
    emit_windows,
    reduced_axes,
    window_of,
)
from host_tools.importers.onnx.quantised.emission import blob_operand, integer_node, with_scheme
from host_tools.importers.onnx.quantised.groups import Group
from host_tools.importers.onnx.quantised.reductions import mean_attrs
from host_tools.importers.onnx.quantised.weights import (
    bias_of,
    quantised_weights,
    rounded_bias,
    run_constants,
    symmetric,
)
from host_tools.importers.refusals import Unsupported

_MAX, _AVERAGE = 0, 1


def conv(ctx: Context, group: Group) -> None:
    """Depthwise where every input channel is a group of its own."""
    operand, node = blob_operand(group), integer_node(group)
    shape = ctx.shape(operand.name)
    image, rank = as_image(shape), len(shape) - 2
    weights = symmetric(quantised_weights(ctx, node.inputs[1], axis=0))
    data, groups = weights.data, node.integer("group", 1)
    if data.ndim != rank + 2 or groups < 1 or data.shape[1] * groups != image[1] or data.shape[0] % groups:
        raise Unsupported(f"weights of shape {data.shape} with {groups} groups do not fit {image[1]} channels")
    if node.integers("kernel_shape", data.shape[2:]) != data.shape[2:]:
        raise Unsupported(f"its kernel_shape is not that of its weights, {data.shape}")
    window = window_of(node, image, rank, data.shape[2:])
    data = data.reshape(data.shape[0], data.shape[1], *window.kernel)
    outputs = data.shape[0]
    bias = bias_of(ctx, group, 2, operand, weights.scales, outputs)
    attrs = _quantised_attrs(group, window)
    if groups == image[1] and groups > 1:
        op, run = "depthwise_int8", data[:, 0].transpose(1, 2, 0)
        attrs.update(depth_multiplier=outputs // groups, half_up=outputs)
    else:
        op, run = "convolution_int8", data.transpose(0, 2, 3, 1)
        attrs["group"] = groups
    constants = run_constants(ctx, group, operand, run, weights.scales, bias)
    emit_windows(
        ctx,
        node,
        op,
        [ctx.reshaped(node, operand.name, image), *constants],
        (1, outputs, *window.size),
        attrs,
    )


def batch_normalization(ctx: Context, group: Group) -> None:
    """A depthwise convolution by one number for each channel: 127 in steps of a 127th of the factor."""
    operand, node = blob_operand(group), integer_node(group)
    image = as_image(ctx.shape(operand.name))
    factors, summands = factors_and_summands(ctx, group.node)
    if not np.abs(factors).min(initial=1.0) > np.finfo(np.float32).tiny * 127:
        raise Unsupported("it multiplies a channel by 0")
    scales = (np.abs(factors) / 127).astype(np.float32)
    bias = rounded_bias(summands, operand.scheme.scale * scales.astype(np.float64))
    run = np.where(factors < 0, -127, 127).astype(np.int8).reshape(1, 1, -1)
    window = Window((1, 1), (1, 1), (1, 1), (0, 0), (0, 0), image[2:])
    attrs = {**_quantised_attrs(group, window), "depth_multiplier": 1, "half_up": image[1]}
    operands = [
        ctx.reshaped(node, operand.name, image),
        *run_constants(ctx, group, operand, run, scales, bias),
    ]
    emit_windows(ctx, node, "depthwise_int8", operands, image, attrs)


def _quantised_attrs(group: Group, window: Window) -> dict[str, Attr]:
    """What convolution_int8 and depthwise_int8 have in common."""
    return {
        **window.attrs(with_after=False),
        "input_zero": blob_operand(group).scheme.zero,
        "output_zero": group.outputs[0].scheme.zero,
        "activation_min": group.low,
        "activation_max": group.high,
    }


def max_pool(ctx: Context, group: Group) -> None:
    """Of numbers in one scheme; another scheme of the output is a table before it, exact since both are
    monotone.
    """
    group.node.only_first_output()
    node = integer_node(group)
    image, window = _pooling_window(ctx, node)
    if any(d != 1 for d in window.dilation):
        raise Unsupported("a maximum over a dilated window")
    _pool(ctx, group, node, image, window, _MAX)


def average_pool(ctx: Context, group: Group) -> None:
    """By pooling_int8 where no scale changes and padding does not count; else as a depthwise convolution by
    ones, whose
    multiplier divides.
    """
    node, scheme = integer_node(group), blob_operand(group).scheme
    if any(d != 1 for d in node.integers("dilations", ())):
        raise Unsupported("an average over a dilated window")
    image, window = _pooling_window(ctx, node)
    counts_padding = node.integer("count_include_pad", 0) != 0
    padded = any(window.before) or any(window.after)
    if scheme == group.outputs[0].scheme and not (counts_padding and padded):
        _pool(ctx, group, node, image, window, _AVERAGE)
        return
    if (padded and not counts_padding) or not _inside(image, window):
        raise Unsupported("an average that changes the scale and whose windows differ in size")
    channels, (kernel_h, kernel_w) = image[1], window.kernel
    operand, ones = blob_operand(group), np.ones((kernel_h, kernel_w, channels), np.int8)
    scales = np.array([1 / (kernel_h * kernel_w)], np.float32)
    constants = run_constants(ctx, group, operand, ones, scales, np.zeros(channels, np.int32))
    attrs = {**_quantised_attrs(group, window), "depth_multiplier": 1, "half_up": channels}
    image_out = (1, channels, *window.size)
    operands = [ctx.reshaped(node, operand.name, image), *constants]
    emit_windows(ctx, node, "depthwise_int8", operands, image_out, attrs)


def _inside(image: Shape, window: Window) -> bool:
    """Whether no window reaches beyond the padding, as ceil_mode allows."""
    return all(
        (window.size[i] - 1) * window.stride[i] + window.kernel[i] <= image[2 + i] + window.before[i] + window.after[i]
        for i in (0, 1)
    )


def _pooling_window(ctx: Context, node: Node) -> tuple[Shape, Window]:
    shape = ctx.shape(node.inputs[0])
    image = as_image(shape)
    return image, window_of(node, image, len(shape) - 2, node.integers("kernel_shape", ()))


def _pool(ctx: Context, group: Group, node: Node, image: Shape, window: Window, kind: int) -> None:
    """pooling_int8 in the input's scheme."""
    operand, target = blob_operand(group), group.outputs[0].scheme
    source = with_scheme(ctx, group, operand, target) if kind == _MAX else operand.name
    operands = [ctx.reshaped(node, source, image)]
    image_out = (1, image[1], *window.size)
    emit_windows(ctx, node, "pooling_int8", operands, image_out, _pooling_attrs(group, window, kind))


def _pooling_attrs(group: Group, window: Window, kind: int) -> dict[str, Attr]:
    attrs = window.attrs(with_after=False)
    for name in ("dilation_h", "dilation_w"):
        del attrs[name]
    attrs.update(kind=kind, activation_min=group.low, activation_max=group.high)
    return attrs


def global_max(ctx: Context, group: Group) -> None:
    """GlobalMaxPool."""
    node = integer_node(group)
    image = as_image(ctx.shape(node.inputs[0]))
    zeros, ones = (0, 0), (1, 1)
    _pool(ctx, group, node, image, Window(image[2:], ones, ones, zeros, zeros, ones), _MAX)


def reduce_max(ctx: Context, group: Group) -> None:
    """ReduceMax over height, width or both."""
    node = integer_node(group)
    axes = reduced_axes(ctx, node)
    operand = with_scheme(ctx, group, blob_operand(group), group.outputs[0].scheme)
    shape = ctx.shape(operand)
    rank = len(shape)
    if not axes:
        raise Unsupported("a maximum over no axis")
    height, width = (shape[a] if a >= 0 and a in axes else 1 for a in (rank - 2, rank - 1))
    window = Window((height, width), (1, 1), (1, 1), (0, 0), (0, 0), (1, 1))
    attrs = _pooling_attrs(group, window, _MAX)
    kept = tuple(1 if a in axes else size for a, size in enumerate(shape))
    if ctx.shape(node.output) == kept:
        ctx.emit("pooling_int8", node, [operand], **attrs)
    else:  # keepdims = 0
        ctx.emit("reshape", node, [ctx.emit_new("pooling_int8", node, [operand], kept, **attrs)])


def global_mean(ctx: Context, group: Group) -> None:
    """GlobalAveragePool."""
    node = integer_node(group)
    image = as_image(ctx.shape(node.inputs[0]))
    attrs = mean_attrs(group, image, (2, 3))
    emit_windows(ctx, node, "mean_int8", [ctx.reshaped(node, node.inputs[0], image)], (1, image[1], 1, 1), attrs)


def reduce_mean(ctx: Context, group: Group) -> None:
    """ReduceMean over height, width or both."""
    node = integer_node(group)
    shape, axes = ctx.shape(node.inputs[0]), reduced_axes(ctx, node)
    if not axes:
        raise Unsupported("a mean over no axis")
    attrs = mean_attrs(group, shape, tuple(sorted(axes)))
    kept = tuple(1 if a in axes else size for a, size in enumerate(shape))
    if ctx.shape(node.output) == kept:
        ctx.emit("mean_int8", node, [node.inputs[0]], **attrs)
    else:  # keepdims = 0
        ctx.emit("reshape", node, [ctx.emit_new("mean_int8", node, [node.inputs[0]], kept, **attrs)])
