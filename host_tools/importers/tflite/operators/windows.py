"""Convolution and pooling: a window that moves over height and width."""

from __future__ import annotations

from dataclasses import dataclass

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.geometry import same_padding, window_output
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, Context, Node
from host_tools.importers.tflite.operators.activations import float_attrs, separate_activation
from host_tools.importers.tflite.operators.weights import check_float_weight, integer_operands
from host_tools.quantised import depthwise_half_up, pooling_bounds

_SAME, _VALID = 0, 1
_MAX, _AVERAGE = 0, 1


@dataclass
class _Window:
    """Geometry by axis, height first."""

    kernel: Shape
    stride: Shape
    dilation: Shape
    before: Shape
    after: Shape
    size: Shape  # of the output

    def attrs(self) -> dict[str, Attr]:
        names = {"kernel": self.kernel, "stride": self.stride, "dilation": self.dilation}
        attrs: dict[str, Attr] = {f"{n}_{axis}": v[i] for n, v in names.items() for i, axis in enumerate("hw")}
        return attrs | {"pad_top": self.before[0], "pad_left": self.before[1]}


def _window(node: Node, image: Shape, kernel: Shape, dilation: Shape) -> _Window:
    stride = node.integer("StrideH"), node.integer("StrideW")
    padding = node.integer("Padding")
    if padding not in (_SAME, _VALID):
        raise Unsupported(f"padding number {padding}; SAME and VALID are supported")
    sizes, before, after = [], [], []
    for axis in zip(image[1:3], kernel, stride, dilation, strict=True):
        if min(axis) < 1:
            window_output(*axis, 0, 0)  # says what is wrong
        less, more = same_padding(*axis, upper=True) if padding == _SAME else (0, 0)
        sizes.append(window_output(*axis, less, more))
        before.append(less)
        after.append(more)
    return _Window(kernel, stride, dilation, tuple(before), tuple(after), tuple(sizes))


def _dilation(node: Node) -> Shape:
    return node.integer("DilationHFactor", 1), node.integer("DilationWFactor", 1)


def conv(ctx: Context, node: Node) -> None:
    """Weights are [outputs, kernel_h, kernel_w, inputs / group]."""
    image = ctx.image(node.input(0))
    weight = ctx.value(node.input(1), "weight")
    if weight.ndim != 4 or not weight.size or image[3] % weight.shape[3]:
        raise Unsupported(f"weights of shape {weight.shape} do not fit {image[3]} channels")
    outputs, group = weight.shape[0], image[3] // weight.shape[3]
    if outputs % group:
        raise Unsupported(f"{outputs} outputs cannot be made of {group} groups of channels")
    window = _window(node, image, weight.shape[1:3], _dilation(node))
    shape = (1, *window.size, outputs)
    if ctx.is_int8(node):
        operands, attrs = integer_operands(ctx, node, outputs, axis=0)
        ctx.emit("convolution_int8", node, operands, shape, group=group, **window.attrs(), **attrs)
        return
    check_float_weight(ctx, node)
    constant = ctx.derived(node.input(1), "oihw", weight.transpose(0, 3, 1, 2))
    _float_conv(ctx, node, constant, outputs, shape, window.attrs() | {"group": group})


def depthwise_conv(ctx: Context, node: Node) -> None:
    """Weights are [1, kernel_h, kernel_w, outputs], output c * multiplier + k from channel c."""
    image = ctx.image(node.input(0))
    weight = ctx.value(node.input(1), "weight")
    if weight.ndim != 4 or not weight.size or weight.shape[0] != 1 or weight.shape[3] % image[3]:
        raise Unsupported(f"weights of shape {weight.shape} do not fit {image[3]} channels")
    outputs = weight.shape[3]
    window = _window(node, image, weight.shape[1:3], _dilation(node))
    shape = (1, *window.size, outputs)
    if ctx.is_int8(node):
        operands, attrs = integer_operands(ctx, node, outputs, axis=3)
        attrs |= {"depth_multiplier": outputs // image[3], "half_up": depthwise_half_up(outputs)}
        ctx.emit("depthwise_int8", node, operands, shape, **window.attrs(), **attrs)
        return
    check_float_weight(ctx, node)
    constant = ctx.derived(node.input(1), "oihw", weight.transpose(3, 0, 1, 2))
    _float_conv(ctx, node, constant, outputs, shape, window.attrs() | {"group": image[3]})


def _float_conv(ctx: Context, node: Node, weight: str, outputs: int, shape: Shape, attrs: dict[str, Attr]) -> None:
    operands = [ctx.operand(node.input(0), FLOAT), weight]
    if node.has_input(2):
        if ctx.value(node.input(2), "bias").size != outputs:
            raise Unsupported(f"its bias does not have {outputs} elements")
        operands.append(ctx.operand(node.input(2), FLOAT))
    ctx.emit("convolution", node, operands, shape, **attrs, **float_attrs(node))


def average_pool(ctx: Context, node: Node) -> None:
    _pool(ctx, node, _AVERAGE)


def max_pool(ctx: Context, node: Node) -> None:
    _pool(ctx, node, _MAX)


def _pool(ctx: Context, node: Node, kind: int) -> None:
    """An average counts the elements inside the image only."""
    image = ctx.image(node.input(0))
    kernel = node.integer("FilterHeight"), node.integer("FilterWidth")
    window = _window(node, image, kernel, (1, 1))
    shape = (1, *window.size, image[3])
    attrs = window.attrs() | {"kind": kind}
    if ctx.is_int8(node):
        if ctx.quantisation(node.input(0)) != ctx.quantisation(node.output):
            raise Unsupported("its input and output have different scales or zero points")
        low, high = pooling_bounds(*ctx.quantisation(node.output), node.activation())
        attrs = {name: value for name, value in attrs.items() if not name.startswith("dilation")}
        operands = [ctx.operand(node.input(0), INT8)]
        ctx.emit("pooling_int8", node, operands, shape, activation_min=low, activation_max=high, **attrs)
        return
    attrs |= {"include_pad": 0, "pad_bottom": window.after[0], "pad_right": window.after[1]}
    separate_activation(ctx, node, "pooling", [ctx.operand(node.input(0), FLOAT)], shape, **attrs)
