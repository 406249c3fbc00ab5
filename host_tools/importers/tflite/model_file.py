"""Reads a TFLite file into plain Python objects, every index, length and shape in it checked.

Nothing behind this module touches the flatbuffer: a damaged file is found out here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite, prod
from pathlib import Path
from typing import Any

import numpy as np
import tflite
import tflite.utils

from host_tools.graph import ConversionError, Quantisation
from host_tools.importers.tflite.names import tensor_names

Option = int | float | bool | tuple[int, ...]

# What the flatbuffer reader raises for offsets and lengths that lead out of the file.
_READER_ERRORS = (struct.error, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
# No board holds more; a damaged file must not exhaust the host.
MAX_ELEMENTS = 1 << 26
_MAX_AXES = 8
_IDENTIFIER = b"TFL3"
_CUSTOM = 32  # BuiltinOperator.CUSTOM
_OLD_CODES = 127  # an operator of this number and above has it in a wider field
_DTYPES = {
    name: np.dtype(name.lower())
    for name in "FLOAT16 FLOAT32 FLOAT64 INT8 INT16 INT32 INT64 UINT8 UINT16 UINT32".split()
} | {"BOOL": np.dtype(np.bool_)}


class Damaged(Exception):
    """The file says something that cannot be; the text is the end of a sentence."""


def _names(enumeration: type) -> dict[int, str]:
    return {number: name for name, number in vars(enumeration).items() if isinstance(number, int)}


_OPTION_NAMES = _names(tflite.BuiltinOptions)
_TYPE_NAMES = _names(tflite.TensorType)


@dataclass
class SourceTensor:
    """A tensor of the file.

    `dtype` is None for a type that numpy does not have and for sparse storage, `data` for a computed tensor.
    """

    name: str
    shape: tuple[int, ...]
    open_axes: tuple[int, ...]  # axes whose size the file leaves to the caller; `shape` has 1 there
    type_name: str
    dtype: np.dtype | None
    data: np.ndarray | None
    quantisation: Quantisation | None
    variable: bool


@dataclass
class SourceOperator:
    """An operator; operands are tensor names, "" where an optional one is left out."""

    index: int
    kind: str
    inputs: list[str]
    outputs: list[str]
    options: dict[str, Option]
    intermediates: list[str]  # tensors that say what scales the results inside the operator have


@dataclass
class SourceModel:
    tensors: dict[str, SourceTensor]
    operators: list[SourceOperator]
    inputs: list[str]
    outputs: list[str]


def read(path: Path) -> SourceModel:
    """The main graph of the model in the file; raises ConversionError."""
    return parse(path.read_bytes(), path.name)


def parse(content: bytes, title: str) -> SourceModel:
    """The main graph of the model that a file called `title` holds; raises ConversionError."""
    if content[4:8] != _IDENTIFIER:
        raise ConversionError(f"{title}: not a TFLite model: {_IDENTIFIER.decode()} is not at byte 4")
    try:
        return _Reader(content).model()
    except Damaged as problem:
        raise ConversionError(f"{title}: a damaged TFLite file: {problem}") from problem
    except _READER_ERRORS as problem:
        raise ConversionError(f"{title}: a damaged or incomplete TFLite file ({problem})") from problem


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._model = tflite.Model.GetRootAs(content, 0)

    def model(self) -> SourceModel:
        if self._model.SubgraphsIsNone() or self._model.SubgraphsLength() < 1:
            raise Damaged("it has no graph")
        graph = self._model.Subgraphs(0)
        sources = list(self._items("tensors", graph.TensorsLength(), graph.Tensors))
        buffers = list(self._items("buffers", self._model.BuffersLength(), self._model.Buffers))
        names = tensor_names(
            [self._name(source) for source in sources], [_filled(source, buffers) for source in sources]
        )
        tensors = {name: self._tensor(source, name, buffers) for name, source in zip(names, sources, strict=True)}
        codes = self._items("operator codes", self._model.OperatorCodesLength(), self._model.OperatorCodes)
        kinds = [self._kind(code) for code in codes]
        found = self._items("operators", graph.OperatorsLength(), graph.Operators)
        operators = [self._operator(i, operator, kinds, names) for i, operator in enumerate(found)]
        inputs = self._operands(graph, "Inputs", names, optional=False)
        outputs = self._operands(graph, "Outputs", names, optional=False)
        if not operators:
            raise Damaged("it has no operators")
        model = SourceModel(tensors, operators, list(dict.fromkeys(inputs)), list(dict.fromkeys(outputs)))
        _check_order(model)
        return model

    def _items(self, what: str, count: int, item: Callable[[int], Any]) -> Iterator[Any]:
        """The tables of a vector, whose length is first checked: each takes four bytes at least."""
        if count * 4 > len(self._content):
            raise Damaged(f"it announces {count} {what}, more than fit into it")
        return (item(i) for i in range(count))

    @staticmethod
    def _name(source: Any) -> str:
        return (source.Name() or b"").decode("utf-8", "backslashreplace")

    def _kind(self, code: Any) -> str:
        number = code.DeprecatedBuiltinCode()
        if number >= _OLD_CODES or code.BuiltinCode() > number:
            number = code.BuiltinCode()
        if number == _CUSTOM:
            return f"CUSTOM {(code.CustomCode() or b'').decode('utf-8', 'backslashreplace')}".rstrip()
        return str(tflite.utils.BUILTIN_OPCODE2NAME.get(number, f"operator number {number}"))

    def _operator(self, index: int, source: Any, kinds: list[str], names: list[str]) -> SourceOperator:
        code = source.OpcodeIndex()
        if not 0 <= code < len(kinds):
            raise Damaged(f"operator {index} is of kind {code}, and there are {len(kinds)} kinds")
        inputs = self._operands(source, "Inputs", names, optional=True)
        outputs = self._operands(source, "Outputs", names, optional=False)
        if not outputs:
            raise Damaged(f"operator {index} ({kinds[code]}) has no output")
        between = self._operands(source, "Intermediates", names, optional=False)
        return SourceOperator(index, kinds[code], inputs, outputs, _options(source), between)

    @staticmethod
    def _operands(source: Any, which: str, names: list[str], *, optional: bool) -> list[str]:
        indices = _integers(getattr(source, which + "AsNumpy")())
        for i in indices:
            if not (0 <= i < len(names) or (optional and i == -1)):
                raise Damaged(f"it refers to tensor {i}, and there are {len(names)}")
        return [names[i] if i >= 0 else "" for i in indices]

    def _tensor(self, source: Any, name: str, buffers: list[Any]) -> SourceTensor:
        shape = _integers(source.ShapeAsNumpy())
        signature = _integers(source.ShapeSignatureAsNumpy())
        if len(shape) > _MAX_AXES or any(size < -1 for size in shape) or prod(map(abs, shape)) > MAX_ELEMENTS:
            raise Damaged(f"tensor {name!r} has shape {shape}")
        stated = signature if len(signature) == len(shape) else shape
        open_axes = tuple(i for i, size in enumerate(stated) if size < 0)
        shape = tuple(1 if size < 0 else size for size in shape)
        type_name = _TYPE_NAMES.get(source.Type(), f"type number {source.Type()}")
        dtype = _DTYPES.get(type_name)
        if source.Sparsity() is not None:
            type_name, dtype = f"sparse {type_name}", None
        number = source.Buffer()
        if not 0 <= number < len(buffers):
            raise Damaged(f"tensor {name!r} refers to buffer {number}, and there are {len(buffers)}")
        data = self._data(name, buffers[number], shape, dtype) if number else None
        integer = dtype is not None and dtype.kind in "iu"
        quantisation = _quantisation(name, source.Quantization(), shape) if integer else None
        return SourceTensor(name, shape, open_axes, type_name, dtype, data, quantisation, bool(source.IsVariable()))

    def _data(self, name: str, buffer: Any, shape: tuple[int, ...], dtype: np.dtype | None) -> np.ndarray | None:
        """A constant's value, or its bytes where numpy lacks the type; None for an empty buffer, a blob's."""
        if buffer.Offset() > 1:  # behind the flatbuffer, in large files
            start, size = buffer.Offset(), buffer.Size()
            content: Any = np.frombuffer(self._content, np.uint8)[start : start + size]
        else:
            content = buffer.DataAsNumpy() if buffer.DataLength() else np.zeros(0, np.uint8)
        count = prod(shape)
        if not len(content) and count:
            return None
        if dtype is None:
            return np.frombuffer(content.tobytes(), np.uint8)
        if len(content) != count * dtype.itemsize:
            raise Damaged(f"constant {name!r} of shape {shape} and type {dtype} has {len(content)} bytes")
        return np.frombuffer(content.tobytes(), dtype.newbyteorder("<")).astype(dtype).reshape(shape)


def _integers(values: Any) -> tuple[int, ...]:
    """A vector that the reader gives as an array, or as 0 where the file leaves it out."""
    return tuple(int(v) for v in values) if isinstance(values, np.ndarray) else ()


def _filled(source: Any, buffers: list[Any]) -> bool:
    """Whether the file has the tensor's values."""
    number = source.Buffer()
    return 0 <= number < len(buffers) and not buffers[number].DataIsNone()


def _quantisation(name: str, source: Any, shape: tuple[int, ...]) -> Quantisation | None:
    if source is None or not source.ScaleLength():
        return None
    scales = np.array(source.ScaleAsNumpy(), np.float32)
    stated = source.ZeroPointAsNumpy() if source.ZeroPointLength() else np.zeros(len(scales))
    zeros = np.array(stated, np.int64)
    if not all(isfinite(s) and s > 0 for s in scales):
        raise Damaged(f"tensor {name!r} has a scale that is not a positive number")
    if len(zeros) not in (1, len(scales)) or any(abs(int(z)) > 0x7FFFFFFF for z in zeros):
        raise Damaged(f"tensor {name!r} has {len(scales)} scales and the zero points {zeros[:4].tolist()}")
    zeros = np.broadcast_to(zeros, scales.shape).astype(np.int32)
    if len(scales) == 1:
        return Quantisation(scales, zeros)
    axis = int(source.QuantizedDimension())
    if not 0 <= axis < len(shape) or shape[axis] != len(scales):
        raise Damaged(f"tensor {name!r} of shape {shape} has {len(scales)} scales along axis {axis}")
    return Quantisation(scales, zeros, axis)


def _options(operator: Any) -> dict[str, Option]:
    """The fields of the operator's options by their names in the schema; tables and strings are left out."""
    kind, source = _OPTION_NAMES.get(operator.BuiltinOptionsType()), operator.BuiltinOptions()
    if kind in (None, "NONE") or source is None:
        return {}
    table = getattr(tflite, str(kind))()
    table.Init(source.Bytes, source.Pos)
    options: dict[str, Option] = {}
    for name, method in vars(type(table)).items():
        if not callable(method) or method.__code__.co_argcount != 1 or name.endswith(("Length", "IsNone")):
            continue
        value = method(table)
        if name.endswith("AsNumpy"):
            if getattr(value, "dtype", np.dtype(np.int32)).kind in "iu":
                options[name.removesuffix("AsNumpy")] = _integers(value)
        elif isinstance(value, (bool, int, float)):
            options[name] = value
    return options


def _check_order(model: SourceModel) -> None:
    """Every tensor is made once, and before it is read; constants and inputs are not made."""
    made = {name for name, tensor in model.tensors.items() if tensor.data is not None or tensor.variable}
    for name in model.inputs:
        if name in made:
            raise Damaged(f"the input {name!r} is a constant or a variable")
        made.add(name)
    for operator in model.operators:
        where = f"operator {operator.index} ({operator.kind})"
        for name in operator.inputs:
            if name and name not in made:
                raise Damaged(f"{where} reads {name!r}, which nothing before it makes")
        for name in operator.outputs:
            if name in made:
                raise Damaged(f"{where} makes {name!r}, which is there already")
            made.add(name)
