"""One direction of an RNN, GRU or LSTM as a layer `recurrent`: what ONNX and ncnn have in common."""

from __future__ import annotations

import numpy as np

from host_tools.importers.builder import Builder, Shape

PLAIN, GRU, GRU_AFTER, LSTM = range(4)  # kinds of the layer


def add_direction(
    builder: Builder,
    layer: str,
    x: str,
    view: Shape,
    kind: int,
    weights: tuple[np.ndarray, np.ndarray, np.ndarray],
    first: tuple[str, ...],
    *,
    reverse: bool,
    with_cell: bool = False,
) -> str:
    """The rows of one direction; returns their name.

    `x`: batch x steps x width. `view`: batch, steps, cells. `weights`: for x, for the last output, and the biases, the
    gates in the layer's order. `first`: what it begins with, batch x 1 x cells: the output, of an LSTM the cells, too.
    """
    batch, steps, cells = view
    graph = builder.graph
    scratch = builder.free_name(f"{layer}.scratch")
    graph.add_tensor(scratch, (1, batch * cells))
    graph.states.append(scratch)
    constants = [builder.constant(f"{layer}.{n}", a.reshape(1, -1)) for n, a in zip("wrb", weights, strict=True)]
    operands = [x, first[0], scratch, *constants, *first[1:]]
    attrs = {"kind": kind, "reverse": int(reverse), "with_cell": int(with_cell)}
    return builder.emit("recurrent", layer, operands, None, (batch, steps, cells * (1 + with_cell)), **attrs)
