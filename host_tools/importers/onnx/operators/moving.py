"""Concatenation, slices and padding."""

from __future__ import annotations

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.geometry import spatial_axis
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.refusals import Unsupported

_PAD_MODES = {"constant": 0, "edge": 1, "reflect": 2}


def concat(ctx: Context, node: Node) -> None:
    axis = spatial_axis(ctx.shape(node.output), node.integer("axis", 1))
    if len(node.inputs) == 1:
        ctx.emit("share", node, [ctx.operand(node.inputs[0])])
    else:
        ctx.emit("concat", node, [ctx.operand(name) for name in node.inputs], axis=axis)


def slice_attrs(shape: Shape, ranges: dict[int, tuple[int, int]]) -> dict[str, Attr]:
    """Attributes of a slice layer from (start, step) by source axis; axes taken whole need no geometry."""
    attrs: dict[str, Attr] = {"start_c": 0, "start_h": 0, "start_w": 0, "step_c": 1, "step_h": 1, "step_w": 1}
    for axis, (start, step) in ranges.items():
        if (start, step) != (0, 1):
            letter = "chw"[spatial_axis(shape, axis)]
            attrs[f"start_{letter}"], attrs[f"step_{letter}"] = start, step
    return attrs


def split(ctx: Context, node: Node) -> None:
    """One slice layer for each output."""
    shape = ctx.shape(node.inputs[0])
    axis = node.integer("axis", 0) % len(shape)
    spatial_axis(shape, axis)
    start = 0
    for output in node.outputs:
        out = ctx.shape(output)
        attrs = slice_attrs(shape, {axis: (start, 1)})
        ctx.builder.emit("slice", node.name, [ctx.operand(node.inputs[0])], output, out, **attrs)
        start += out[axis]


def slice_(ctx: Context, node: Node) -> None:
    """Starts, ends and axes are attributes up to opset 9 and inputs since."""
    shape = ctx.shape(node.inputs[0])
    rank = len(shape)
    if ctx.opset < 10:
        starts = node.integers("starts", ())
        axes, steps = node.integers("axes", tuple(range(len(starts)))), (1,) * len(starts)
    else:
        starts = tuple(ctx.integers(node, 1, "starts"))
        axes = tuple(ctx.integers(node, 3, "axes")) if node.has_input(3) else tuple(range(len(starts)))
        steps = tuple(ctx.integers(node, 4, "steps")) if node.has_input(4) else (1,) * len(starts)
    ranges: dict[int, tuple[int, int]] = {}
    for start, axis, step in zip(starts, axes, steps, strict=True):
        size = shape[axis % rank]
        if step < 1:
            raise Unsupported(f"step {step}; steps must be 1 or more")
        first = min(max(start + size if start < 0 else start, 0), size)
        whole = ctx.shape(node.output)[axis % rank] == size
        ranges[axis % rank] = (0, 1) if whole else (first, step)
        if ctx.shape(node.output)[axis % rank] == 1:
            ranges[axis % rank] = (first, 1)  # a step behind the only element says nothing
    ctx.emit("slice", node, [ctx.operand(node.inputs[0])], **slice_attrs(shape, ranges))


def pad(ctx: Context, node: Node) -> None:
    """Pads and value are attributes up to opset 10 and inputs since; axes are an input since 18."""
    shape = ctx.shape(node.inputs[0])
    rank = len(shape)
    mode = node.text("mode", "constant")
    if mode not in _PAD_MODES:
        raise Unsupported(f"mode {mode!r}; supported are {', '.join(_PAD_MODES)}")
    if ctx.opset < 11:
        pads, value = node.integers("pads", ()), node.number("value", 0.0)
    else:
        pads = tuple(ctx.integers(node, 1, "pads"))
        value = float(ctx.value(node.inputs[2], "value").item()) if node.has_input(2) else 0.0
    axes = [a % rank for a in ctx.integers(node, 3, "axes")] if node.has_input(3) else list(range(rank))
    if len(pads) != 2 * len(axes):
        raise Unsupported(f"{len(pads)} pads for {len(axes)} axes")
    starts: list[int] = [0, 0, 0]
    for axis, before, after in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        if before < 0 or after < 0:
            raise Unsupported(f"negative padding ({before}, {after}) of axis {axis}")
        if before or after:
            starts[spatial_axis(shape, axis)] = before
        if mode == "reflect" and max(before, after) >= shape[axis]:
            raise Unsupported(f"it reflects more than the {shape[axis]} elements of axis {axis}")
    front, top, left = starts
    operand = ctx.operand(node.inputs[0])
    ctx.emit("padding", node, [operand], front=front, top=top, left=left, mode=_PAD_MODES[mode], value=value)
