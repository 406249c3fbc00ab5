"""A network that tells a rising whistle from a falling one, made by hand: for examples of input that comes by rows.

Its weights are matched filters, not trained: one has its ones along the diagonal that a rising tone draws into a
spectrogram, the other along that of a falling one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FRAMES, BANDS = 16, 8  # rows of the spectrogram, one after another in time; frequency bands, low to high
LABELS = ("nothing", "rising", "falling")
_FILTER = 4
_OFF = -1 / 3  # beside the diagonal: noise, which is everywhere, sums to nothing


def write(path: Path) -> None:
    """The network as an ONNX file: `spectrogram` (1, 1, 16, 8) in 0 to 1 → `answer` (1, 3), probabilities."""
    from onnx import TensorProto, checker, helper, numpy_helper, save

    rising = np.where(np.eye(_FILTER, dtype=bool), 1, _OFF).astype(np.float32)
    filters = np.stack([rising, rising[:, ::-1]])[:, np.newaxis]
    to_labels = np.array([[0, 0], [60, -30], [-30, 60]], np.float32)
    constants = {
        "filters": filters,
        "threshold": np.array([-1.5, -1.5], np.float32),
        "to_labels": to_labels,
        "bias": np.array([2, 0, 0], np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["spectrogram", "filters", "threshold"], ["matched"], "matched"),
        helper.make_node("Relu", ["matched"], ["found"], "found"),
        helper.make_node("GlobalAveragePool", ["found"], ["often"], "often"),
        helper.make_node("Flatten", ["often"], ["flat"], "flat"),
        helper.make_node("Gemm", ["flat", "to_labels", "bias"], ["scores"], "scores", transB=1),
        helper.make_node("Softmax", ["scores"], ["answer"], "answer", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "whistle",
        [helper.make_tensor_value_info("spectrogram", TensorProto.FLOAT, (1, 1, FRAMES, BANDS))],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, len(LABELS)))],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    save(model, path)
