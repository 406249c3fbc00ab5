"""Random calls of layers that take or give indices, or write a scratch, and what onnxruntime computes for them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from tests.host.int8_cases import Case
from tests.host.layer_cases import onnx_result

COUNT = 16


def _random(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def _case(name: str, op: str, inputs: list[np.ndarray], expected: np.ndarray, **params: int | float) -> Case:
    return Case(name, op, inputs, [False] * (len(inputs) + 1), expected, dict(params))


def gather(seed: int) -> Case:
    """Of elements one by one, and of whole rows; also from the end."""
    rng = np.random.default_rng(seed)
    c, h, w, rows = (int(n) for n in rng.integers(1, 6, 4))
    dtype = np.dtype((np.float32, np.int8, np.uint8, np.int16, np.int32)[seed % 5])
    x = rng.integers(0, 100, (c, h, w)).astype(dtype)
    shape = (c, rows, w) if seed % 2 else (1, rows, 1)
    indices = rng.integers(-h, h, shape).astype(np.int32)
    chosen = np.broadcast_to(np.where(indices < 0, indices + h, indices), (c, rows, w))
    return _case(f"gather-{seed}", "gather", [x, indices], np.take_along_axis(x, chosen.astype(np.int64), 1))


def top_k(seed: int) -> Case:
    """Where the elements lie."""
    rng = np.random.default_rng(seed)
    axis, smallest = seed % 3, seed // 3 % 2
    x = rng.integers(-2, 3, rng.integers(1, 7, 3)).astype(np.float32)
    k = int(rng.integers(1, x.shape[axis] + 1))
    node = helper.make_node("TopK", ["x", "k"], ["v", "y"], axis=axis, largest=1 - smallest)
    graph = helper.make_graph(
        [node],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_empty_tensor_value_info("y")],
        [helper.make_tensor("k", TensorProto.INT64, [1], [k])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (y,) = session.run(["y"], {"x": x})
    return _case(f"top_k-{seed}", "top_k", [x], y.astype(np.int32), axis=axis, smallest=smallest)


def recurrent(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    kind = seed % 4
    operator, gates = (("RNN", 1), ("GRU", 3), ("GRU", 3), ("LSTM", 4))[kind]
    batch, steps, width, cells = (int(n) for n in rng.integers(1, 6, 4))
    x = _random(rng, batch, steps, width)
    weights = [_random(rng, 1, gates * cells, n) for n in (width, cells)] + [_random(rng, 1, 2 * gates * cells)]
    first = [_random(rng, batch, 1, cells) for _ in range(2 if kind == 3 else 1)]
    reverse = seed // 4 % 2
    attributes = {"hidden_size": cells, "direction": "reverse" if reverse else "forward"}
    if operator == "GRU":
        attributes["linear_before_reset"] = kind - 1
    given = [x.transpose(1, 0, 2), *weights, None, *[h.transpose(1, 0, 2) for h in first]]
    y = onnx_result(operator, given, **attributes)[:, 0].transpose(1, 0, 2)
    scratch = _random(rng, 1, 1, batch * cells)
    operands = [x, first[0], scratch, *[w.reshape(1, 1, -1) for w in weights], *first[1:]]
    return _case(f"recurrent-{kind}-{seed}", "recurrent", operands, y, kind=kind, reverse=reverse, with_cell=0)


MAKERS: dict[str, Callable[[int], Case]] = {made.__name__: made for made in (gather, top_k, recurrent)}
