"""Reads a trained model of any supported format into the one graph.

    graph = load_model("digits.onnx", input_shapes={"image": (1, 1, 8, 8)})

Adding an operator: README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from host_tools.frameworks import without_framework
from host_tools.graph import ConversionError, Graph

# Extension -> the package that reads it, imported when needed: not everybody has every format's library.
_FORMATS = {".onnx": "onnx", ".param": "ncnn", ".tflite": "tflite"}


def load_model(
    path: str | Path,
    weights: str | Path | None = None,
    *,
    input_shapes: dict[str, tuple[int, ...]] | None = None,
    zero_weights: bool = False,
    outputs: Sequence[str] | None = None,
) -> Graph:
    """The graph of the model file at `path`; its extension says which format it has.

    weights       the file of weights where the format keeps them apart (ncnn; `.bin` beside the `.param` by
    default) input_shapes  shapes of inputs by name, where the file leaves them open, or instead of what it
    says zero_weights  ncnn: fill in zeros instead of reading weights, to look at a graph alone outputs
    blobs at which the graph ends; layers that only others need are dropped before support is checked

    Raises ConversionError, with every unsupported layer named.
    """
    source = Path(path)
    package = _FORMATS.get(source.suffix.lower())
    if package is None:
        accepted = ", ".join(f"{extension} ({name})" for extension, name in _FORMATS.items())
        why = without_framework(source) or f"{source.name}: not a model that nnmicro reads"
        raise ConversionError(f"{why}; read are {accepted}")
    if not source.is_file():
        raise ConversionError(f"{source}: no such file")
    wanted = list(outputs) if outputs is not None else None
    shapes = dict(input_shapes or {})
    if package == "ncnn":
        from host_tools.importers import ncnn

        beside = Path(weights) if weights is not None else None
        return ncnn.load(source, beside, shapes, zero_weights, wanted)
    if weights is not None or zero_weights:
        raise ConversionError(f"{source.name}: this model carries its weights; a file of weights is for ncnn only")
    if package == "tflite":
        from host_tools.importers import tflite

        return tflite.load(source, shapes, wanted)
    from host_tools.importers import onnx

    return onnx.load(source, shapes, wanted)
