"""Runs the float32 and the quantised model side by side and compares blob by blob."""

from __future__ import annotations

from collections.abc import Callable
from math import log10

import numpy as np
import onnxruntime
from onnx import ModelProto, ValueInfoProto

from .calibration import Calibration
from .report import LayerNoise, QuantisationReport

Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much
_ORT_SUFFIX = "_QuantizeLinear_Input"  # what an output's float form is called in onnxruntime's quantised models


def measure(
    original: ModelProto, quantised: ModelProto, calibration: Calibration, progress: Progress | None = None
) -> QuantisationReport:
    """original: the float32 model that was quantised, with the same blob names."""
    pairs = _pairs(original, quantised)
    outputs = [value.name for value in original.graph.output]
    made_by = {name: node.name or node.output[0] for node in original.graph.node for name in node.output}
    float_session = _session(original, [*pairs, *outputs])
    int8_session = _session(quantised, [*pairs.values(), *outputs])
    signal, noise = dict.fromkeys(pairs, 0.0), dict.fromkeys(pairs, 0.0)
    same = dict.fromkeys(outputs, 0)
    for i in range(len(calibration)):
        feeds = calibration.sample(i)
        exact, rounded = _run(float_session, feeds), _run(int8_session, feeds)
        for name, partner in pairs.items():
            wide = exact[name].astype(np.float64)
            signal[name] += float((wide**2).sum())
            noise[name] += float(((wide - rounded[partner]) ** 2).sum())
        for name in outputs:
            same[name] += int(exact[name].argmax() == rounded[name].argmax())
        if progress is not None:
            progress("measuring", i + 1, len(calibration))
    layers = [LayerNoise(made_by.get(name, "input"), name, _decibels(signal[name], noise[name])) for name in pairs]
    return QuantisationReport(
        len(calibration), layers, {name: count / len(calibration) for name, count in same.items()}
    )


def _decibels(signal: float, noise: float) -> float | None:
    if noise == 0.0:
        return None
    return round(10 * log10(max(signal, 1e-30) / noise), 2)


def _pairs(original: ModelProto, quantised: ModelProto) -> dict[str, str]:
    """Float blobs of the original, and the dequantised blobs of the quantised model that stand for them."""
    known = {value.name for value in original.graph.input}
    known.update(name for node in original.graph.node for name in node.output)
    integers = {n.output[0]: n.input[0] for n in quantised.graph.node if n.op_type == "QuantizeLinear"}
    pairs: dict[str, str] = {}
    for node in quantised.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in integers:
            name = integers[node.input[0]].removesuffix(_ORT_SUFFIX)
            if name in known:
                pairs.setdefault(name, node.output[0])
    return pairs


def _session(model: ModelProto, names: list[str]) -> onnxruntime.InferenceSession:
    """The model, with all of these blobs as outputs and none optimised away."""
    exposed = ModelProto()
    exposed.CopyFrom(model)
    given = {value.name for value in exposed.graph.input}
    have = {value.name for value in exposed.graph.output}
    exposed.graph.output.extend(ValueInfoProto(name=n) for n in dict.fromkeys(names) if n not in have | given)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(exposed.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True)) | feeds
