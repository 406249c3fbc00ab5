"""What Resize does besides nearest and linear: cubic, antialiasing, parts of images, odd scales.

Along one axis each of them gives every element as a fixed sum of the axis' elements: a matrix, which is what onnx's
reference evaluator makes of the unit vectors. So it becomes a product for each axis.
"""

from __future__ import annotations

from math import prod

import numpy as np
from onnx import helper

from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.folding import EVALUATION_ERRORS, evaluate
from host_tools.importers.onnx.operators.views import finish
from host_tools.importers.refusals import Unsupported

_LARGEST = 1 << 18  # elements of a matrix
_KEPT = ("antialias", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside", "extrapolation_value",
         "mode", "nearest_mode")  # fmt: skip


def resize_by_matrices(ctx: Context, node: Node) -> None:
    shape, out = ctx.shape(node.inputs[0]), ctx.shape(node.output)
    rank = len(shape)
    axes = [axis % rank for axis in node.integers("axes", tuple(range(rank)))]
    roi = _given(ctx, node, 1, "region", 2 * len(axes))
    scales = _given(ctx, node, 2, "scales", len(axes))
    policy = node.text("keep_aspect_ratio_policy", "stretch")
    if scales is None and policy != "stretch":
        sizes = _given(ctx, node, 3, "sizes", len(axes))
        ratios = [size / shape[axis] for size, axis in zip(sizes or [], axes, strict=True)]
        scales = [min(ratios) if policy == "not_larger" else max(ratios)] * len(axes)
    blob, now = ctx.operand(node.inputs[0]), list(shape)
    matrices = []
    for i, axis in enumerate(axes):
        part = None if roi is None else (roi[i], roi[i + len(axes)])
        matrix = _matrix(ctx, node, shape[axis], out[axis], None if scales is None else scales[i], part)
        if matrix.shape[0] != matrix.shape[1] or not np.array_equal(matrix, np.eye(matrix.shape[0])):
            matrices.append((axis, matrix))
    if not matrices:
        ctx.emit("share", node, [blob])
    for n, (axis, matrix) in enumerate(matrices):
        before, behind = prod(now[:axis]), prod(now[axis + 1 :])
        view = ctx.builder.reshaped(node.name, blob, (before, now[axis], behind))
        weight = ctx.builder.constant(f"{node.name}.matrix", matrix[None])
        now[axis] = out[axis]
        made = (before, out[axis], behind)
        flags = {"transpose_a": 0, "transpose_b": 0}
        if n == len(matrices) - 1:
            finish(ctx, node, "matmul", [weight, view], made, **flags)
        else:
            blob = ctx.emit_new("matmul", node, [weight, view], made, **flags)


def _given(ctx: Context, node: Node, i: int, what: str, count: int) -> list[float] | None:
    if not node.has_input(i):
        return None
    values = ctx.value(node.inputs[i], what).reshape(-1)
    if values.size not in (0, count):
        raise Unsupported(f"it has {values.size} {what} for {count} numbers")
    return [float(value) for value in values] if values.size else None


def _matrix(
    ctx: Context, node: Node, size: int, wanted: int, scale: float | None, part: tuple[float, float] | None
) -> np.ndarray:
    """[wanted, size]: the axis resized is this times the axis."""
    if size * wanted > _LARGEST:
        raise Unsupported(f"from {size} to {wanted} elements of an axis: too large a matrix for a board")
    attributes = {a.name: a for a in node.proto.attribute if a.name in _KEPT}
    one = helper.make_node("Resize", ["x", "roi", "scales", "sizes"], ["y"])
    if part is None:
        one.input[1] = ""
    one.input[3 if scale is not None else 2] = ""
    one.attribute.extend(attributes.values())
    values = {"roi": np.array([0, part[0], 1, part[1]] if part else [], np.float32)}
    values["scales"] = np.array([1, scale or 1], np.float32)
    try:
        rows = []
        for x in (np.eye(size, dtype=np.float32), np.zeros((1, size), np.float32)):
            values |= {"x": x, "sizes": np.array([x.shape[0], wanted], np.int64)}
            rows.append(np.asarray(evaluate(one, values, max(ctx.opset, 18))[0]))
    except EVALUATION_ERRORS as problem:
        raise Unsupported(f"onnx itself cannot compute it ({problem})") from problem
    if rows[0].shape != (size, wanted) or rows[1].any():
        raise Unsupported("it fills in a number outside of the image (extrapolation_value)")
    matrix: np.ndarray = rows[0].T
    return matrix
