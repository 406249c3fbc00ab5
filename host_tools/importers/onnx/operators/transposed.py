"""Transposed convolution."""

from __future__ import annotations

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.windows import as_image, emit_windows
from host_tools.importers.refusals import Unsupported

_NO_ACTIVATION: dict[str, Attr] = {"activation": 0, "activation_a": 0.0, "activation_b": 0.0}


def conv_transpose(ctx: Context, node: Node) -> None:
    shape = ctx.shape(node.inputs[0])
    image, rank = as_image(shape), len(shape) - 2
    weight = ctx.value(node.inputs[1], "weight")
    group = node.integer("group", 1)
    if weight.ndim != rank + 2 or group < 1 or weight.shape[0] != image[1] or image[1] % group:
        raise Unsupported(f"weights of shape {weight.shape} with {group} groups do not fit {image[1]} channels")
    kernel = weight.shape[2:]
    if node.integers("kernel_shape", kernel) != kernel:
        raise Unsupported(f"its kernel_shape is not that of its weights, {weight.shape}")
    outputs = weight.shape[1] * group
    out = ctx.shape(node.output)
    ones = (1,) * rank
    strides, dilations = node.integers("strides", ones), node.integers("dilations", ones)
    before = _pads_before(node, shape[2:], out[2:], kernel, strides, dilations)
    attrs: dict[str, Attr] = {"group": group, **_NO_ACTIVATION}
    named = {"kernel": kernel, "stride": strides, "dilation": dilations}
    for name, values in named.items():
        attrs[f"{name}_h"], attrs[f"{name}_w"] = _pair(values, 1)
    attrs["pad_top"], attrs["pad_left"] = _pair(before, 0)
    # ONNX has (input, output of the group), the layer (output, input of the group).
    parts = weight.reshape(group, image[1] // group, weight.shape[1], *_pair(kernel, 1))
    turned = np.swapaxes(parts, 1, 2).reshape(-1)
    operands = [ctx.reshaped(node, node.inputs[0], image), ctx.builder.constant(f"{node.inputs[1]}.turned", turned)]
    if node.has_input(2):
        if ctx.value(node.inputs[2], "bias").shape != (outputs,):
            raise Unsupported(f"its bias does not have {outputs} elements")
        operands.append(ctx.operand(node.inputs[2]))
    emit_windows(ctx, node, "deconvolution", operands, (1, outputs, *_pair(out[2:], 1)), attrs)


def _pair(values: Shape, default: int) -> tuple[int, int]:
    """Of height and width; a signal's height is 1."""
    if len(values) not in (1, 2):
        raise Unsupported(f"{len(values)} numbers where one or two are expected")
    return (values[0], values[1]) if len(values) == 2 else (default, values[0])


def _pads_before(node: Node, size: Shape, out: Shape, kernel: Shape, strides: Shape, dilations: Shape) -> Shape:
    """What is cut off before the output; its shape says what is cut off behind it."""
    rank = len(size)
    auto = node.text("auto_pad", "NOTSET")
    more = node.integers("output_padding", (0,) * rank)
    if auto == "VALID":
        return (0,) * rank
    if auto not in ("NOTSET", "SAME_UPPER", "SAME_LOWER"):
        raise Unsupported(f"auto_pad {auto}")
    if auto == "NOTSET" and not node.has("output_shape"):
        pads = node.integers("pads", (0,) * (2 * rank))
        if len(pads) != 2 * rank or min(pads) < 0:
            raise Unsupported(f"its pads are {pads}")
        return pads[:rank]
    found = []
    for axis in zip(size, out, kernel, strides, dilations, more, strict=True):
        n, wanted, taps, stride, dilation, behind = axis
        total = max(stride * (n - 1) + behind + (taps - 1) * dilation + 1 - wanted, 0)
        found.append(total // 2 if auto == "SAME_UPPER" else total - total // 2)
    return tuple(found)
