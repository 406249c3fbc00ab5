"""Layers that keep a state from one inference to the next: a blob of the graph that they read and write."""

from __future__ import annotations

from math import prod

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, INT32, Context, Node
from host_tools.importers.tflite.operators.activations import float_attrs
from host_tools.importers.tflite.operators.weights import check_float_weight
from host_tools.quantised import lstm_parameters, svdf_parameters

_INT16 = np.dtype(np.int16)


def _scale(ctx: Context, name: str) -> float:
    """The scale of a tensor of any integer type whose zero point is 0."""
    found = ctx.source(name).quantisation
    if found is None or len(found.scales) != 1 or found.zero_points.any():
        raise Unsupported(f"{name!r} should have one scale, and the zero point 0")
    return float(found.scales[0])


def _state(ctx: Context, name: str, count: int, dtype: np.dtype) -> str:
    """A variable of the file as a state of the graph, of as many elements."""
    source = ctx.source(name)
    if not source.variable or source.dtype != dtype or prod(source.shape) != count:
        raise Unsupported(f"its state {name!r} should be a variable of {count} elements of type {dtype}")
    graph = ctx.builder.graph
    if name in graph.tensors:
        raise Unsupported(f"another operator keeps its state in {name!r}, too")
    added = graph.add_tensor(name, (1, count))
    added.dtype, added.quantisation = dtype, source.quantisation if dtype == INT8 else None
    graph.states.append(name)
    return name


def svdf(ctx: Context, node: Node) -> None:
    """Inputs: x [1, length], feature filters [filters, length], time filters [filters, memory], bias, state."""
    int8 = ctx.is_int8(node)
    shape, rank = ctx.shape(node.input(0)), node.integer("Rank")
    feature, time = ctx.value(node.input(1), "feature filter"), ctx.value(node.input(2), "time filter")
    if len(shape) != 2 or shape[0] != 1:
        raise Unsupported(f"its input has shape {shape}; (1, length) is supported")
    filters = feature.shape[0] if feature.ndim == 2 else 0
    if rank < 1 or filters < 1 or filters % rank or feature.shape[1] != shape[1] or time.shape[:1] != (filters,):
        raise Unsupported(f"filters of shapes {feature.shape} and {time.shape} do not fit rank {rank} and {shape}")
    outputs = filters // rank
    state = _state(ctx, node.input(4), time.size, _INT16 if int8 else FLOAT)
    operands = [ctx.operand(node.input(0), INT8 if int8 else FLOAT), state]
    attrs: dict[str, Attr] = {"rank": rank}
    if int8:
        if feature.dtype != INT8 or time.dtype != _INT16:
            raise Unsupported(f"filters of types {feature.dtype} and {time.dtype}; int8 and int16 are supported")
        if node.activation() != "RELU":
            raise Unsupported("its fused activation in int8 should be RELU, the only one that LiteRT takes")
        # And does not apply: the output's range is all that bounds it.
        feature_scale, state_scale, time_scale = (_scale(ctx, node.input(i)) for i in (1, 4, 2))
        attrs |= svdf_parameters(
            *ctx.quantisation(node.input(0)),
            feature_scale,
            state_scale,
            time_scale,
            *ctx.quantisation(node.output),
        )
    else:
        check_float_weight(ctx, node)
        attrs |= float_attrs(node)
    operands += [ctx.derived(node.input(1), "", feature), ctx.derived(node.input(2), "", time)]
    if node.has_input(3) or int8:
        bias = ctx.value(node.input(3), "bias") if node.has_input(3) else np.zeros(outputs, np.int32)
        if bias.size != outputs or bias.dtype != (INT32 if int8 else FLOAT):
            raise Unsupported(f"its bias is {bias.dtype} with {bias.size} elements; {outputs} are expected")
        operands.append(ctx.constant(f"{node.output}.bias", bias))
    ctx.emit("svdf_int8" if int8 else "svdf", node, operands, (1, outputs), **attrs)


# Inputs of UNIDIRECTIONAL_SEQUENCE_LSTM, four gates each: input, forget, cell, output.
_WEIGHTS, _RECURRENT, _BIASES = range(1, 5), range(5, 9), range(12, 16)
_HIDDEN, _CELL = 18, 19
_UNSUPPORTED = {
    "peephole connections": range(9, 12),
    "a projection": range(16, 18),
    "layer normalisation": range(20, 24),
}
_TANH = 4


def lstm(ctx: Context, node: Node) -> None:
    """Four gates with weights for the input and for the last output; batch 1, by steps or by batches first."""
    for what, inputs in _UNSUPPORTED.items():
        if any(node.has_input(i) for i in inputs):
            raise Unsupported(f"{what} in it is not supported")
    if not node.has_input(1):
        raise Unsupported("it couples its input gate to its forget gate, which is not supported")
    if node.integer("FusedActivationFunction", 0) != _TANH:
        raise Unsupported("its activation should be TANH")
    shape = ctx.shape(node.input(0))
    if len(shape) != 3 or shape[0 if not node.integer("TimeMajor", 0) else 1] != 1:
        raise Unsupported(f"its input has shape {shape}; a batch of 1 is supported")
    steps, length = shape[0] * shape[1], shape[2]
    cells = ctx.value(node.input(_WEIGHTS[0]), "weight").shape[0]
    final = (*shape[:2], cells)
    int8 = ctx.is_int8(node)
    dtype = INT8 if int8 else FLOAT
    clip = node.number("CellClip")
    if not 0.0 <= clip <= float(np.finfo(np.float32).max):
        raise Unsupported(f"its cell_clip is {clip}")
    operands = [
        ctx.reshaped(node, ctx.operand(node.input(0), dtype), (steps, length)),
        _state(ctx, node.input(_HIDDEN), cells, dtype),
        _state(ctx, node.input(_CELL), cells, _INT16 if int8 else FLOAT),
        _gates(ctx, node, _WEIGHTS, "weight", (cells, length), dtype),
        _gates(ctx, node, _RECURRENT, "recurrent", (cells, cells), dtype),
        _gates(ctx, node, _BIASES, "bias", (cells,), INT32 if int8 else FLOAT),
    ]
    if not int8:
        ctx.result("lstm", node, operands, (steps, cells), final, cell_clip=clip)
        return
    if len(node.intermediates) != 5:
        raise Unsupported(f"it states the scales of {len(node.intermediates)} intermediate results; 5 are expected")
    hidden = ctx.quantisation(node.input(_HIDDEN))
    if hidden != ctx.quantisation(node.output):
        raise Unsupported("its output and the state that keeps it have different scales or zero points")
    words, attrs = lstm_parameters(
        *ctx.quantisation(node.input(0)),
        *hidden,
        [_scale(ctx, node.input(i)) for i in _WEIGHTS],
        [_scale(ctx, node.input(i)) for i in _RECURRENT],
        _scale(ctx, node.input(_CELL)),
        clip,
        *ctx.quantisation(node.intermediates[4]),
    )
    operands.append(ctx.constant(f"{node.output}.scales", words))
    ctx.result("lstm_int8", node, operands, (steps, cells), final, **attrs)


def _gates(ctx: Context, node: Node, inputs: range, what: str, shape: Shape, dtype: np.dtype) -> str:
    """The constants of the four gates as one run of numbers."""
    found = [ctx.value(node.input(i), what) for i in inputs]
    for data in found:
        if data.shape != shape or data.dtype != dtype:
            raise Unsupported(f"its {what} is {data.dtype} of shape {data.shape}; {dtype} of {shape} is expected")
    return ctx.constant(f"{node.output}.{what}", np.concatenate([data.reshape(-1) for data in found]))
