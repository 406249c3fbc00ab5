"""ncnn: the text graph `.param` and its weights `.bin`; one small function for each type of layer."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import numpy as np

from host_tools.graph import ConversionError, Graph
from host_tools.importers.builder import Builder
from host_tools.importers.ncnn.context import Context
from host_tools.importers.ncnn.operators import TABLE
from host_tools.importers.ncnn.operators.quantised import term
from host_tools.importers.ncnn.param_file import ParamFile, ParamLayer, read_param
from host_tools.importers.ncnn.weight_file import WeightFile, WeightSource, ZeroWeights
from host_tools.importers.refusals import Refusals, Unsupported

InputShapes = dict[str, tuple[int, ...]]


def load(
    path: Path, weights: Path | None, input_shapes: InputShapes, zero_weights: bool, outputs: list[str] | None
) -> Graph:
    """The graph of a `.param` file with the weights of `weights` (by default the `.bin` beside it).

    Raises ConversionError.
    """
    file = read_param(path)
    if outputs is None:
        read = {name for layer in file.layers for name in layer.inputs}
        outputs = [name for layer in file.layers for name in layer.outputs if name not in read]
        kept = file.layers
    else:
        kept = _cut(file, outputs)
    _check_input_names(file, kept, input_shapes)

    # First without weights, so that everything unsupported is found before a file of weights is asked for.
    refusals = Refusals(path)
    graph = _build(file, kept, input_shapes, ZeroWeights(), refusals)
    refusals.raise_if_any()
    if not zero_weights:
        binary = weights if weights is not None else path.with_suffix(".bin")
        if not binary.is_file():
            raise ConversionError(
                f"{binary}: no such file of weights; name the one that belongs to {path.name}, or look at "
                "the graph alone with --zero-weights"
            )
        source = WeightFile(binary)
        graph = _build(file, kept, input_shapes, source, refusals)
        refusals.raise_if_any()
        if source.left and all(_can_skip(layer) for layer in file.layers):
            raise ConversionError(
                f"{binary.name}: {source.left} bytes are left after the last layer's weights. Does it belong "
                f"to {path.name}?"
            )
    known = [name for name in outputs if graph.tensor(name).data is not None]
    if known:
        raise ConversionError(f"{path.name}: {', '.join(known)} would be an output, but is known beforehand")
    graph.outputs = list(outputs)
    return graph


def _cut(file: ParamFile, outputs: list[str]) -> list[ParamLayer]:
    """The layers that `outputs` need."""
    known = [name for layer in file.layers for name in layer.outputs]
    for name in outputs:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.3)
            hint = f"; near names are {', '.join(near)}" if near else ""
            raise ConversionError(f"{file.path.name}: no layer makes a blob named {name!r}{hint}")
    needed = set(outputs)
    kept: list[ParamLayer] = []
    for layer in reversed(file.layers):
        if needed.intersection(layer.outputs):
            needed.update(layer.inputs)
            kept.append(layer)
    return kept[::-1]


def _check_input_names(file: ParamFile, kept: list[ParamLayer], input_shapes: InputShapes) -> None:
    names = [name for layer in kept if layer.kind == "Input" for name in layer.outputs]
    if not names:
        raise ConversionError(f"{file.path.name}: the graph has no Input layer")
    for name in input_shapes:
        if name not in names:
            raise ConversionError(f"{file.path.name}: no input is named {name!r}; the inputs are {', '.join(names)}")


def _can_skip(layer: ParamLayer) -> bool:
    """Whether it is known how many weights a layer has that is not imported."""
    if layer.kind not in TABLE:
        return layer.kind == "Input"
    try:
        TABLE[layer.kind].weights(layer)
    except Unsupported:
        return False
    return True


def _build(
    file: ParamFile,
    kept: list[ParamLayer],
    input_shapes: InputShapes,
    source: WeightSource,
    refusals: Refusals,
) -> Graph:
    graph = Graph(file.path.stem)
    context = Context(Builder(graph, [name for layer in file.layers for name in layer.outputs]))
    kept_lines = {layer.line for layer in kept}
    indices = _indices(file)
    lost: ParamLayer | None = None  # a cut layer behind which the position in the weights is unknown
    for layer in file.layers:
        if layer.line not in kept_lines:
            if not _can_skip(layer):
                lost = lost or layer
            elif layer.kind != "Input" and lost is None:
                _take_weights(layer, source)
            continue
        try:
            if layer.kind == "Input":
                _input(context, layer, input_shapes, indices)
                continue
            operator = TABLE.get(layer.kind)
            if operator is None:
                raise Unsupported("there is no such layer in nnmicro")
            operator.check_operands(layer)
            if lost is not None and operator.weights(layer):
                file.fail(
                    layer.line,
                    f"the weights of {layer.kind} {layer.name!r} cannot be found: they follow those of "
                    f"{lost.kind} {lost.name!r}, and how many that has is not known",
                )
            context.weights = _take_weights(layer, source)
            if all(name in graph.tensors for name in layer.inputs):  # else behind a refused layer
                _refuse_constants(graph, layer)
                _refuse_integers(graph, layer)
                operator.build(context, layer)
        except Unsupported as reason:
            _refuse(refusals, graph, layer, str(reason))
        except (ValueError, TypeError, LookupError, ArithmeticError) as problem:
            _refuse(refusals, graph, layer, f"its operands and parameters do not fit together ({problem})")
    return graph


def _refuse(refusals: Refusals, graph: Graph, layer: ParamLayer, reason: str) -> None:
    shapes = [graph.tensor(name).shape for name in layer.inputs if name in graph.tensors]
    refusals.add(layer.kind, layer.name, f"{reason} (line {layer.line})", shapes)


def _take_weights(layer: ParamLayer, source: WeightSource) -> dict[str, np.ndarray]:
    sections = TABLE[layer.kind].weights(layer)
    what = f"{layer.kind} {layer.name!r}"
    return {section.name: source.take(section, what) for section in sections}


# Layers that take what is known before the first input as they take any blob, or that only give it another shape.
_TAKES_CONSTANTS = frozenset({"DeepCopy", "ExpandDims", "Flatten", "Noop", "Reshape", "Split", "Squeeze"})


def _refuse_constants(graph: Graph, layer: ParamLayer) -> None:
    known = [graph.tensor(name).data is not None for name in layer.inputs]
    if known and all(known) and layer.kind not in _TAKES_CONSTANTS:
        raise Unsupported("all that it is given is known (MemoryData); put what it computes into the file instead")


_TAKES_INTEGERS = frozenset({"DeepCopy", "Noop", "Split"})  # without looking at them


def _refuse_integers(graph: Graph, layer: ParamLayer) -> None:
    for name in layer.inputs:
        if graph.tensor(name).dtype == np.int8 and layer.kind not in _TAKES_INTEGERS and not term(layer):
            raise Unsupported(f"it is given {name!r}, which is int8; make that float32 (int8_scale_term 1 or 2 there)")


def _indices(file: ParamFile) -> set[str]:
    """The blobs that are looked up in tables: these are integers."""
    found: set[str] = set()
    for layer in reversed(file.layers):
        if layer.kind == "Embed" or (layer.kind == "Split" and found.intersection(layer.outputs)):
            found.update(layer.inputs)
    return found


def _input(context: Context, layer: ParamLayer, input_shapes: InputShapes, indices: set[str]) -> None:
    """Width, height and channels are parameters 0, 1 and 2; a later one that is not given is an axis less."""
    (name,) = layer.outputs
    shape = input_shapes.get(name)
    if shape is None:
        w, h, c = layer.integer(0, 0), layer.integer(1, 0), layer.integer(2, 0)
        shape = (c, h, w) if c else (h, w) if h else (w,)
        if layer.integer(11, 0):
            raise Unsupported("blobs with a depth (four axes) are not supported")
    if not 1 <= len(shape) <= 3 or any(size < 1 for size in shape):
        raise Unsupported(
            f"its shape {shape} is open; give channels, height and width (ncnn has no batch) with "
            f"--input-shape {name}=3,224,224"
        )
    context.builder.input(name, shape)
    if name in indices:
        context.builder.graph.tensor(name).dtype = np.dtype(np.int32)
