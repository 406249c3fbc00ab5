"""Finds what a quantised model says in several nodes and the engine computes in one layer: a float operator
on the outputs of DequantizeLinear whose result goes through QuantizeLinear, perhaps with a Relu or Clip
between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from onnx import NodeProto, TensorProto

from host_tools.importers.onnx.context import Node
from host_tools.importers.onnx.folding import Folded
from host_tools.importers.onnx.quantised.scheme import Scheme, blob_scheme
from host_tools.importers.refusals import Unsupported

_LOW, _HIGH = -128, 127


@dataclass(frozen=True)
class Operand:
    """An int8 blob, and what a reader takes its numbers for."""

    name: str
    scheme: Scheme


@dataclass
class Group:
    """One operator on int8 blobs."""

    node: Node  # its inputs and outputs are those of the float operator
    operands: dict[int, Operand]  # the inputs that are blobs, by position
    outputs: list[Operand]
    low: int = _LOW  # the bounds that an activation behind it puts on the result
    high: int = _HIGH
    copies: list[str] = field(default_factory=list)  # more blobs with the same numbers as the first output
    hidden: dict[str, str] = field(default_factory=dict)  # float blob -> the int8 blob that stands for it

    def clamped(self) -> bool:
        return (self.low, self.high) != (_LOW, _HIGH)


class Groups:
    """The quantised parts of a folded model."""

    def __init__(self, folded: Folded, outputs: Iterable[str], opset: int) -> None:
        self.dequantised: dict[str, Operand] = {}  # float blob -> the int8 blob that it is made from
        self._folded = folded
        self._outputs = frozenset(outputs)
        self._opset = opset
        self._readers: dict[str, list[NodeProto]] = {}
        for node in folded.nodes:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)

    def add_dequantised(self, node: NodeProto) -> None:
        """Takes note of a DequantizeLinear; raises Unsupported."""
        source = node.input[0]
        scheme = blob_scheme(node, self._folded.constants, self._folded.types.get(source, TensorProto.UNDEFINED))
        self.dequantised[node.output[0]] = Operand(source, scheme)

    def input_scheme(self, name: str) -> Scheme | None:
        """The scheme of an int8 input of the model: what its first reader takes it for, also behind layers
        that only move numbers.
        """
        pending, seen = [name], set()
        while pending:
            blob = pending.pop(0)
            if blob in seen:
                continue
            seen.add(blob)
            for node in self._readers.get(blob, []):
                if node.op_type == "DequantizeLinear" and node.input[0] == blob:
                    return blob_scheme(node, self._folded.constants, self._folded.types.get(blob, 0))
                pending.extend(node.output)
        return None

    def of_requantisation(self, node: NodeProto) -> Group | None:
        """A QuantizeLinear right behind a DequantizeLinear."""
        operand = self.dequantised.get(node.input[0])
        if operand is None:
            return None
        as_node = NodeProto(op_type="Identity", name=node.name, input=[node.input[0]], output=[node.output[0]])
        return Group(Node(as_node), {0: operand}, [self._quantised(node)])

    def of(self, proto: NodeProto, *, activation: bool) -> Group | None:
        """The group of a float operator, or None where it is not quantised on both sides.

        activation: whether the operator can clamp its result.
        """
        node = Node(proto)
        operands = {i: self.dequantised[name] for i, name in enumerate(node.inputs) if name in self.dequantised}
        constant = self._folded.constants
        if not operands or any(n and i not in operands and n not in constant for i, n in enumerate(node.inputs)):
            return None
        group = Group(node, operands, [])
        for output in filter(None, node.outputs):
            if not self._follow(group, output, activation and len(node.outputs) == 1):
                return None
        return group

    def _follow(self, group: Group, blob: str, activation: bool) -> bool:
        """Goes from a float result to its QuantizeLinear, over one activation; False where there is none."""
        passed = [blob]
        clip: Node | None = None
        readers = self._only_readers(blob)
        if activation and len(readers) == 1 and readers[0].op_type in ("Relu", "Clip"):
            clip = Node(readers[0])
            passed.append(clip.output)
            readers = self._only_readers(clip.output)
        if not readers or any(r.op_type != "QuantizeLinear" or r.domain not in ("", "ai.onnx") for r in readers):
            return False
        try:
            found = [self._quantised(reader) for reader in readers]
            if any(other.scheme != found[0].scheme for other in found):
                return False
            if clip is not None:
                lo, hi = self._bounds(clip)
                group.low = int(found[0].scheme.quantise(np.array(lo)))
                group.high = int(found[0].scheme.quantise(np.array(hi)))
        except Unsupported:
            return False
        group.outputs.append(found[0])
        group.copies.extend(other.name for other in found[1:])
        group.hidden.update(dict.fromkeys(passed, found[0].name))
        return True

    def _only_readers(self, blob: str) -> list[NodeProto]:
        """All that read a blob; none where the model's caller does as well."""
        return [] if blob in self._outputs else self._readers.get(blob, [])

    def _quantised(self, node: NodeProto) -> Operand:
        return Operand(node.output[0], blob_scheme(node, self._folded.constants, TensorProto.UNDEFINED))

    def _bounds(self, clip: Node) -> tuple[float, float]:
        """The bounds of a Relu or Clip; raises Unsupported where they are not constant."""
        if clip.op == "Relu":
            return 0.0, np.inf
        if self._opset < 11:
            return clip.number("min", -np.inf), clip.number("max", np.inf)
        bounds = [-np.inf, np.inf]
        for i in (1, 2):
            if clip.has_input(i):
                value = self._folded.constants.get(clip.inputs[i])
                if value is None or value.size != 1 or value.dtype != np.float32:
                    raise Unsupported("its bounds are not constants")
                bounds[i - 1] = float(value.reshape(-1)[0])
        return bounds[0], bounds[1]
