"""Transposed convolution."""

from __future__ import annotations

import math

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, Context, Node
from host_tools.importers.tflite.operators.activations import float_attrs
from host_tools.importers.tflite.operators.weights import check_float_weight, integer_operands
from host_tools.quantised import transposed_half_up

_SAME, _VALID = 0, 1
_X, _BIAS = 2, 3


def transpose_conv(ctx: Context, node: Node) -> None:
    """Weights are [outputs, kernel_h, kernel_w, inputs], for the kernels a run of numbers; input 0 states a shape."""
    image = ctx.image(node.input(_X))
    shape = tuple(ctx.integers(node, 0, "output's shape"))
    weight = ctx.value(node.input(1), "weight")
    if weight.ndim != 4 or not weight.size or image[3] != weight.shape[3]:
        raise Unsupported(f"weights of shape {weight.shape} do not fit {image[3]} channels")
    outputs = weight.shape[0]
    if len(shape) != 4 or shape[0] != 1 or shape[3] != outputs or min(shape) < 1:
        raise Unsupported(f"an output of shape {shape}; (1, height, width, {outputs}) is expected")
    attrs = _geometry(node, image, weight.shape[1:3], shape)
    if ctx.is_int8(node):
        operands, more = integer_operands(ctx, node, outputs, axis=0, x=_X, bias=_BIAS)
        operands[1] = ctx.derived(node.input(1), "run", weight.reshape(-1))
        attrs |= more | {"half_up": transposed_half_up(outputs)}
        ctx.emit("deconvolution_int8", node, operands, shape, **attrs)
        return
    check_float_weight(ctx, node)
    planar = ctx.derived(node.input(1), "oihw", weight.transpose(0, 3, 1, 2).reshape(-1))
    operands = [ctx.operand(node.input(_X), FLOAT), planar]
    if node.has_input(_BIAS):
        if ctx.value(node.input(_BIAS), "bias").size != outputs:
            raise Unsupported(f"its bias does not have {outputs} elements")
        operands.append(ctx.operand(node.input(_BIAS), FLOAT))
    ctx.emit("deconvolution", node, operands, shape, group=1, **attrs, **float_attrs(node))


def _geometry(node: Node, image: Shape, kernel: Shape, out: Shape) -> dict[str, Attr]:
    """That of the convolution which would make the image out of the output."""
    padding = node.integer("Padding")
    if padding not in (_SAME, _VALID):
        raise Unsupported(f"padding number {padding}; SAME and VALID are supported")
    attrs: dict[str, Attr] = {}
    for axis, name, before in ((1, "h", "pad_top"), (2, "w", "pad_left")):
        stride, extent, size = node.integer(f"Stride{name.upper()}"), kernel[axis - 1], out[axis]
        if stride < 1:
            raise Unsupported(f"a stride of {stride}")
        made = math.ceil(size / stride) if padding == _SAME else (size + stride - extent) // stride
        if made != image[axis]:
            raise Unsupported(f"an output of shape {out} would need {made} elements along axis {axis} of {image}")
        attrs |= {f"kernel_{name}": extent, f"stride_{name}": stride, f"dilation_{name}": 1}
        attrs[before] = max(0, (made - 1) * stride + extent - size) // 2
    return attrs
