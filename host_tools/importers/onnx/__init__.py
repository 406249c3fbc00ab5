"""ONNX, opset 7 and newer, float32 and int8: one small function for each operator, found through
`operators.TABLE`, and `quantised.table.TABLE` for those between quantised blobs.
"""

from __future__ import annotations

from pathlib import Path

from host_tools.graph import Graph
from host_tools.importers.onnx import model_file
from host_tools.importers.onnx.conversion import Conversion
from host_tools.importers.onnx.folding import fold
from host_tools.importers.onnx.quantised.qoperators import expand


def load(path: Path, input_shapes: dict[str, tuple[int, ...]], outputs: list[str] | None) -> Graph:
    """The graph of an ONNX file; raises ConversionError."""
    model = model_file.read(path)
    if outputs is not None:
        model_file.cut(path, model, outputs)
    invented = expand(model)
    model_file.pin_inputs(path, model, input_shapes)
    return Conversion(path, model, fold(path.name, model), invented).run()
