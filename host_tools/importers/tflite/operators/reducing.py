"""Mean, sum, product, maximum and minimum over axes, and where the maximum lies."""

from __future__ import annotations

from math import prod

from host_tools.graph import Attr, geometry
from host_tools.importers.builder import Shape
from host_tools.importers.reductions import MAX, MEAN, MIN, PRODUCT, SUM, in_turns
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, ORDER, Context, Node, normal_axis, position
from host_tools.quantised import mean_parameters, sum_parameters

_MAX, _AVERAGE = 0, 1
_MUL = 2
_POOLED = ("MEAN", "REDUCE_MAX", "SUM")  # by layers of the kind pooling, which can take their input by rows
_KINDS = {"MEAN": MEAN, "REDUCE_MAX": MAX, "REDUCE_MIN": MIN, "REDUCE_PROD": PRODUCT, "SUM": SUM}
_INT8_PARAMETERS = {"MEAN": mean_parameters, "SUM": sum_parameters}


def reduce(ctx: Context, node: Node) -> None:
    shape = ctx.shape(node.input(0))
    axes = sorted({normal_axis(axis, len(shape)) for axis in ctx.integers(node, 1, "axes")})
    keep = bool(node.integer("KeepDims", 0))
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    final = kept if keep else tuple(size for axis, size in enumerate(shape) if axis not in axes)
    int8 = ctx.is_int8(node)
    if not int8 and (node.kind not in _POOLED or not _is_viewable(shape, axes)):
        _in_turns(ctx, node, shape, axes, final)
        return
    view, out, over = _view(shape, kept, axes)
    operand = ctx.reshaped(node, ctx.operand(node.input(0), INT8 if int8 else FLOAT), view)
    if int8 and node.kind in _INT8_PARAMETERS:
        scales = ctx.quantisation(node.input(0)), ctx.quantisation(node.output)
        parameters = _INT8_PARAMETERS[node.kind](*scales[0], *scales[1], shape, axes, keep)
        flags: dict[str, Attr] = {f"over_{letter}": int(i in over) for i, letter in enumerate("chw")}
        ctx.result("mean_int8", node, [operand], out, final, **parameters, **flags)
        return
    sizes = geometry(view, ORDER)
    kernel = [sizes[i] if i in over else 1 for i in (1, 2)]
    attrs: dict[str, Attr] = {
        "kind": _MAX if node.kind == "REDUCE_MAX" else _AVERAGE,
        **dict(zip(("kernel_h", "kernel_w"), kernel, strict=True)),
        **dict.fromkeys(("stride_h", "stride_w"), 1),
        **dict.fromkeys(("pad_top", "pad_left"), 0),
    }
    if int8:
        if ctx.quantisation(node.input(0)) != ctx.quantisation(node.output):
            raise Unsupported("its input and output have different scales or zero points")
        bounds = {"activation_min": -128, "activation_max": 127}
        ctx.result("pooling_int8", node, [operand], out, final, **attrs, **bounds)
        return
    attrs |= dict.fromkeys(("pad_bottom", "pad_right", "include_pad"), 0) | {"dilation_h": 1, "dilation_w": 1}
    if node.kind != "SUM":
        ctx.result("pooling", node, [operand], out, final, **attrs)
        return
    average = ctx.emit_new("pooling", node, [operand], out, **attrs)
    count = ctx.number(node, float(prod(kernel)))
    ctx.result("binary_op", node, [average, count], out, final, kind=_MUL)


def _in_turns(ctx: Context, node: Node, shape: Shape, axes: list[int], final: Shape) -> None:
    """float32, by a layer for each run of neighbouring axes."""
    blob = ctx.operand(node.input(0), FLOAT)
    steps = list(in_turns(shape, axes, _KINDS[node.kind]))
    if not steps:
        ctx.emit("share", node, [blob], final)
    for i, step in enumerate(steps):
        source = ctx.reshaped(node, blob, step.view)
        if i == len(steps) - 1:
            ctx.result("reduce", node, [source], step.kept, final, kind=step.kind, axis=1)
        else:
            blob = ctx.emit_new("reduce", node, [source], step.kept, kind=step.kind, axis=1)


def arg_max(ctx: Context, node: Node) -> None:
    """ARG_MAX and ARG_MIN. The indices are int32, where the file says int64, too: no axis is longer."""
    shape = ctx.shape(node.input(0))
    (axis,) = (normal_axis(axis, len(shape)) for axis in ctx.integers(node, 1, "axis"))
    kept = (*shape[:axis], 1, *shape[axis + 1 :])
    view, out, over = _view(shape, kept, [axis])
    if position(shape, axis) == 0:  # as it is: no other axis is in c
        view, out, over = shape, kept, {0}
    operand = ctx.reshaped(node, ctx.operand(node.input(0), ctx.dtype(node.input(0))), view)
    (index,) = over
    final = (*shape[:axis], *shape[axis + 1 :])
    ctx.result("arg_max", node, [operand], out, final, kind=int(node.kind == "ARG_MIN"), axis=index)


def _is_viewable(shape: Shape, axes: list[int]) -> bool:
    try:
        _view(shape, shape, axes)
    except Unsupported:
        return False
    return True


def _view(shape: Shape, kept: Shape, axes: list[int]) -> tuple[Shape, Shape, set[int]]:
    """How the input is seen, the shape of the result seen so, and which of c (0), h (1), w (2) are reduced.

    Height and width as they are; other axes, if they are neighbours, as the middle one of three.
    """
    reduced = [axis for axis in axes if shape[axis] != 1]
    over = {at for axis in axes if (at := position(shape, axis)) in (1, 2)}
    if over and all(position(shape, axis) in over for axis in reduced):
        return shape, kept, over
    first, last = (reduced[0], reduced[-1]) if reduced else (0, -1)
    if any(shape[axis] != 1 and axis not in axes for axis in range(first, last)):
        raise Unsupported(f"it reduces axes {axes} of shape {shape}, which are neither neighbours nor height and width")
    before, count, after = prod(shape[:first]), prod(shape[first : last + 1]), prod(shape[last + 1 :])
    return (before, count, after), (before, 1, after), {1}
