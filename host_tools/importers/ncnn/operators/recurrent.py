"""RNN, GRU and LSTM over the rows of a matrix; a layer for each direction. They begin anew with every inference."""

from __future__ import annotations

import numpy as np

from host_tools.importers.builder import Shape
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.operators.moving import part
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.recurrent import GRU_AFTER, LSTM, PLAIN, add_direction
from host_tools.importers.refusals import Unsupported

_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
_BIASES = {"RNN": 1, "GRU": 4, "LSTM": 4}
_KINDS = {"RNN": PLAIN, "GRU": GRU_AFTER, "LSTM": LSTM}
# The layer's gates by ncnn's numbers: i, f, o, c; update, reset, new.
_ORDERS = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 2, 1, 3)}
_H, _W = 1, 2


def _directions(layer: ParamLayer) -> tuple[bool, ...]:
    """Whether each runs backwards."""
    direction = layer.integer(2, 0)
    if direction not in (0, 1, 2):
        raise Unsupported(f"direction {direction}")
    return ((False,), (True,), (False, True))[direction]


def recurrent_weights(layer: ParamLayer) -> list[Section]:
    if layer.integer(8, 0):
        raise Unsupported("its weights are int8 (int8_scale_term); convert the float32 model")
    cells, directions = layer.integer(0, 0), len(_directions(layer))
    if layer.integer(3, cells) != cells:
        raise Unsupported(f"its outputs are projected from {layer.integer(3, cells)} cells to {cells}")
    return [
        Section("weight", layer.integer(1, 0), tagged=True),
        Section("bias", cells * _BIASES[layer.kind] * directions, tagged=True),
        Section("recurrent", cells * cells * _GATES[layer.kind] * directions, tagged=True),
    ]


def recurrent(ctx: Context, layer: ParamLayer) -> None:
    """More inputs are what it begins with, more outputs what it ends with: a row for each direction."""
    shape, cells = ctx.shape(layer.inputs[0]), layer.integer(0, 0)
    directions = _directions(layer)
    if len(shape) != 2:
        raise Unsupported(f"its input has shape {shape}; steps and a width are needed")
    states = 2 if layer.kind == "LSTM" else 1
    if len(layer.inputs) not in (1, 1 + states) or len(layer.outputs) not in (1, 1 + states):
        raise Unsupported(f"{len(layer.inputs)} inputs and {len(layer.outputs)} outputs")
    gates, (steps, width) = _GATES[layer.kind], shape
    if ctx.weights["weight"].size != len(directions) * gates * cells * width:
        raise Unsupported(f"{ctx.weights['weight'].size} weights for {cells} cells and rows of {width}")
    with_cell = layer.kind == "LSTM" and len(layer.outputs) > 1
    x = ctx.builder.reshaped(layer.name, layer.inputs[0], (1, steps, width))
    order, view = list(_ORDERS[layer.kind]), (1, steps, cells)
    rows = []
    for i, reverse in enumerate(directions):
        weight = ctx.weights["weight"].reshape(len(directions), gates, -1)[i][order]
        again = ctx.weights["recurrent"].reshape(len(directions), gates, -1)[i][order]
        given = (weight, again, _biases(ctx, layer, len(directions))[i])
        first = tuple(_first(ctx, layer, k, i, len(directions), cells) for k in range(states))
        kind = _KINDS[layer.kind]
        rows.append(
            add_direction(ctx.builder, layer.name, x, view, kind, given, first, reverse=reverse, with_cell=with_cell)
        )
    wide = (1, steps, cells * (1 + with_cell))
    hidden = [_cut(ctx, layer, blob, wide, view) for blob in rows]
    count = len(directions)
    out = (1, steps, cells * count)
    blob = hidden[0] if count == 1 else ctx.emit_new("concat", layer, hidden, out, axis=_W)
    ctx.emit("reshape", layer, [blob], out[1:])
    for k, output in enumerate(layer.outputs[1:]):
        ends = [
            _cut(ctx, layer, b, wide, (1, 1, cells), 0 if reverse else steps - 1, k * cells)
            for b, reverse in zip(rows, directions, strict=True)
        ]
        last = ends[0] if count == 1 else ctx.emit_new("concat", layer, ends, (1, count, cells), axis=_H)
        ctx.builder.emit("reshape", layer.name, [last], output, (count, cells))


def _biases(ctx: Context, layer: ParamLayer, directions: int) -> list[np.ndarray]:
    """For each direction those for x, then those for the last output: only the new gate of a GRU has one of these."""
    found = []
    for bias in ctx.weights["bias"].reshape(directions, _BIASES[layer.kind], -1):
        behind = np.zeros((_GATES[layer.kind], bias.shape[1]), np.float32)
        if layer.kind == "GRU":
            behind[2] = bias[3]
        found.append(np.concatenate([bias[list(_ORDERS[layer.kind])], behind]))
    return found


def _first(ctx: Context, layer: ParamLayer, k: int, i: int, directions: int, cells: int) -> str:
    if len(layer.inputs) == 1:
        return ctx.builder.constant(f"{layer.name}.zeros", np.zeros((1, 1, cells)))
    name, shape = layer.inputs[1 + k], (1, directions, cells)
    if ctx.shape(name) not in (shape[1:], shape):
        raise Unsupported(f"it begins with shape {ctx.shape(name)}; {shape[1:]} is expected")
    return _cut(ctx, layer, ctx.builder.reshaped(layer.name, name, shape), shape, (1, 1, cells), i)


def _cut(ctx: Context, layer: ParamLayer, blob: str, shape: Shape, wanted: Shape, row: int = 0, column: int = 0) -> str:
    if shape == wanted:
        return blob
    return ctx.emit_new("slice", layer, [blob], wanted, **part({_H: row, _W: column}))
