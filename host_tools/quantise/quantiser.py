"""Quantises with onnxruntime's own static quantiser: QDQ form, int8 weights by channel, int8 activations."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from host_tools.graph import ConversionError, Graph
from host_tools.importers import load_model
from host_tools.importers.onnx import model_file
from host_tools.importers.onnx.quantised.table import TABLE

from .calibration import Calibration, Shape, Source, load_calibration
from .measurement import Progress, measure
from .report import QuantisationReport

_CROSSINGS = ("quantize", "dequantize", "reshape", "share", "permute", "copy")
_ADVICE = {
    ".tflite": "let TensorFlow's converter quantise it (representative dataset, int8) and convert the result",
    ".param": "quantise the ONNX model that it was made from",
}


def quantise_model(
    path: str | Path,
    calibration: Source,
    out_path: str | Path | None = None,
    *,
    input_shapes: dict[str, Shape] | None = None,
    outputs: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> tuple[ModelProto, QuantisationReport]:
    """The ONNX model at `path` with int8 weights and activations, in QDQ form, and what that does to it.

    calibration   typical inputs, see `load_calibration`: what ranges the activations have is measured on them
    out_path      where the quantised model is written, if anywhere
    input_shapes  shapes of inputs whose sizes the file leaves open
    outputs       blobs at which the model ends
    progress      called with what is being done, and how much of how much

    Raises ConversionError for a model that cannot be quantised and for a calibration set that does not fit
    it.
    """
    source = Path(path)
    if source.suffix.lower() != ".onnx":
        advice = _ADVICE.get(source.suffix.lower(), "convert it to ONNX first")
        raise ConversionError(f"{source.name}: only ONNX models can be quantised; {advice}")
    if not source.is_file():
        raise ConversionError(f"{source}: no such file")
    model = model_file.read(source)
    if any(node.op_type == "QuantizeLinear" or node.op_type.startswith("QLinear") for node in model.graph.node):
        raise ConversionError(f"{source.name}: this model is quantised already; convert it as it is")
    if outputs:
        model_file.cut(source, model, list(outputs))
    model_file.pin_inputs(source, model, dict(input_shapes or {}))
    data = load_calibration(calibration, _inputs(source, model))
    original, quantised = _quantise(source, model, data, progress)
    report = measure(original, quantised, data, progress)
    report = replace(report, float_layers=_float_layers(source, quantised))
    if out_path is not None:
        onnx.save(quantised, out_path)
    return quantised, report


def quantised_graph(
    path: str | Path,
    calibration: Source,
    *,
    input_shapes: dict[str, Shape] | None = None,
    outputs: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> tuple[Graph, QuantisationReport]:
    """`quantise_model`, imported: what `load_model` would give for the quantised model."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / Path(path).name
        _, report = quantise_model(
            path, calibration, made, input_shapes=input_shapes, outputs=outputs, progress=progress
        )
        return load_model(made), report


def _float_layers(source: Path, quantised: ModelProto) -> list[str]:
    """Layers of the imported model that compute in float32; the crossings do not count."""
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(quantised, Path(folder) / source.name)
        graph = load_model(Path(folder) / source.name)
    computing = [layer for layer in graph.layers if layer.op not in _CROSSINGS]
    return [layer.name for layer in computing if graph.tensor(layer.outputs[0]).dtype == np.float32]


def _inputs(source: Path, model: ModelProto) -> dict[str, Shape]:
    shapes = {}
    for value in model_file.true_inputs(model):
        if value.type.tensor_type.elem_type != TensorProto.FLOAT:
            raise ConversionError(f"{source.name}: input {value.name!r} is not float32; it cannot be calibrated")
        shapes[value.name] = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    return shapes


def _quantise(
    source: Path, model: ModelProto, data: Calibration, progress: Progress | None
) -> tuple[ModelProto, ModelProto]:
    """The model as the quantiser got it, and what it made of it."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        given, prepared, made = (Path(folder) / f"{name}.onnx" for name in ("given", "prepared", "made"))
        try:
            onnx.save(_with_output_types(model), given)
            # Folds batch normalisation into weights; symbolic shapes are not needed, as inputs have fixed
            # ones.
            quant_pre_process(str(given), str(prepared), skip_symbolic_shape=True)
            quantize_static(
                str(prepared),
                str(made),
                _Reader(data, progress),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=sorted(TABLE),
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
            )
            return onnx.load(prepared), onnx.load(made)
        except Exception as problem:  # onnxruntime raises its own kinds, and plain Exception
            lines = str(problem).strip().splitlines() or [type(problem).__name__]
            raise ConversionError(f"{source.name}: onnxruntime cannot quantise this model: {lines[0]}") from problem


def _with_output_types(model: ModelProto) -> ModelProto:
    """A copy whose outputs have types again, which `pin_inputs` takes away with shapes that may be
    outdated.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    for value in copy.graph.output:
        value.type.tensor_type.elem_type = TensorProto.FLOAT
    inferred = onnx.shape_inference.infer_shapes(copy)
    assert isinstance(inferred, ModelProto)
    return inferred


class _Reader(CalibrationDataReader):
    def __init__(self, data: Calibration, progress: Progress | None) -> None:
        self._data = data
        self._progress = progress
        self._next = 0

    def get_next(self) -> dict[str, np.ndarray] | None:
        if self._next == len(self._data):
            return None
        sample = self._data.sample(self._next)
        self._next += 1
        if self._progress is not None:
            self._progress("calibrating", self._next, len(self._data))
        return sample


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser warns through the root logger about speeds on other computers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
