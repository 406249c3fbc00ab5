"""TFLite, int8 and float32: one small function for each operator, found through `operators.TABLE`.

Shapes and the order of elements stay the file's: batch, height, width, channels. The integer parameters of
int8 layers come from `host_tools.quantised`.
"""

from __future__ import annotations

from difflib import get_close_matches
from math import prod
from pathlib import Path

import numpy as np

from host_tools.graph import ConversionError, Graph
from host_tools.importers.builder import Builder
from host_tools.importers.refusals import Refusals, Unsupported
from host_tools.importers.tflite import model_file
from host_tools.importers.tflite.context import INT8, ORDER, Context, Node
from host_tools.importers.tflite.folding import FOLDERS, fold
from host_tools.importers.tflite.model_file import SourceModel, SourceOperator, SourceTensor
from host_tools.importers.tflite.operators import FLOAT_ONLY, TABLE, choosing

InputShapes = dict[str, tuple[int, ...]]

# Which have variables for what they remember.
_RECURRENT = ("SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM")
# Whose inputs and outputs differ in type.
_CROSSING = frozenset(
    "ARG_MAX ARG_MIN CAST DEQUANTIZE GATHER LOGICAL_NOT QUANTIZE SELECT SELECT_V2 TOPK_V2".split()
).union(choosing.COMPARISONS, choosing.LOGIC)


def load(path: Path, input_shapes: InputShapes, outputs: list[str] | None) -> Graph:
    """The graph of a TFLite file; raises ConversionError."""
    model = model_file.read(path)
    if outputs is not None:
        _cut(path, model, outputs)
    shapes = _pinned_inputs(path, model, input_shapes)
    graph = Graph(path.stem, order=ORDER)
    resized = any(shape != model.tensors[name].shape for name, shape in shapes.items())
    context = Context(Builder(graph, model.tensors), model, resized=resized)
    for name, shape in shapes.items():
        _add_input(path, graph, model.tensors[name], shape)
    _add_layers(path, model, context)
    for name in model.outputs:
        if name not in graph.tensors or name in graph.states or graph.tensor(name).data is not None:
            raise ConversionError(f"{path.name}: output {name!r} does not depend on any input")
        graph.outputs.append(name)
    if not graph.inputs or not graph.outputs:
        raise ConversionError(f"{path.name}: the model has no {'outputs' if graph.inputs else 'inputs'}")
    return graph


def _pinned_inputs(path: Path, model: SourceModel, input_shapes: InputShapes) -> InputShapes:
    """A fixed shape for every input: the caller's, else the file's with an open batch dimension set to 1."""
    for name in input_shapes:
        if name not in model.inputs:
            raise ConversionError(f"{path.name}: no input is named {name!r}; the inputs are {', '.join(model.inputs)}")
    shapes = {}
    for name in model.inputs:
        tensor = model.tensors[name]
        if name not in input_shapes and any(axis != 0 for axis in tensor.open_axes):
            sizes = ["?" if axis in tensor.open_axes else str(size) for axis, size in enumerate(tensor.shape)]
            wanted = ",".join(["1" if 0 in tensor.open_axes else sizes[0], *sizes[1:]])
            raise ConversionError(
                f"{path.name}: input {name!r} has the open shape ({','.join(sizes)}); fix it with "
                f"--input-shape {name}={wanted}"
            )
        shapes[name] = tuple(input_shapes.get(name, tensor.shape))
        if any(size < 1 for size in shapes[name]) or prod(shapes[name]) > model_file.MAX_ELEMENTS:
            raise ConversionError(f"{path.name}: input {name!r} cannot have shape {shapes[name]}")
    return shapes


def _add_input(path: Path, graph: Graph, tensor: SourceTensor, shape: tuple[int, ...]) -> None:
    if tensor.dtype is None:
        raise ConversionError(f"{path.name}: input {tensor.name!r} is {tensor.type_name.lower()}")
    added = graph.add_tensor(tensor.name, shape)
    added.dtype = tensor.dtype
    added.quantisation = tensor.quantisation if tensor.dtype == INT8 else None
    graph.inputs.append(tensor.name)


def _cut(path: Path, model: SourceModel, outputs: list[str]) -> None:
    """Ends the graph at the blobs in `outputs` and drops the operators that only others need."""
    makers = {name: operator for operator in model.operators for name in operator.outputs}
    for name in outputs:
        if name not in makers:
            near = get_close_matches(name, makers, n=3, cutoff=0.3)
            hint = f"; near names are {', '.join(near)}" if near else ""
            raise ConversionError(f"{path.name}: no operator makes a blob named {name!r}{hint}")
    needed = set(outputs)
    kept = []
    for operator in reversed(model.operators):
        if needed.intersection(operator.outputs):
            needed.update(operator.inputs)
            kept.append(operator)
    model.operators = kept[::-1]
    model.outputs = list(dict.fromkeys(outputs))


def _add_layers(path: Path, model: SourceModel, context: Context) -> None:
    """Raises ConversionError with every operator that cannot be imported."""
    refusals = Refusals(path)
    # Behind a refused operator nothing is known; only what would be refused anyway is worth a line.
    unknown: set[str] = set()
    for operator in model.operators:
        try:
            if operator.kind not in TABLE and operator.kind not in FOLDERS:
                raise Unsupported("there is no such layer in nnmicro")
            if unknown.intersection(operator.inputs):
                unknown.update(operator.outputs)
                continue
            with np.errstate(all="ignore"):  # a result that is no number is refused, not warned about
                _add_operator(model, context, operator)
        except Unsupported as reason:
            _refuse(refusals, model, operator, str(reason))
            unknown.update(operator.outputs)
        except (ValueError, TypeError, LookupError, ArithmeticError) as problem:
            _refuse(refusals, model, operator, f"its operands and options do not fit together ({problem})")
            unknown.update(operator.outputs)
    refusals.raise_if_any()


def _refuse(refusals: Refusals, model: SourceModel, operator: SourceOperator, reason: str) -> None:
    shapes = [model.tensors[name].shape for name in operator.inputs if name]
    refusals.add(operator.kind, operator.outputs[0], reason, shapes, f"operator {operator.index}")


def _add_operator(model: SourceModel, context: Context, operator: SourceOperator) -> None:
    node = Node(operator)
    variables = [name for name in operator.inputs if name and model.tensors[name].variable]
    if variables and operator.kind not in _RECURRENT:
        raise Unsupported(f"it keeps a state ({variables[0]!r}) from one inference to the next")
    if fold(context, node):
        return
    if operator.kind in FLOAT_ONLY and model.tensors[node.output].dtype == INT8:
        raise Unsupported("it is not supported in int8")
    if operator.kind not in TABLE:
        raise Unsupported("it is supported only where its result is the same for every input")
    known = [*context.constants, *variables]
    blobs = [name for name in operator.inputs if name and name not in known]
    if not blobs:
        raise Unsupported("all its inputs are constants, and it is not computed while converting")
    for name in blobs if operator.kind not in _CROSSING else ():
        if context.dtype(name) != context.dtype(node.output):
            raise Unsupported(f"its input {name!r} and its output {node.output!r} have different types")
    TABLE[operator.kind](context, node)
