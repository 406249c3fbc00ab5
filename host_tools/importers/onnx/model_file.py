"""Reads an ONNX file, pins its inputs to fixed shapes and cuts it to the outputs that are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import onnx
import onnx.checker
import onnx.defs
import onnx.inliner
from google.protobuf.message import DecodeError
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

from host_tools.graph import ConversionError

OLDEST_OPSET = 7
_INPUT_TYPES = (TensorProto.FLOAT, TensorProto.INT8, TensorProto.UINT8, TensorProto.INT32, TensorProto.INT64)
_UNREGISTERED = "nnmicro.unregistered"


def read(path: Path) -> ModelProto:
    """The model in the file, its functions inlined, checked to be well-formed; raises ConversionError."""
    try:
        model = onnx.load(path)
    except (onnx.checker.ValidationError, OSError) as problem:
        raise ConversionError(f"{path.name}: a file of external weights cannot be read: {problem}") from problem
    except (DecodeError, UnicodeDecodeError, ValueError, TypeError) as problem:
        raise ConversionError(f"{path.name}: not a complete ONNX file ({problem})") from problem
    if not model.graph.node:
        raise ConversionError(f"{path.name}: not an ONNX model, or one without layers")
    _check_texts(path, model)
    _check_opset(path, model)
    try:
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        onnx.checker.check_model(_checkable(model))
    except (onnx.checker.ValidationError, UnicodeDecodeError, RuntimeError, ValueError, TypeError) as problem:
        raise ConversionError(f"{path.name}: a malformed ONNX model: {problem}") from problem
    return model


def opset_of(model: ModelProto) -> int:
    """The version of ONNX's own operators that the model uses; 0 where it does not say."""
    return max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)


def type_name(elem_type: int) -> str:
    """ONNX's name of an element type."""
    known = elem_type in TensorProto.DataType.values() and elem_type != TensorProto.UNDEFINED
    return TensorProto.DataType.Name(elem_type) if known else f"of the unknown type {elem_type}"


def is_registered(node: NodeProto, opset: int) -> bool:
    """Whether `node` is one of ONNX's own operators, of a version that the installed onnx package knows."""
    return node.domain in ("", "ai.onnx") and onnx.defs.has(node.op_type, max_inclusive_version=opset)


def _check_texts(path: Path, model: ModelProto) -> None:
    """Raises ConversionError for a name that is not UTF-8: protobuf gives bytes, or refuses to give it."""
    try:
        broken = next((text for text in _texts(model) if not isinstance(text, str)), None)
    except UnicodeDecodeError as problem:
        broken = problem.object
    if broken is not None:
        raise ConversionError(f"{path.name}: a damaged ONNX file: the name {broken!r} is not valid UTF-8")


def _texts(model: ModelProto) -> Iterator[object]:
    for opset in model.opset_import:
        yield opset.domain
    for named in [*model.graph.input, *model.graph.output, *model.graph.initializer]:
        yield named.name
    for node in model.graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name


def _check_opset(path: Path, model: ModelProto) -> None:
    opset, newest = opset_of(model), onnx.defs.onnx_opset_version()
    if opset > newest:
        raise ConversionError(
            f"{path.name}: made for opset {opset}; the installed onnx package knows opsets up to {newest}: upgrade it"
        )
    if opset < OLDEST_OPSET:
        raise ConversionError(
            f"{path.name}: made for opset {opset}; nnmicro reads {OLDEST_OPSET} and newer: export the model "
            "again, or run onnx.version_converter on it"
        )


def _checkable(model: ModelProto) -> ModelProto:
    """A copy with unknown operators in a domain of their own, and with a shape for every output.

    The checker stops at the first unknown operator; they are reported later, all at once. Shapes are inferred
    anyway.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    opset = opset_of(model)
    for node in copy.graph.node:
        if not is_registered(node, opset):
            node.domain = _UNREGISTERED
    for value in [*copy.graph.input, *copy.graph.output]:
        if value.type.WhichOneof("value") == "tensor_type":
            value.type.tensor_type.shape.SetInParent()
    del copy.opset_import[:]
    copy.opset_import.extend([onnx.helper.make_opsetid("", opset), onnx.helper.make_opsetid(_UNREGISTERED, 1)])
    return copy


def true_inputs(model: ModelProto) -> list[ValueInfoProto]:
    """The graph's inputs without the initializers that older files list among them."""
    initialized = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in initialized]


def pin_inputs(path: Path, model: ModelProto, input_shapes: dict[str, tuple[int, ...]]) -> None:
    """Gives every input a fixed shape: the caller's, else the file's with an open batch dimension set to 1.

    Shapes that the file states for other blobs are dropped, since they may be those of another input size.
    """
    inputs = true_inputs(model)
    if not inputs:
        raise ConversionError(f"{path.name}: the model has no inputs")
    names = [value.name for value in inputs]
    for name in input_shapes:
        if name not in names:
            raise ConversionError(f"{path.name}: no input is named {name!r}; the inputs are {', '.join(names)}")
    for value in inputs:
        if value.type.WhichOneof("value") != "tensor_type":
            raise ConversionError(f"{path.name}: input {value.name!r} is not a tensor")
        tensor = value.type.tensor_type
        if tensor.elem_type not in _INPUT_TYPES:
            raise ConversionError(
                f"{path.name}: input {value.name!r} is {type_name(tensor.elem_type)}; nnmicro imports "
                "float32 models, also with indices (int32, int64), and quantised ones whose inputs are int8 or uint8"
            )
        shape = input_shapes.get(value.name) or _stated_shape(path, value)
        if any(size < 1 for size in shape):
            raise ConversionError(f"{path.name}: input {value.name!r} cannot have shape {shape}")
        tensor.shape.CopyFrom(onnx.TensorShapeProto(dim=[onnx.TensorShapeProto.Dimension(dim_value=d) for d in shape]))
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.ClearField("type")


def _stated_shape(path: Path, value: ValueInfoProto) -> tuple[int, ...]:
    shape: list[int] = []
    tensor = value.type.tensor_type
    dims = list(tensor.shape.dim) if tensor.HasField("shape") else []
    for i, dim in enumerate(dims):
        if dim.WhichOneof("value") == "dim_value" and dim.dim_value > 0:
            shape.append(dim.dim_value)
        elif i == 0:
            shape.append(1)  # an open first dimension is the batch
        else:
            stated = ",".join(str(d.dim_value) if d.dim_value else d.dim_param or "?" for d in dims)
            raise ConversionError(
                f"{path.name}: input {value.name!r} has the open shape ({stated}); fix it with "
                f"--input-shape {value.name}="
                + ",".join(str(d.dim_value or "?") if j else "1" for j, d in enumerate(dims))
            )
    if not dims:
        raise ConversionError(
            f"{path.name}: input {value.name!r} has no stated shape; give it with --input-shape {value.name}=1,..."
        )
    return tuple(shape)


def cut(path: Path, model: ModelProto, outputs: list[str]) -> None:
    """Ends the graph at the blobs in `outputs` and drops the nodes that only others need."""
    producer = {name: node for node in model.graph.node for name in node.output if name}
    for name in outputs:
        if name not in producer:
            near = get_close_matches(name, producer, n=3, cutoff=0.3)
            hint = f"; near names are {', '.join(near)}" if near else ""
            raise ConversionError(f"{path.name}: no layer makes a blob named {name!r}{hint}")
    needed: set[str] = set()
    pending = list(outputs)
    while pending:
        name = pending.pop()
        if name in needed or name not in producer:
            continue
        needed.update(producer[name].output)
        pending.extend(_names_read(producer[name]))
    kept = [node for node in model.graph.node if needed.intersection(node.output)]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    del model.graph.output[:]
    model.graph.output.extend(ValueInfoProto(name=name) for name in outputs)
    read_by_kept = {name for node in kept for name in _names_read(node)}
    unread = [value for value in true_inputs(model) if value.name not in read_by_kept]
    for value in unread:
        model.graph.input.remove(value)


def _names_read(node: NodeProto) -> list[str]:
    """What a node reads, also from inside its subgraphs."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs]:
            for inner in graph.node:
                names.extend(_names_read(inner))
    return names
