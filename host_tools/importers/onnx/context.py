"""What the function that imports one ONNX operator is given: the node and what is known of its operands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import NodeProto, TensorProto, helper

from host_tools.graph import Attr
from host_tools.importers.builder import Builder, Shape
from host_tools.importers.onnx.folding import Folded
from host_tools.importers.onnx.quantised.scheme import Scaled
from host_tools.importers.refusals import Unsupported


class Node:
    """An ONNX node with its attributes at hand."""

    def __init__(self, proto: NodeProto) -> None:
        self.proto = proto
        self.op = proto.op_type
        self.outputs = list(proto.output)
        self.name = proto.name or next((o for o in self.outputs if o), self.op)
        inputs = list(proto.input)
        while inputs and not inputs[-1]:  # optional inputs that are left out at the end
            inputs.pop()
        self.inputs = inputs
        self._attributes = {a.name: a for a in proto.attribute}

    @property
    def output(self) -> str:
        return str(self.outputs[0])

    def has_input(self, i: int) -> bool:
        return len(self.inputs) > i and bool(self.inputs[i])

    def has(self, name: str) -> bool:
        return name in self._attributes

    def integer(self, name: str, default: int) -> int:
        value = self._attribute(name, default)
        if not isinstance(value, int):
            raise Unsupported(f"its attribute {name} is not an integer")
        return value

    def number(self, name: str, default: float) -> float:
        value = self._attribute(name, default)
        if not isinstance(value, (int, float)):
            raise Unsupported(f"its attribute {name} is not a number")
        return value

    def integers(self, name: str, default: Shape) -> Shape:
        value = self._attribute(name, default)
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, int) for v in value):
            raise Unsupported(f"its attribute {name} is not a list of integers")
        return tuple(value)

    def numbers(self, name: str) -> tuple[float, ...]:
        value = self._attribute(name, ())
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, (int, float)) for v in value):
            raise Unsupported(f"its attribute {name} is not a list of numbers")
        return tuple(value)

    def text(self, name: str, default: str) -> str:
        value = self._attribute(name, default)
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if not isinstance(value, str):
            raise Unsupported(f"its attribute {name} is not a string")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._attribute(name, ())
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, bytes) for v in value):
            raise Unsupported(f"its attribute {name} is not a list of strings")
        return tuple(v.decode("utf-8", "replace") for v in value)

    def only_first_output(self) -> None:
        """Raises Unsupported where the node has a second output."""
        if any(self.outputs[1:]):
            raise Unsupported("its second output is used; only the first can be computed")

    def _attribute(self, name: str, default: object) -> object:
        attribute = self._attributes.get(name)
        return default if attribute is None else helper.get_attribute_value(attribute)


class Context:
    """The graph under construction and the folded model that it is made from."""

    def __init__(self, builder: Builder, folded: Folded, opset: int, outputs: list[str]) -> None:
        """`outputs`: of the model."""
        self.builder = builder
        self.opset = opset
        self._outputs = frozenset(outputs)
        self._folded = folded
        self._constants: dict[str, str] = {}

    @property
    def constants(self) -> dict[str, np.ndarray]:
        """All constants of the source by name."""
        return self._folded.constants

    def shape(self, name: str) -> Shape:
        """The ONNX shape of a blob or constant; that of the graph for a blob that the source does not
        have.
        """
        shape = self._folded.shapes.get(name)
        if shape is None and name in self.builder.graph.tensors:
            return self.builder.graph.tensor(name).shape
        if shape is None:
            detail = self._folded.inference_error.strip().splitlines()
            raise Unsupported(f"the shape of {name!r} cannot be inferred" + (f" ({detail[-1]})" if detail else ""))
        if any(size < 1 for size in shape):
            raise Unsupported(f"{name!r} is empty: its shape is {shape}")
        return shape

    def elem_type(self, name: str) -> int:
        """ONNX's number of a tensor's type, UNDEFINED where it is not known."""
        return self._folded.types.get(name, int(TensorProto.UNDEFINED))

    def is_read(self, name: str) -> bool:
        """Whether a node takes the blob, or the model's user."""
        return name in self._outputs or any(name in node.input for node in self._folded.nodes)

    def is_constant(self, name: str) -> bool:
        return name in self._folded.constants

    def value(self, name: str, what: str) -> np.ndarray:
        """The value of a constant operand; `what` names it in the reason where it is none."""
        data = self._folded.constants.get(name)
        if data is None:
            raise Unsupported(f"its {what} {name!r} is computed at run time; it must be a constant")
        return data

    def scaled(self, name: str) -> Scaled | None:
        """The integers behind a constant that the source stores quantised."""
        return self._folded.scaled.get(name)

    def integers(self, node: Node, i: int, what: str) -> list[int]:
        """Constant input `i` as a list of integers."""
        return [int(v) for v in self.value(node.inputs[i], what).reshape(-1)]

    def operand(self, name: str) -> str:
        """The tensor for a node's input: a blob, or a float32 constant that is added to the graph once."""
        if not self.is_constant(name):
            return name
        if name not in self._constants:
            data = self._folded.constants[name]
            if data.dtype == np.bool_:
                data = data.astype(np.float32)
            if data.dtype != np.float32:
                raise Unsupported(f"its operand {name!r} is {data.dtype}; only float32 is supported")
            self._constants[name] = self.builder.graph.add_constant(name, np.ascontiguousarray(data))
        return self._constants[name]

    def integer_constant(self, base: str, data: np.ndarray) -> str:
        """A new constant of the array's own type, named `base` or like it; returns its name."""
        return self.builder.graph.add_constant(self.builder.free_name(base), np.ascontiguousarray(data))

    def emit(self, op: str, node: Node, inputs: list[str], **attrs: Attr) -> None:
        """One layer that makes the node's first output."""
        self.builder.emit(op, node.name, inputs, node.output, self.shape(node.output), **attrs)

    def emit_new(self, op: str, node: Node, inputs: list[str], shape: Shape, **attrs: Attr) -> str:
        """One layer whose output is a blob that the source does not have; returns its name."""
        return self.builder.emit(op, node.name, inputs, None, shape, **attrs)

    def reshaped(self, node: Node, name: str, shape: Shape) -> str:
        """An operand seen with another shape."""
        return self.builder.reshaped(node.name, self.operand(name), shape)


Handler = Callable[[Context, Node], None]
