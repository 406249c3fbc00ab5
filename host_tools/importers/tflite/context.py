"""What the function that imports one TFLite operator is given: the operator, and what its operands are."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from host_tools.graph import Attr, Quantisation, axis_of
from host_tools.importers.builder import Builder, Shape
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.model_file import MAX_ELEMENTS, SourceModel, SourceOperator, SourceTensor

ORDER = "hwc"
FLOAT, INT8, INT32 = np.dtype(np.float32), np.dtype(np.int8), np.dtype(np.int32)
BLOB_TYPES = (FLOAT, INT8, INT32, np.dtype(np.uint8), np.dtype(np.int16))
_TYPE_REASONS = {
    "UINT8": "which is TFLite's older quantisation; convert the model again with int8",
    "INT16": "activations of 16 bits are not supported",
    "FLOAT16": "only constants may be; convert the model again with float32",
}
_ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
_WORD = range(-(2**31), 2**31)


class Node:
    """An operator of the file; the layers made from it are named as its output."""

    def __init__(self, operator: SourceOperator) -> None:
        self.kind = operator.kind
        self.index = operator.index
        self.inputs = operator.inputs
        self.outputs = operator.outputs
        self.intermediates = operator.intermediates
        self._options = operator.options

    @property
    def output(self) -> str:
        return self.outputs[0]

    def input(self, i: int) -> str:
        if not self.has_input(i):
            raise Unsupported(f"it has no input {i}")
        return self.inputs[i]

    def has_input(self, i: int) -> bool:
        return i < len(self.inputs) and bool(self.inputs[i])

    def integer(self, name: str, default: int | None = None) -> int:
        value = self._options.get(name, default)
        if not isinstance(value, int):
            raise Unsupported(f"its option {name} is missing")
        return int(value)

    def number(self, name: str) -> float:
        value = self._options.get(name)
        if not isinstance(value, (int, float)):
            raise Unsupported(f"its option {name} is missing")
        return float(value)

    def integers(self, name: str) -> Shape:
        value = self._options.get(name, ())
        return value if isinstance(value, tuple) else ()

    def activation(self) -> str:
        """The fused activation's name in the schema."""
        number = self.integer("FusedActivationFunction", 0)
        name = _ACTIVATIONS[number] if 0 <= number < len(_ACTIVATIONS) else f"number {number}"
        if name not in ("NONE", "RELU", "RELU_N1_TO_1", "RELU6"):
            raise Unsupported(f"its fused activation {name} is not supported")
        return name


class Context:
    """The graph under construction and the file that it is made from."""

    def __init__(self, builder: Builder, model: SourceModel, *, resized: bool) -> None:
        """`resized`: the shapes that the file states are those of another input size."""
        self.builder = builder
        self.constants = {
            name: tensor.data
            for name, tensor in model.tensors.items()
            if tensor.data is not None and tensor.dtype is not None
        }
        self._tensors = model.tensors
        self._resized = resized
        self._derived: dict[tuple[str, str], str] = {}

    # What is known about a tensor of the file

    def source(self, name: str) -> SourceTensor:
        return self._tensors[name]

    def is_constant(self, name: str) -> bool:
        return name in self.constants

    def shape(self, name: str) -> Shape:
        if name in self.constants:
            return self.constants[name].shape
        if name not in self.builder.graph.tensors:
            raise Unsupported(f"its operand {name!r} is {self._tensors[name].type_name.lower()}")
        return self.builder.graph.tensor(name).shape

    def image(self, name: str) -> Shape:
        """The shape of an operand that has to be one image: 1, h, w, c."""
        shape = self.shape(name)
        if len(shape) != 4 or shape[0] != 1:
            raise Unsupported(f"its input has shape {shape}; (1, height, width, channels) is supported")
        return shape

    def dtype(self, name: str) -> np.dtype:
        """float32 or int8; raises Unsupported for any other type."""
        data = self.constants.get(name)
        tensor = self._tensors[name]
        dtype = tensor.dtype if data is None else data.dtype
        if dtype is None or dtype not in (FLOAT, INT8):
            reason = _TYPE_REASONS.get(tensor.type_name, "only float32 and int8 are supported")
            raise Unsupported(f"{name!r} is {tensor.type_name.lower()}: {reason}")
        return dtype

    def _made(self, name: str) -> np.dtype:
        """The type of the blob for a tensor: as `dtype`, int32 for indices, which the file may have as int64, and
        float32 for truth values.
        """
        source = self._tensors[name].dtype
        if source == np.bool_:
            return FLOAT
        return INT32 if source in (INT32, np.dtype(np.int64)) else self.dtype(name)

    def is_int8(self, node: Node) -> bool:
        """Whether the operator computes in int8; raises Unsupported unless that or float32."""
        return self.dtype(node.output) == INT8

    def quantisation(self, name: str) -> tuple[float, int]:
        """Scale and zero point of an int8 tensor that has one of each."""
        found = self._tensors[name].quantisation
        if found is None:
            raise Unsupported(f"{name!r} is int8 and the file states no scale for it")
        if len(found.scales) != 1:
            raise Unsupported(f"{name!r} has {len(found.scales)} scales; only weights may have more than one")
        scale, zero = float(found.scales[0]), int(found.zero_points[0])
        if not -128 <= zero <= 127:
            raise Unsupported(f"{name!r} has the zero point {zero}, which is not an int8 value")
        return scale, zero

    def value(self, name: str, what: str) -> np.ndarray:
        """The value of a constant operand; `what` names it in the reason where it is none."""
        data = self.constants.get(name)
        if data is None:
            raise Unsupported(f"its {what} {name!r} is computed at run time; it must be a constant")
        return data

    def integers(self, node: Node, i: int, what: str) -> list[int]:
        """Constant input `i` as a list of integers."""
        data = self.value(node.input(i), what)
        if data.dtype.kind not in "iu":
            raise Unsupported(f"its {what} {node.input(i)!r} is {data.dtype}; integers are expected")
        return [int(v) for v in data.reshape(-1)]

    # What goes into the graph

    def operand(self, name: str, dtype: np.dtype) -> str:
        """The tensor for a node's input: a blob, or a constant that is added to the graph once."""
        if self.dtype(name) != dtype:
            raise Unsupported(f"its operand {name!r} is {self.dtype(name)} where {dtype} is expected")
        if name not in self.constants:
            self.shape(name)
            return name
        return self.derived(name, "", self.constants[name])

    def derived(self, name: str, change: str, data: np.ndarray) -> str:
        """A constant made from the constant `name`, once for each `change`; returns its name in the graph."""
        if (name, change) not in self._derived:
            new = self.builder.free_name(f"{name}.{change}") if change else name
            self._derived[name, change] = self._constant(new, data)
        return self._derived[name, change]

    def constant(self, base: str, data: np.ndarray) -> str:
        """A new constant of the array's own type."""
        return self._constant(self.builder.free_name(base), data)

    def _constant(self, name: str, data: np.ndarray) -> str:
        got = self.builder.graph.add_constant(name, np.ascontiguousarray(data))
        if data.dtype == INT8 and name in self._tensors:
            self.builder.graph.tensor(got).quantisation = self._tensors[name].quantisation
        return got

    def number(self, node: Node, value: float) -> str:
        """A float32 constant of one element."""
        return self.derived(node.output, f"constant {value:g}", np.array([value], np.float32))

    def emit(
        self,
        op: str,
        node: Node,
        inputs: list[str],
        shape: Shape,
        output: str | None = None,
        /,
        **attrs: Attr,
    ) -> None:
        """One layer that makes `output`, by default the node's first, which has to have this shape."""
        name = output or node.output
        stated = self._tensors[name].shape
        if stated and shape != stated and not self._resized:
            raise Unsupported(f"{name!r} should have shape {stated}, but its operands give {shape}")
        self._add(op, inputs, name, shape, attrs, self._made(name), self._tensors[name].quantisation)

    def emit_cast(self, node: Node) -> None:
        """One layer that makes the node's output, of any type that blobs have, from its first input, of any such."""
        source = self._tensors[node.output]
        dtype = INT32 if source.dtype == np.dtype(np.int64) else source.dtype
        if dtype is None or dtype not in BLOB_TYPES:
            raise Unsupported(f"{node.output!r} is {source.type_name.lower()}, which blobs cannot be")
        self._add("cast", [node.input(0)], node.output, self.shape(node.input(0)), {}, dtype, source.quantisation)

    def emit_new(
        self, op: str, node: Node, inputs: list[str], shape: Shape, like: str | None = None, /, **attrs: Attr
    ) -> str:
        """One layer whose output is a blob that the source does not have; returns its name.

        Its type and scale are those of `like`, a tensor of the file, by default the node's first output.
        """
        source = self._tensors[like or node.output]
        name = self.builder.free_name(f"{source.name}.{op}")
        return self._add(op, inputs, name, shape, attrs, self._made(source.name), source.quantisation)

    def result(
        self,
        op: str,
        node: Node,
        inputs: list[str],
        shape: Shape,
        final: Shape,
        output: str | None = None,
        /,
        **attrs: Attr,
    ) -> None:
        """One layer whose output of shape `shape` the source sees as `final`."""
        if shape == final:
            self.emit(op, node, inputs, shape, output, **attrs)
        else:
            computed = self.emit_new(op, node, inputs, shape, output, **attrs)
            self.emit("reshape", node, [computed], final, output)

    def reshaped(self, node: Node, name: str, shape: Shape) -> str:
        """A blob or constant of the graph seen with another shape."""
        tensor = self.builder.graph.tensor(name)
        if tensor.shape == shape:
            return name
        if prod(tensor.shape) != prod(shape):
            raise Unsupported(f"an operand of shape {tensor.shape} cannot be seen as {shape}")
        if tensor.data is not None:
            new = self.constant(f"{name}.reshape", tensor.data.reshape(shape))
            self.builder.graph.tensor(new).quantisation = tensor.quantisation
            return new
        new = self.builder.free_name(f"{node.output}.reshape")
        return self._add("reshape", [name], new, shape, {}, tensor.dtype, tensor.quantisation)

    def _add(
        self,
        op: str,
        inputs: list[str],
        name: str,
        shape: Shape,
        attrs: dict[str, Attr],
        dtype: np.dtype,
        quantisation: Quantisation | None,
    ) -> str:
        """One layer, named as its output."""
        if prod(shape) > MAX_ELEMENTS or any(size < 1 for size in shape):
            raise Unsupported(f"its output would have shape {shape}")
        for parameter, number in attrs.items():
            if isinstance(number, int) and number not in _WORD:
                raise Unsupported(f"its {parameter} would be {number}")
        self.builder.emit(op, name, inputs, name, shape, **attrs)
        tensor = self.builder.graph.tensor(name)
        tensor.dtype = dtype
        tensor.quantisation = quantisation if dtype == INT8 else None
        return name


def position(shape: Shape, axis: int) -> int | None:
    """A source axis as 0 (c), 1 (h) or 2 (w), None where c, h, w cannot express it."""
    try:
        return axis_of(shape, axis, ORDER)
    except ValueError:
        return None


def normal_axis(axis: int, rank: int) -> int:
    """A possibly negative axis counted from the front; raises Unsupported where there is none such."""
    if not -rank <= axis < rank:
        raise Unsupported(f"axis {axis} of a shape with {rank} axes")
    return axis % rank


Handler = Callable[[Context, Node], None]
