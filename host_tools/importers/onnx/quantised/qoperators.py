"""Rewrites operators on quantised numbers (QLinearConv and the like) as float operators between
DequantizeLinear and QuantizeLinear, so that everything behind has to know one form only.

The rewritten node keeps its name and its output; the float blobs around it are new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from onnx import AttributeProto, ModelProto, NodeProto, helper, numpy_helper

MICROSOFT = "com.microsoft"
_ONNX = ("", "ai.onnx")

# Name -> (float operator, how many quantised operands of name, scale, zero point it has, attributes that are
# dropped).
_FORMS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "QLinearConv": ("Conv", 2, ()),
    "QLinearMatMul": ("MatMul", 2, ()),
    "QGemm": ("Gemm", 2, ()),
    "QLinearAdd": ("Add", 2, ()),
    "QLinearMul": ("Mul", 2, ()),
    "QLinearAveragePool": ("AveragePool", 1, ("channels_last",)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", 1, ("channels_last",)),
    "QLinearSigmoid": ("Sigmoid", 1, ()),
    "QLinearLeakyRelu": ("LeakyRelu", 1, ()),
    "QLinearSoftmax": ("Softmax", 1, ("opset",)),
}
OPERATORS = (*_FORMS, "QLinearConcat")
_BIAS = {
    "QLinearConv": 8,
    "QGemm": 6,
}  # the position of an int32 operand, whose scale follows from the others
_AXIS_SINCE = 13  # the opset from which Softmax works along one axis


def expand(model: ModelProto) -> frozenset[str]:
    """Changes `model` in place; returns the names of the float blobs that it did not have."""
    expansion = _Expansion(model)
    nodes = [new for node in model.graph.node for new in expansion.of(node)]
    kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    return frozenset(expansion.made)


class _Expansion:
    def __init__(self, model: ModelProto) -> None:
        self.made: set[str] = set()
        self._model = model
        self._opset = max((o.version for o in model.opset_import if o.domain in _ONNX), default=0)
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        for node in model.graph.node:
            if node.op_type == "Constant" and node.output and node.attribute and node.attribute[0].HasField("t"):
                self._constants[node.output[0]] = node.attribute[0].t
        self._taken = {name for node in model.graph.node for name in [*node.input, *node.output]}
        self._taken.update(value.name for value in [*model.graph.input, *model.graph.initializer])

    def of(self, node: NodeProto) -> Iterator[NodeProto]:
        """The nodes that stand for `node`; itself where it is nothing to rewrite, or does not fit."""
        if node.op_type in ("QuantizeLinear", "DequantizeLinear") and node.domain == MICROSOFT:
            node.domain = ""
        if node.domain not in (*_ONNX, MICROSOFT) or not node.output or not self._fits(node):
            yield node
        elif node.op_type == "QLinearConcat":
            yield from self._concat(node)
        else:
            yield from self._expand(node)

    def _fits(self, node: NodeProto) -> bool:
        if node.op_type == "QLinearConcat":
            return len(node.input) >= 5 and (len(node.input) - 2) % 3 == 0
        if node.op_type not in _FORMS:
            return False
        attributes = {a.name: a.i for a in node.attribute if a.type == AttributeProto.INT}
        if attributes.get("channels_last"):
            return False
        old = attributes.get("opset", self._opset) < _AXIS_SINCE
        if node.op_type == "QLinearSoftmax" and old != (self._opset < _AXIS_SINCE):
            return False
        operands = _FORMS[node.op_type][1]
        needed = 3 * operands + (2 if node.op_type not in _BIAS else 1)
        return len(node.input) >= needed and all(node.input[3 * i] and node.input[3 * i + 1] for i in range(operands))

    def _expand(self, node: NodeProto) -> Iterator[NodeProto]:
        operator, count, dropped = _FORMS[node.op_type]
        triples = [list(node.input[3 * i : 3 * i + 3]) for i in range(count)]
        rest = [*node.input[3 * count :], "", "", ""]
        bias_at = _BIAS.get(node.op_type)
        bias = ""
        if node.op_type == "QGemm":
            bias, target = rest[0], rest[1:3]
        else:
            target = rest[:2]
            bias = node.input[bias_at] if bias_at is not None and len(node.input) > bias_at else ""
        # A weight's scales, where it has many, belong to its outputs: the first axis of a convolution, the
        # last of a matrix, the first where that is transposed.
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        axis = 0 if operator == "Conv" or transposed else 1
        operands = []
        for i, triple in enumerate(triples):
            made = self._name(f"{triple[0]}.float")
            operands.append(made)
            yield self._dequantise(triple, made, axis if i else None)
        if bias:
            made = self._name(f"{bias}.float")
            scale = self._bias_scale(node, triples)
            if scale is None:  # what is not known now is not known later: refused with its name
                yield node
                return
            operands.append(made)
            yield self._dequantise([bias, scale, ""], made, 0)
        if not target[0]:  # QGemm without a scale of its output gives float32
            yield self._float(operator, node, operands, node.output[0], dropped)
            return
        result = self._name(f"{node.output[0]}.float")
        yield self._float(operator, node, operands, result, dropped)
        yield helper.make_node("QuantizeLinear", [result, *target], list(node.output), name=f"{node.name}.quantize")

    def _concat(self, node: NodeProto) -> Iterator[NodeProto]:
        target, triples = (
            list(node.input[:2]),
            [list(node.input[i : i + 3]) for i in range(2, len(node.input), 3)],
        )
        operands = [self._name(f"{triple[0]}.float") for triple in triples]
        for triple, made in zip(triples, operands, strict=True):
            yield self._dequantise(triple, made, None)
        result = self._name(f"{node.output[0]}.float")
        yield self._float("Concat", node, operands, result, ())
        yield helper.make_node("QuantizeLinear", [result, *target], list(node.output), name=f"{node.name}.quantize")

    def _dequantise(self, triple: Sequence[str], made: str, axis: int | None) -> NodeProto:
        operands = list(triple) if triple[2] else list(triple[:2])
        scale = self._constants.get(triple[1])
        many = scale is not None and list(scale.dims) not in ([], [1])
        node = helper.make_node("DequantizeLinear", operands, [made], name=f"{made} of {triple[0]}")
        if axis is not None and many:
            node.attribute.append(helper.make_attribute("axis", axis))
        return node

    def _float(
        self, operator: str, node: NodeProto, operands: list[str], output: str, dropped: tuple[str, ...]
    ) -> NodeProto:
        made = helper.make_node(operator, operands, [output], name=node.name or node.output[0])
        made.attribute.extend(a for a in node.attribute if a.name not in dropped)
        return made

    def _bias_scale(self, node: NodeProto, triples: list[list[str]]) -> str | None:
        """A new constant: the scale of the input times those of the weights (QGemm: times alpha)."""
        scales = [self._constants.get(triple[1]) for triple in triples]
        try:
            values = [numpy_helper.to_array(scale).astype(np.float32) for scale in scales if scale is not None]
        except (ValueError, TypeError, AttributeError, KeyError):
            return None
        if len(values) != 2 or values[0].size != 1:
            return None
        name = self._name(f"{triples[0][1]}.bias")
        alpha = next((np.float32(a.f) for a in node.attribute if a.name == "alpha"), np.float32(1))
        product = (alpha * values[0].reshape(-1) * values[1].reshape(-1)).astype(np.float32)
        self._constants[name] = numpy_helper.from_array(product, name)
        self._model.graph.initializer.append(self._constants[name])
        return name

    def _name(self, base: str) -> str:
        name, n = base, 1
        while name in self._taken:
            name, n = f"{base}#{n}", n + 1
        self._taken.add(name)
        self.made.add(name)
        return name
