"""Functions of one number as tables, arithmetic of two blobs, and softmax."""

from __future__ import annotations

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.geometry import broadcast
from host_tools.importers.onnx.context import Context
from host_tools.importers.onnx.folding import evaluate
from host_tools.importers.onnx.operators.normalizing import softmax_as
from host_tools.importers.onnx.quantised.emission import (
    any_operand,
    blob_operand,
    integer_node,
    with_scheme,
)
from host_tools.importers.onnx.quantised.groups import Group
from host_tools.importers.onnx.quantised.scheme import INT8
from host_tools.importers.refusals import Unsupported
from host_tools.quantised import (
    add_parameters,
    extremum_parameters,
    mul_parameters,
    softmax_parameters,
    sub_parameters,
)

_ARITHMETIC = {"Add": add_parameters, "Sum": add_parameters, "Sub": sub_parameters, "Mul": mul_parameters}
_EXTREMA = {"Max": "max", "Min": "min"}


def table(ctx: Context, group: Group) -> None:
    """Whatever the operator does to one number, done to all 256 in float32: the result is ONNX's own."""
    node = integer_node(group)
    sources = {operand.name for operand in group.operands.values()}
    blob = blob_operand(group, min(group.operands))
    if len(sources) != 1:
        raise Unsupported("it has several blobs as operands")
    values = blob.scheme.dequantise(np.arange(-128, 128).astype(INT8))
    feeds: dict[str, np.ndarray] = {}
    for i, name in enumerate(group.node.inputs):
        if i in group.operands:
            feeds[name] = values
        elif name:
            feeds[name] = ctx.value(name, "operand")
            if feeds[name].size != 1:
                raise Unsupported(f"its operand {name!r} is not one number for all elements")
    with np.errstate(all="ignore"):
        results = np.asarray(evaluate(group.node.proto, feeds, ctx.opset)[0], np.float32).reshape(-1)
    if results.size != 256 or np.isnan(results).any():
        raise Unsupported("it is not defined for every number")
    entries = np.clip(group.outputs[0].scheme.quantise(results), group.low, group.high)
    constant = ctx.integer_constant(f"{node.name}.table", entries)
    shape = ctx.shape(blob.name)
    if ctx.shape(node.output) == shape:
        ctx.emit("table_int8", node, [blob.name, constant])
    else:  # an operand of one number and more axes
        ctx.emit("reshape", node, [ctx.emit_new("table_int8", node, [blob.name, constant], shape)])


def binary(ctx: Context, group: Group) -> None:
    """Two operands; with a number, or with itself, it is a function of one."""
    if len(group.node.inputs) != 2:
        raise Unsupported(f"it has {len(group.node.inputs)} operands")
    constants = [name for i, name in enumerate(group.node.inputs) if i not in group.operands]
    one_number = all(ctx.value(name, "operand").size == 1 for name in constants)
    if one_number and len({operand.name for operand in group.operands.values()}) == 1:
        table(ctx, group)
        return
    node = integer_node(group)
    a, b = any_operand(ctx, group, 0), any_operand(ctx, group, 1)
    broadcast(ctx.shape(group.node.inputs[0]), ctx.shape(group.node.inputs[1]))
    target = group.outputs[0].scheme
    attrs: dict[str, Attr]
    if node.op in _EXTREMA:
        # Changing the scale first gives the same as changing it afterwards: both are monotone.
        names = [with_scheme(ctx, group, a, target), with_scheme(ctx, group, b, target)]
        attrs = dict(extremum_parameters(_EXTREMA[node.op]))
    else:
        names = [a.name, b.name]
        schemes = (a.scheme.scale, a.scheme.zero, b.scheme.scale, b.scheme.zero, target.scale, target.zero)
        attrs = dict(_ARITHMETIC[node.op](*schemes, "NONE"))
    attrs.update(activation_min=group.low, activation_max=group.high)
    ctx.emit("binary_int8", node, names, **attrs)


def total(ctx: Context, group: Group) -> None:
    """Sum of one or two."""
    if len(group.node.inputs) == 1:
        table(ctx, group)
    else:
        binary(ctx, group)


def softmax(ctx: Context, group: Group) -> None:
    source, target = blob_operand(group).scheme, group.outputs[0].scheme
    values, attrs = softmax_parameters(source.scale, 1.0, target.scale, target.zero)
    node = integer_node(group)
    constant = ctx.integer_constant(f"{node.name}.table", values)
    softmax_as(ctx, node, "softmax_int8", [constant], **attrs)
