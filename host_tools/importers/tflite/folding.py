"""Operators whose result is known while importing: on constants, and on the shape of a blob.

Files compute shapes with them, and expand weights that are stored as float16 or int8.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import Context, Node, normal_axis
from host_tools.importers.tflite.model_file import MAX_ELEMENTS
from host_tools.importers.tflite.operators import moving, reshaping

# Parts of shapes are small; a chain of damaged operators must not grow without end.
_MAX_GROWN = 1 << 16

_ARITHMETIC: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "ADD": np.add,
    "SUB": np.subtract,
    "MUL": np.multiply,
    "FLOOR_DIV": np.floor_divide,
    "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
}


def fold(ctx: Context, node: Node) -> bool:
    """Puts the operator's one output among the constants if that can be computed now."""
    if node.kind not in FOLDERS or len(node.outputs) != 1 or not node.has_input(0):
        return False
    of_shape = node.kind in ("SHAPE", "RANK")
    if not of_shape and not all(ctx.is_constant(name) for name in node.inputs if name):
        return False
    sizes = [ctx.constants[name].size for name in node.inputs if ctx.is_constant(name)]
    if sum(sizes) > MAX_ELEMENTS:
        raise Unsupported("its constants are larger than any board's memory")
    value = FOLDERS[node.kind](ctx, node)
    if value is None:
        return False
    if value.size > max([_MAX_GROWN, *sizes]):
        raise Unsupported(f"its result would have shape {value.shape}")
    stated = ctx.source(node.output).dtype
    if stated is None or stated != value.dtype:
        type_name = ctx.source(node.output).type_name.lower()
        raise Unsupported(f"its output {node.output!r} is stated to be {type_name}")
    ctx.constants[node.output] = value
    return True


def _data(ctx: Context, node: Node, i: int = 0) -> np.ndarray:
    return ctx.constants[node.input(i)]


def _stated_type(ctx: Context, node: Node) -> np.dtype:
    dtype = ctx.source(node.output).dtype
    if dtype is None:
        raise Unsupported(f"its output {node.output!r} is {ctx.source(node.output).type_name.lower()}")
    return dtype


def _arithmetic(ctx: Context, node: Node) -> np.ndarray | None:
    """On whole numbers only: those are parts of shapes."""
    a, b = _data(ctx, node, 0), _data(ctx, node, 1)
    if a.dtype not in (np.int32, np.int64) or a.dtype != b.dtype or node.activation() != "NONE":
        return None
    if node.kind == "FLOOR_DIV" and not b.all():
        return None
    if prod(np.broadcast_shapes(a.shape, b.shape)) > _MAX_GROWN:
        return None
    return np.asarray(_ARITHMETIC[node.kind](a, b))


def _cast(ctx: Context, node: Node) -> np.ndarray:
    data, dtype = _data(ctx, node), _stated_type(ctx, node)
    with np.errstate(invalid="ignore"):
        return data.astype(dtype)


def _concatenation(ctx: Context, node: Node) -> np.ndarray | None:
    """Not of int8: its inputs may have scales of their own."""
    if _data(ctx, node).dtype == np.int8:
        return None
    return np.concatenate([ctx.constants[name] for name in node.inputs], node.integer("Axis"))


def _dequantize(ctx: Context, node: Node) -> np.ndarray | None:
    data = _data(ctx, node)
    if data.dtype == np.float16:
        return data.astype(np.float32)
    found = ctx.source(node.input(0)).quantisation
    if data.dtype != np.int8 or found is None:
        return None
    axes = [1] * data.ndim
    if found.axis is not None:
        axes[found.axis] = -1
    scales, zeros = found.scales.reshape(axes), found.zero_points.reshape(axes)
    return np.asarray((data.astype(np.int32) - zeros) * scales, np.float32).reshape(data.shape)


def _fill(ctx: Context, node: Node) -> np.ndarray | None:
    shape = ctx.integers(node, 0, "shape")
    if min(shape, default=0) < 0 or prod(shape) > _MAX_GROWN or _data(ctx, node, 1).size != 1:
        return None
    return np.full(shape, _data(ctx, node, 1).reshape(-1)[0])


def _gather(ctx: Context, node: Node) -> np.ndarray | None:
    data, indices = _data(ctx, node), _data(ctx, node, 1)
    axis = normal_axis(node.integer("Axis", 0), data.ndim)
    taken = prod(data.shape) // max(data.shape[axis], 1) * indices.size
    if indices.dtype.kind not in "iu" or node.integer("BatchDims", 0) or taken > _MAX_GROWN:
        return None
    return np.take(data, indices, axis)


def _pack(ctx: Context, node: Node) -> np.ndarray:
    return np.stack([ctx.constants[name] for name in node.inputs], node.integer("Axis", 0))


def _reduce_prod(ctx: Context, node: Node) -> np.ndarray:
    data = _data(ctx, node)
    axes = tuple(normal_axis(axis, data.ndim) for axis in ctx.integers(node, 1, "axes"))
    return np.asarray(np.prod(data, axes, keepdims=bool(node.integer("KeepDims", 0)), dtype=data.dtype))


def _shape(ctx: Context, node: Node) -> np.ndarray:
    return np.array(ctx.shape(node.input(0)), _stated_type(ctx, node))


def _rank(ctx: Context, node: Node) -> np.ndarray:
    return np.array(len(ctx.shape(node.input(0))), _stated_type(ctx, node))


def _slice(ctx: Context, node: Node) -> np.ndarray:
    data = _data(ctx, node)
    begins, sizes = ctx.integers(node, 1, "begin"), ctx.integers(node, 2, "size")
    if len(begins) != data.ndim or len(sizes) != data.ndim or min(begins, default=0) < 0:
        raise Unsupported(f"begin {begins} and size {sizes} of shape {data.shape}")
    ends = [None if size == -1 else begin + size for begin, size in zip(begins, sizes, strict=True)]
    return np.asarray(data[tuple(slice(*pair) for pair in zip(begins, ends, strict=True))])


def _strided_slice(ctx: Context, node: Node) -> np.ndarray:
    data = _data(ctx, node)
    ranges, shrunk = moving.strided_ranges(ctx, node, data.shape)
    taken = data[tuple(slice(r.start, r.stop, r.step) for r in ranges)]
    return np.asarray(taken).reshape([size for axis, size in enumerate(taken.shape) if axis not in shrunk])


def _transpose(ctx: Context, node: Node) -> np.ndarray:
    return np.transpose(_data(ctx, node), reshaping.transposed_axes(ctx, node))


def _reshape(ctx: Context, node: Node) -> np.ndarray:
    return _data(ctx, node).reshape(reshaping.reshaped_shape(ctx, node))


def _expand_dims(ctx: Context, node: Node) -> np.ndarray:
    return _data(ctx, node).reshape(reshaping.expanded_shape(ctx, node))


def _squeeze(ctx: Context, node: Node) -> np.ndarray:
    return _data(ctx, node).reshape(reshaping.squeezed_shape(ctx, node))


# None as a result: not while importing; the operator may still be supported as a layer.
FOLDERS: dict[str, Callable[[Context, Node], np.ndarray | None]] = {
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    "CAST": _cast,
    "CONCATENATION": _concatenation,
    "DEQUANTIZE": _dequantize,
    "EXPAND_DIMS": _expand_dims,
    "FILL": _fill,
    "GATHER": _gather,
    "PACK": _pack,
    "RANK": _rank,
    "REDUCE_PROD": _reduce_prod,
    "RESHAPE": _reshape,
    "SHAPE": _shape,
    "SLICE": _slice,
    "SQUEEZE": _squeeze,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
}
