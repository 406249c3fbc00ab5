"""Convolution and pooling: a window that moves over height and width."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.geometry import same_padding, window_output
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.refusals import Unsupported

_MAX, _AVERAGE = 0, 1


@dataclass
class Window:
    kernel: Shape
    stride: Shape
    dilation: Shape
    before: Shape
    after: Shape
    size: Shape  # of the output

    def attrs(self, *, with_after: bool) -> dict[str, Attr]:
        names = ["kernel", "stride", "dilation"]
        values = [self.kernel, self.stride, self.dilation]
        attrs: dict[str, Attr] = {
            f"{n}_{axis}": v[i] for n, v in zip(names, values, strict=True) for i, axis in enumerate("hw")
        }
        attrs.update(pad_top=self.before[0], pad_left=self.before[1])
        if with_after:
            attrs.update(pad_bottom=self.after[0], pad_right=self.after[1])
        return attrs


def as_image(shape: Shape) -> Shape:
    """(1, c, h, w) of a batch of one image, or of one signal as an image of height 1."""
    if len(shape) not in (3, 4):
        raise Unsupported(f"its input has shape {shape}; windows over one or two axes are supported")
    if shape[0] != 1:
        raise Unsupported(f"its input has batch {shape[0]}; only a batch of 1 is supported")
    return shape if len(shape) == 4 else (1, shape[1], 1, shape[2])


def window_of(node: Node, image: Shape, rank: int, kernel: Shape) -> Window:
    """The window's geometry on an image; a 1-D one gets a height of 1."""

    def pair(values: Shape, default: int) -> Shape:
        if len(values) != rank:
            raise Unsupported(f"its kernel, strides, dilations or pads do not have {rank} axes")
        return values if rank == 2 else (default, *values)

    ones = (1,) * rank
    full_kernel = pair(kernel, 1)
    stride, dilation = pair(node.integers("strides", ones), 1), pair(node.integers("dilations", ones), 1)
    pads = node.integers("pads", (0,) * (2 * rank))
    before, after = pair(pads[:rank], 0), pair(pads[rank:], 0)
    auto = node.text("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        upper = auto == "SAME_UPPER"
        axes = zip(image[2:], full_kernel, stride, dilation, strict=True)
        (top, bottom), (left, right) = (same_padding(*axis, upper) for axis in axes)
        before, after = (top, left), (bottom, right)
    elif auto == "VALID":
        before = after = (0, 0)
    elif auto != "NOTSET":
        raise Unsupported(f"auto_pad {auto}")
    measure = _ceil_size if node.integer("ceil_mode", 0) and auto == "NOTSET" else window_output
    padded_axes = zip(image[2:], full_kernel, stride, dilation, before, after, strict=True)
    size = tuple(measure(*axis) for axis in padded_axes)
    return Window(full_kernel, stride, dilation, before, after, size)


def _ceil_size(size: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> int:
    """`window_output` rounded up, but without a window that begins behind the input and its padding."""
    window_output(size, kernel, stride, dilation, before, after)
    reach = size + before + after - dilation * (kernel - 1) - 1
    count = -(-reach // stride) + 1
    return count - 1 if (count - 1) * stride >= size + before else count


def emit_windows(
    ctx: Context, node: Node, op: str, inputs: list[str], image_out: Shape, attrs: dict[str, Attr]
) -> None:
    """The layer, and for a signal the reshape of its image of height 1 back to the source's shape."""
    shape = ctx.shape(node.output)
    if len(shape) == 3:
        if shape != (1, image_out[1], image_out[3]):
            raise Unsupported(f"its output should have shape {shape}, but its windows give {image_out}")
        wide = ctx.emit_new(op, node, inputs, image_out, **attrs)
        ctx.emit("reshape", node, [wide])
        return
    if shape != image_out:
        raise Unsupported(f"its output should have shape {shape}, but its windows give {image_out}")
    ctx.emit(op, node, inputs, **attrs)


def conv(ctx: Context, node: Node) -> None:
    image = as_image(ctx.shape(node.inputs[0]))
    rank = len(ctx.shape(node.inputs[0])) - 2
    weight = ctx.value(node.inputs[1], "weight")
    group = node.integer("group", 1)
    if weight.ndim != rank + 2 or group < 1 or weight.shape[1] * group != image[1] or weight.shape[0] % group:
        raise Unsupported(f"weights of shape {weight.shape} with {group} groups do not fit {image[1]} channels")
    kernel = node.integers("kernel_shape", weight.shape[2:])
    if kernel != weight.shape[2:]:
        raise Unsupported(f"kernel_shape {kernel} is not that of its weights, {weight.shape}")
    window = window_of(node, image, rank, kernel)
    operands = [ctx.reshaped(node, node.inputs[0], image), _weight(ctx, node, weight)]
    if node.has_input(2):
        if ctx.value(node.inputs[2], "bias").shape != weight.shape[:1]:
            raise Unsupported(f"its bias does not have {weight.shape[0]} elements")
        operands.append(ctx.operand(node.inputs[2]))
    image_out = (1, weight.shape[0], *window.size)
    attrs: dict[str, Attr] = {"group": group, **window.attrs(with_after=False)}
    emit_windows(ctx, node, "convolution", operands, image_out, attrs)


def _weight(ctx: Context, node: Node, weight: np.ndarray) -> str:
    """The weights as [co, ci / group, kh, kw]."""
    if weight.ndim == 4:
        return ctx.operand(node.inputs[1])
    return ctx.reshaped(node, node.inputs[1], (*weight.shape[:2], 1, weight.shape[2]))


def max_pool(ctx: Context, node: Node) -> None:
    node.only_first_output()
    _pool(ctx, node, _MAX)


def average_pool(ctx: Context, node: Node) -> None:
    if any(d != 1 for d in node.integers("dilations", ())):
        raise Unsupported("an average over a dilated window")
    _pool(ctx, node, _AVERAGE)


def _pool(ctx: Context, node: Node, kind: int) -> None:
    shape = ctx.shape(node.inputs[0])
    image = as_image(shape)
    window = window_of(node, image, len(shape) - 2, node.integers("kernel_shape", ()))
    attrs = {
        "kind": kind,
        "include_pad": int(kind == _AVERAGE and node.integer("count_include_pad", 0) != 0),
        **window.attrs(with_after=True),
    }
    operand = ctx.reshaped(node, node.inputs[0], image)
    emit_windows(ctx, node, "pooling", [operand], (1, image[1], *window.size), attrs)


def whole_window(kind: int, kernel_h: int, kernel_w: int) -> dict[str, Attr]:
    """Attributes of a pooling without padding whose window is `kernel_h` x `kernel_w`."""
    window = Window((kernel_h, kernel_w), (1, 1), (1, 1), (0, 0), (0, 0), (1, 1))
    return {"kind": kind, "include_pad": 0, **window.attrs(with_after=True)}


def global_pool(ctx: Context, node: Node) -> None:
    image = as_image(ctx.shape(node.inputs[0]))
    kind = _MAX if node.op == "GlobalMaxPool" else _AVERAGE
    operand = ctx.reshaped(node, node.inputs[0], image)
    emit_windows(ctx, node, "pooling", [operand], (1, image[1], 1, 1), whole_window(kind, image[2], image[3]))


def named_axes(ctx: Context, node: Node) -> set[int]:
    """The axes that a reduction goes over."""
    rank = len(ctx.shape(node.inputs[0]))
    axes = node.integers("axes", ())
    if node.has_input(1):
        axes = tuple(ctx.integers(node, 1, "axes"))
    if not axes and node.integer("noop_with_empty_axes", 0):
        return set()
    if any(not -rank <= a < rank for a in axes):
        raise Unsupported(f"it reduces axes {axes} of a shape with {rank} axes")
    return {a % rank for a in axes} if axes else set(range(rank))


def reduced_axes(ctx: Context, node: Node) -> set[int]:
    """The axes over which a mean or maximum by windows goes: height, width, or axes of one element."""
    shape = ctx.shape(node.inputs[0])
    rank = len(shape)
    wanted = named_axes(ctx, node)
    if any(shape[a] != 1 and a < rank - 2 for a in wanted):
        raise Unsupported(f"it reduces axes {tuple(sorted(wanted))} of shape {shape}; only height and width can be")
    return wanted


def reduce(ctx: Context, node: Node) -> None:
    """ReduceMean and ReduceMax over height, width or both: a pooling over all of them."""
    shape = ctx.shape(node.inputs[0])
    rank = len(shape)
    wanted = reduced_axes(ctx, node)
    if not wanted:
        ctx.emit("share", node, [ctx.operand(node.inputs[0])])
        return
    kept = tuple(1 if a in wanted else size for a, size in enumerate(shape))
    kernel = [shape[a] if a in wanted and a >= 0 else 1 for a in (rank - 2, rank - 1)]
    attrs = whole_window(_MAX if node.op == "ReduceMax" else _AVERAGE, *kernel)
    operand = ctx.operand(node.inputs[0])
    if ctx.shape(node.output) == kept:
        ctx.emit("pooling", node, [operand], **attrs)
    else:  # keepdims = 0
        ctx.emit("reshape", node, [ctx.emit_new("pooling", node, [operand], kept, **attrs)])
