"""More small ONNX models: what is chosen, counted or remembered, and products written as equations."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, helper

from tests.host.onnx_models import IMAGE, Case, Shapes, _one, floats, ints, model, node

_TWO: Shapes = {"x": (1, 3, 7, 6), "z": (1, 3, 7, 6)}
_ROWS: Shapes = {"x": (1, 5, 8)}


def _chain(nodes: list, inputs: Shapes = IMAGE, constants: dict | None = None, since: int = 7) -> tuple[int, Case]:  # type: ignore[type-arg]
    return since, lambda opset: model(nodes, inputs, constants, opset=opset)


def _less(opset: int) -> ModelProto:
    """The comparison that opset 7 has, as numbers."""
    return model([node("Less", "x z", "c"), node("Cast", "c", "y", to=TensorProto.FLOAT)], _TWO, opset=opset)


def _logic(op: str) -> tuple[int, Case]:
    nodes = [
        node("Greater", "x k", "a"),
        node("Greater", "z k", "b"),
        node(op, "a b", "c"),
        node("Not", "c", "d"),
        node("Cast", "d", "y", to=TensorProto.FLOAT),
    ]
    return _chain(nodes, _TWO, {"k": np.float32([0.1])})


def _indexed(op: str, indices: tuple[int, ...], kind: int = TensorProto.INT64, **attributes: int) -> tuple[int, Case]:
    """With indices that are an input."""

    def build(opset: int) -> ModelProto:
        made = model([node(op, "x i", "y", **attributes)], {"x": (4, 5, 3)}, opset=opset)
        made.graph.input.append(helper.make_tensor_value_info("i", kind, indices))
        return made

    return 13, build


def _embedding(opset: int) -> ModelProto:
    """Tokens into rows of a table; the tokens are flattened on the way."""
    nodes = [node("Reshape", "i s", "f"), node("Gather", "table f", "y")]
    made = model(nodes, {}, {"table": floats(6, 4), "s": ints(1, -1)}, opset=opset)
    made.graph.input.append(helper.make_tensor_value_info("i", TensorProto.INT64, (1, 2, 3)))
    return made


def _recurrent(op: str, gates: int, directions: int, inputs: str, **attributes: object) -> tuple[int, Case]:
    cells, way = 4, ("forward", "bidirectional")[directions - 1]
    constants = {"w": floats(directions, gates * cells, 3), "r": floats(directions, gates * cells, cells, seed=4)}
    constants |= {"b": floats(directions, 2 * gates * cells, seed=5)}
    shapes: Shapes = {"x": (5, 1, 3)} | {name: (directions, 1, cells) for name in ("h", "c") if name in inputs.split()}
    outputs = "y y_h y_c" if op == "LSTM" else "y y_h"
    nodes = [node(op, inputs, outputs, hidden_size=cells, direction=way, **attributes)]
    return _chain(nodes, shapes, {name: data for name, data in constants.items() if name in inputs.split()})


def _equation(equation: str, inputs: Shapes, constants: dict | None = None) -> tuple[int, Case]:  # type: ignore[type-arg]
    return _one("Einsum", inputs, constants, since=12, equation=equation)


def _resize(scales: tuple[float, ...], **attributes: object) -> tuple[int, Case]:
    constants = {"s": np.array(scales, np.float32)}
    return _chain([node("Resize", "x - s", "y", **attributes)], IMAGE, constants, since=13)


_HEADS: Shapes = {"x": (1, 2, 5, 4), "z": (1, 2, 6, 4)}

CHOOSING_CASES: dict[str, tuple[int, Case]] = {
    "less": (9, _less),
    "equal": _chain(
        [node("Round", "x", "r"), node("Equal", "r k", "c"), node("Where", "c x k", "y")],
        IMAGE,
        {"k": np.float32([0.0])},
        since=11,
    ),
    "greater or equal": _chain([node("GreaterOrEqual", "x z", "c"), node("Where", "c x z", "y")], _TWO, since=16),
    "less or equal": _chain([node("LessOrEqual", "x z", "c"), node("Where", "c x z", "y")], _TWO, since=16),
    "and": _logic("And"),
    "or": _logic("Or"),
    "xor": _logic("Xor"),
    "where with a constant condition": _chain(
        [node("Where", "m x k", "y")], IMAGE, {"m": floats(7, 6) > 0, "k": np.float32(-9.0)}, since=9
    ),
    "cast to truth": _chain(
        [node("Relu", "x", "r"), node("Cast", "r", "c", to=TensorProto.BOOL), node("Where", "c r k", "y")],
        IMAGE,
        {"k": np.float32([2.0])},
        since=9,
    ),
    "upper triangle": _one("Trilu", since=14),
    "lower triangle": _one("Trilu", constants={"k": np.int64(-1)}, since=14, upper=0),
    "cumsum": _one("CumSum", constants={"a": np.int64(2)}, since=11),
    "cumsum of a batch's channels, backwards": _one(
        "CumSum", {"x": (2, 3, 4, 5)}, {"a": np.int32(1)}, since=11, exclusive=1, reverse=1
    ),
    "top k": (11, lambda opset: model([node("TopK", "x k", "y i")], IMAGE, {"k": ints(3)}, opset=opset, outputs=["y"])),
    "top k, smallest, of a folded axis": (
        11,
        lambda opset: model(
            [node("TopK", "x k", "y i", axis=1, largest=0)],
            {"x": (2, 3, 4, 5)},
            {"k": ints(2)},
            opset=opset,
            outputs=["y"],
        ),
    ),
    "gather at run time": _indexed("Gather", (2, 2), axis=1),
    "gather at run time, int32": _indexed("Gather", (3,), TensorProto.INT32, axis=2),
    "gather elements": _indexed("GatherElements", (4, 2, 3), axis=1),
    "gather elements, constant": _one("GatherElements", {"x": (2, 3)}, {"i": np.array([[0, -1], [1, 1]])}, 13, axis=1),
    "gather of many runs": _one("Gather", {"x": (50, 3)}, {"i": np.arange(49, 9, -1)}, since=11),
    "embedding": (13, _embedding),
    "rnn": _recurrent("RNN", 1, 1, "x w r b"),
    "rnn in both directions": _recurrent("RNN", 1, 2, "x w r b - h"),
    "gru": _recurrent("GRU", 3, 1, "x w r"),
    "gru, reset after": _recurrent("GRU", 3, 1, "x w r b - h", linear_before_reset=1),
    "gru in both directions": _recurrent("GRU", 3, 2, "x w r b", linear_before_reset=1),
    "lstm": _recurrent("LSTM", 4, 1, "x w r b"),
    "lstm from a state": _recurrent("LSTM", 4, 1, "x w r b - h c"),
    "lstm in both directions": _recurrent("LSTM", 4, 2, "x w r b - h c"),
    "einsum, attention's scores": _equation("bhid,bhjd->bhij", _HEADS),
    "einsum, attention's values": _equation("bhij,bhjd->bhid", {"x": (1, 2, 5, 6), "z": (1, 2, 6, 4)}),
    "einsum with weights": _equation("bsd,de->bse", _ROWS, {"w": floats(8, 6)}),
    "einsum with letters apart": _equation("bqhd,bkhd->bhqk", {"x": (1, 5, 2, 4), "z": (1, 6, 2, 4)}),
    "einsum, transposition": _equation("bij->bji", _ROWS),
    "einsum, sum": _equation("bij->bi", _ROWS),
    "einsum, one sum before the product": _equation("ijk,jl->il", {"x": (3, 4, 5), "z": (4, 2)}),
    "einsum without a result": _equation("ij,jk", {"x": (3, 4), "z": (4, 2)}),
    "einsum with an ellipsis": _equation("...ij,...jk->...ik", {"x": (2, 3, 4), "z": (2, 4, 5)}),
    "mean and variance": _one("MeanVarianceNormalization", since=9),
    "mean and variance of channels": _one("MeanVarianceNormalization", since=9, axes=[1]),
    "resize cubic": _resize((1, 1, 2, 1.5), mode="cubic"),
    "resize cubic, smaller": _resize((1, 1, 1, 0.5), mode="cubic", coordinate_transformation_mode="align_corners"),
    "resize channels": _resize((1, 2, 1, 1), mode="nearest", coordinate_transformation_mode="asymmetric"),
    "resize with antialias": (
        18,
        lambda opset: model(
            [node("Resize", "x - s", "y", mode="linear", antialias=1)],
            IMAGE,
            {"s": np.array([1, 1, 0.5, 0.5], np.float32)},
            opset=opset,
        ),
    ),
}
