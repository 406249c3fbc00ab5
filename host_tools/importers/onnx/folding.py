"""Shapes of all blobs, and the values of those that do not depend on an input.

Done here with onnx's own shape inference and reference evaluator, not with a graph simplifier: those
(onnxslim was tried, also with every fusion switched off) drop Dropout and Identity nodes and rename blobs,
and a converted model must keep the names of its source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np
import onnx
import onnx.checker
import onnx.shape_inference
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from host_tools.graph import ConversionError
from host_tools.importers.onnx.model_file import is_registered, opset_of
from host_tools.importers.onnx.quantised.scheme import Scaled, scaled_constant
from host_tools.importers.refusals import Unsupported

# A constant larger than this is left alone: no board holds it, and a damaged file must not exhaust the host.
_MAX_ELEMENTS = 1 << 26
# Operators of this kind that shape inference does not know, or not always.
_SHAPED_AS_INPUT = ("GroupNormalization", "MeanVarianceNormalization")
# What the reference evaluator raises when operands do not fit or an operator lacks an implementation.
EVALUATION_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass
class Folded:
    """A model whose constant parts are values."""

    nodes: list[NodeProto]
    constants: dict[str, np.ndarray]
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    inference_error: str = ""
    # Constants that came out of a DequantizeLinear, as the integers that went in.
    scaled: dict[str, Scaled] = field(default_factory=dict)


def fold(name: str, model: ModelProto) -> Folded:
    """Folds until nothing changes: a folded shape computation lets inference find the shapes behind it.

    Raises ConversionError where a stored constant is damaged. Shapes that inference cannot find are left out.
    """
    if model.graph.sparse_initializer:
        raise ConversionError(f"{name}: sparse weights are not supported; store them dense")
    try:
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    except (ValueError, TypeError, AttributeError, KeyError) as problem:
        raise ConversionError(f"{name}: a weight's stored data does not fit its shape and type: {problem}") from problem
    opset = opset_of(model)
    work = ModelProto()
    work.CopyFrom(model)
    # Up to 3 an initializer has to be an input as well, and shape inference passes over the folded ones, which are not.
    work.ir_version = max(work.ir_version, 4)
    scaled: dict[str, Scaled] = {}
    while True:
        folded = Folded([], constants, scaled=scaled)
        _infer(work, folded)
        if _add_shapes(work, folded):
            continue
        for node in work.graph.node:
            if not (is_registered(node, opset) and _fold_node(node, folded, opset)):
                folded.nodes.append(node)
        if len(folded.nodes) == len(work.graph.node):
            return folded
        new = {o for node in work.graph.node for o in node.output if o in constants}
        work.graph.initializer.extend(numpy_helper.from_array(constants[o], o) for o in sorted(new))
        kept = [NodeProto.FromString(node.SerializeToString()) for node in folded.nodes]
        del work.graph.node[:]
        work.graph.node.extend(kept)


def _add_shapes(model: ModelProto, folded: Folded) -> bool:
    """States the shapes of what inference does not know, but which is shaped as its input; whether there are any."""
    found = False
    for node in model.graph.node:
        if (
            node.op_type not in _SHAPED_AS_INPUT
            or not (node.input and node.output)
            or node.output[0] in folded.shapes
            or node.input[0] not in folded.shapes
        ):
            continue
        kind, shape = folded.types[node.input[0]], folded.shapes[node.input[0]]
        for value in model.graph.output:
            if value.name == node.output[0]:
                value.CopyFrom(helper.make_tensor_value_info(value.name, kind, shape))
                break
        else:
            model.graph.value_info.append(helper.make_tensor_value_info(node.output[0], kind, shape))
        found = True
    return found


def _infer(model: ModelProto, folded: Folded) -> None:
    """Fills `folded.shapes` and `folded.types` with what onnx's shape inference finds."""
    inferred = model
    try:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except (
        onnx.shape_inference.InferenceError,
        onnx.checker.ValidationError,
        RuntimeError,
        ValueError,
        TypeError,
    ) as problem:
        folded.inference_error = str(problem)
        try:  # without strictness it goes on behind what it does not know
            inferred = onnx.shape_inference.infer_shapes(model, strict_mode=False, data_prop=True)
        except (
            onnx.shape_inference.InferenceError,
            onnx.checker.ValidationError,
            RuntimeError,
            ValueError,
            TypeError,
        ):
            pass
    for value in [*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output]:
        tensor = value.type.tensor_type
        folded.types[value.name] = tensor.elem_type
        if tensor.HasField("shape") and all(dim.WhichOneof("value") == "dim_value" for dim in tensor.shape.dim):
            folded.shapes[value.name] = tuple(dim.dim_value for dim in tensor.shape.dim)
    for name, data in folded.constants.items():
        folded.shapes[name] = data.shape
        folded.types[name] = helper.np_dtype_to_tensor_dtype(data.dtype)


def _fold_node(node: NodeProto, folded: Folded, opset: int) -> bool:
    """Puts the node's outputs among the constants if they can be computed now."""
    if node.op_type in ("Shape", "Size") and node.input[0] in folded.shapes:
        shape = folded.shapes[node.input[0]]
        bounds = {a.name: a.i for a in node.attribute}
        part = shape[bounds.get("start", 0) : bounds.get("end", len(shape))]
        folded.constants[node.output[0]] = np.array(part if node.op_type == "Shape" else prod(shape), dtype=np.int64)
        return True
    if node.op_type == "CastLike" and node.input[0] in folded.constants and folded.types.get(node.input[1], 0):
        # Only the type of its second input counts, which need not be a constant.
        dtype = helper.tensor_dtype_to_np_dtype(folded.types[node.input[1]])
        folded.constants[node.output[0]] = folded.constants[node.input[0]].astype(dtype)
        return True
    if not all(name in folded.constants for name in node.input if name) or _must_run(node):
        return False
    if any(prod(folded.shapes.get(name, ())) > _MAX_ELEMENTS for name in node.output):
        return False
    try:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            return _fold_quantisation(node, folded)
        values = evaluate(node, folded.constants, opset)
    except (*EVALUATION_ERRORS, Unsupported):
        return False
    if not all(isinstance(value, np.ndarray | np.generic) for value in values):
        return False
    for name, value in zip((o for o in node.output if o), values, strict=True):
        folded.constants[name] = np.asarray(value)
    return True


def _fold_quantisation(node: NodeProto, folded: Folded) -> bool:
    """Also notes the integers behind a dequantised constant. uint8 numbers stay as the source has them."""
    made = scaled_constant(node, folded.constants)
    if node.op_type == "DequantizeLinear":
        folded.scaled[node.output[0]] = made
        folded.constants[node.output[0]] = made.dequantised()
        return True
    operands = [*node.input, "", ""]
    unsigned = not operands[2] or folded.constants[operands[2]].dtype == np.uint8
    if unsigned and any(a.name == "output_dtype" and a.i for a in node.attribute):
        return False
    data = (made.data.astype(np.int16) + 128).astype(np.uint8) if unsigned else made.data
    folded.constants[node.output[0]] = data
    return True


def _must_run(node: NodeProto) -> bool:
    """Operators whose result is not a function of their inputs, or that hold whole graphs."""
    random = node.op_type.startswith("Random") or node.op_type in ("Multinomial", "Bernoulli")
    return random or any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for a in node.attribute)


def evaluate(node: NodeProto, constants: dict[str, np.ndarray], opset: int) -> list[object]:
    """What onnx's reference evaluator computes; raises whatever it raises where operands do not fit."""
    from onnx.reference import ReferenceEvaluator

    feeds = {name: constants[name] for name in node.input if name}
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(data.dtype), data.shape)
        for name, data in feeds.items()
    ]
    outputs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.output if name]
    graph = helper.make_graph([node], "constant", inputs, outputs)
    evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]))
    return list(evaluator.run(None, feeds))
