"""RNN, GRU and LSTM: a layer for each direction. They begin anew with every inference, as ONNX says."""

from __future__ import annotations

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.onnx.context import Context, Node
from host_tools.importers.onnx.operators.moving import slice_attrs
from host_tools.importers.onnx.operators.views import permute
from host_tools.importers.recurrent import GRU, GRU_AFTER, LSTM, PLAIN, add_direction
from host_tools.importers.refusals import Unsupported

_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
_FUNCTIONS = {"RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh")}
_SEQUENCE_LENGTHS, _FIRST_H, _FIRST_C, _PEEPHOLES = 4, 5, 6, 7
_H, _W = 1, 2


def recurrent(ctx: Context, node: Node) -> None:
    directions = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}.get(
        node.text("direction", "forward")
    )
    if directions is None:
        raise Unsupported(f"its direction is {node.text('direction', '')!r}")
    _refuse_variants(ctx, node, len(directions))
    batch_first = bool(node.integer("layout", 0))
    shape = ctx.shape(node.inputs[0])
    batch, steps = shape[:2] if batch_first else (shape[1], shape[0])
    x = _batch_first(ctx, node, node.inputs[0], shape, batch_first)
    cells = ctx.shape(node.inputs[2])[-1]
    with_cell = node.op == "LSTM" and len(node.outputs) > 2 and bool(node.outputs[2])
    rows = [_direction(ctx, node, x, (batch, steps, cells), i, back, with_cell) for i, back in enumerate(directions)]
    view = (batch, steps, cells)
    hidden = [_columns(ctx, node, blob, view, 0) if with_cell else blob for blob in rows]
    if node.outputs[0]:
        _sequence(ctx, node, hidden, view, batch_first)
    for output, column in zip(node.outputs[1:], (0, cells), strict=False):
        if output:
            _last(ctx, node, output, rows, directions, view, column, with_cell, batch_first)


def _refuse_variants(ctx: Context, node: Node, directions: int) -> None:
    names = node.texts("activations")
    if names and names != _FUNCTIONS[node.op] * directions:
        raise Unsupported(f"its activations are {', '.join(names)}; the usual ones are supported")
    if node.has("clip"):
        raise Unsupported("it clips the sums of its gates (clip)")
    if node.integer("input_forget", 0):
        raise Unsupported("it couples its input gate to its forget gate (input_forget)")
    if node.has_input(_PEEPHOLES):
        raise Unsupported("peephole connections")
    steps = ctx.shape(node.inputs[0])[node.integer("layout", 0)]
    if node.has_input(_SEQUENCE_LENGTHS):
        lengths = ctx.value(node.inputs[_SEQUENCE_LENGTHS], "sequence lengths")
        if (lengths != steps).any():
            raise Unsupported(f"its sequences have {lengths.tolist()} of {steps} steps; all of them are supported")


def _batch_first(ctx: Context, node: Node, name: str, shape: Shape, already: bool) -> str:
    """[steps, batch, width] as [batch, steps, width]; of one sequence that is the same."""
    a, b, width = shape
    if already:
        return ctx.operand(name)
    if b == 1:
        return ctx.reshaped(node, name, (b, a, width))
    return ctx.emit_new("permute", node, [ctx.operand(name)], (b, a, width), perm=(1, 0, 2))


def _direction(ctx: Context, node: Node, x: str, view: Shape, i: int, reverse: bool, with_cell: bool) -> str:
    """The rows of one direction."""
    batch, steps, cells = view
    gates = _GATES[node.op]
    width = ctx.builder.graph.tensor(x).shape[-1]
    weights = [ctx.value(node.inputs[k], what)[i] for k, what in ((1, "weight"), (2, "recurrent weight"))]
    if weights[0].shape != (gates * cells, width) or weights[1].shape != (gates * cells, cells):
        raise Unsupported(f"weights of shapes {weights[0].shape} and {weights[1].shape} for {cells} cells")
    bias = ctx.value(node.inputs[3], "bias")[i] if node.has_input(3) else np.zeros(2 * gates * cells)
    if bias.shape != (2 * gates * cells,):
        raise Unsupported(f"a bias of shape {bias.shape} for {cells} cells")
    first = [_first(ctx, node, _FIRST_H, i, batch, cells)]
    kind = PLAIN
    if node.op == "LSTM":
        kind = LSTM
        first.append(_first(ctx, node, _FIRST_C, i, batch, cells))
    elif node.op == "GRU":
        kind = GRU_AFTER if node.integer("linear_before_reset", 0) else GRU
    given = (weights[0], weights[1], bias)
    return add_direction(
        ctx.builder, node.name, x, view, kind, given, tuple(first), reverse=reverse, with_cell=with_cell
    )


def _first(ctx: Context, node: Node, k: int, i: int, batch: int, cells: int) -> str:
    """What one direction begins with, [batch, 1, cells]: input `k`, or zeros."""
    if not node.has_input(k):
        return ctx.builder.constant(f"{node.name}.zeros", np.zeros((batch, 1, cells)))
    name = node.inputs[k]
    batch_first = bool(node.integer("layout", 0))
    if ctx.is_constant(name):
        values = ctx.constants[name][:, i] if batch_first else ctx.constants[name][i]
        return ctx.builder.constant(f"{name}.{i}", values.reshape(batch, 1, cells))
    shape = ctx.shape(name)
    source = name
    axis = 1 if batch_first else 0
    if shape[axis] > 1:
        part = tuple(1 if a == axis else n for a, n in enumerate(shape))
        source = ctx.emit_new("slice", node, [name], part, **slice_attrs(shape, {axis: (i, 1)}))
    return ctx.builder.reshaped(node.name, source, (batch, 1, cells))


def _columns(ctx: Context, node: Node, blob: str, view: Shape, first: int) -> str:
    """Of rows that hold outputs and cells those from this column on."""
    wide = (*view[:2], 2 * view[2])
    return ctx.emit_new("slice", node, [blob], view, **slice_attrs(wide, {_W: (first, 1)}))


def _sequence(ctx: Context, node: Node, rows: list[str], view: Shape, batch_first: bool) -> None:
    """All rows: [steps, directions, batch, cells], or batch first."""
    batch, steps, cells = view
    wide = (batch, steps, len(rows) * cells)
    blob = rows[0] if len(rows) == 1 else ctx.emit_new("concat", node, rows, wide, axis=_W)
    apart = (batch, steps, len(rows), cells)
    permute(ctx, node, blob, apart, (0, 1, 2, 3) if batch_first else (1, 2, 0, 3))


def _last(
    ctx: Context, node: Node, output: str, rows: list[str], directions: tuple[bool, ...], view: Shape, column: int,
    with_cell: bool, batch_first: bool,
) -> None:  # fmt: skip
    """The last output, or the last cells, of each direction: [directions, batch, cells], or batch first."""
    batch, steps, cells = view
    whole = (batch, steps, cells * (1 + with_cell))
    parts = []
    for blob, reverse in zip(rows, directions, strict=True):
        attrs = slice_attrs(whole, {_H: (0 if reverse else steps - 1, 1), _W: (column, 1)})
        parts.append(ctx.emit_new("slice", node, [blob], (batch, 1, cells), **attrs))
    count = len(parts)
    if batch_first:
        final = (batch, count, cells)
        blob = parts[0] if count == 1 else ctx.emit_new("concat", node, parts, final, axis=_H)
    else:
        final = (count, batch, cells)
        seen = [ctx.builder.reshaped(node.name, part, (1, batch, cells)) for part in parts]
        blob = seen[0] if count == 1 else ctx.emit_new("concat", node, seen, final, axis=0)
    ctx.builder.emit("reshape", node.name, [blob], output, final)
