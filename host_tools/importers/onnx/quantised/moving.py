"""Operators that only move numbers: the layers of the float importer on int8 blobs."""

from __future__ import annotations

import numpy as np

from host_tools.importers.onnx.context import Context
from host_tools.importers.onnx.operators import TABLE as FLOAT_TABLE
from host_tools.importers.onnx.quantised.elementwise import table
from host_tools.importers.onnx.quantised.emission import (
    any_operand,
    blob_operand,
    integer_node,
    renamed,
    with_scheme,
)
from host_tools.importers.onnx.quantised.groups import Group
from host_tools.importers.refusals import Unsupported


def move(ctx: Context, group: Group) -> None:
    """Where the output has another scheme, its numbers are changed before they move."""
    if any(output.scheme != group.outputs[0].scheme for output in group.outputs):
        raise Unsupported("its outputs have different scales")
    operand = blob_operand(group)
    changed = with_scheme(ctx, group, operand, group.outputs[0].scheme)
    FLOAT_TABLE[group.node.op](ctx, integer_node(renamed(group, {0: changed})))


def identity(ctx: Context, group: Group) -> None:
    """Also a QuantizeLinear right behind a DequantizeLinear: where that changes the scale, it is a table."""
    if blob_operand(group).scheme == group.outputs[0].scheme:
        move(ctx, group)
    else:
        table(ctx, group)


def resize(ctx: Context, group: Group) -> None:
    if group.node.text("mode", "nearest") != "nearest":
        raise Unsupported("it computes new numbers between the old ones")
    move(ctx, group)


def pad(ctx: Context, group: Group) -> None:
    """What is added is the number that stands for the padding's value."""
    graph = ctx.builder.graph
    move(ctx, group)
    layer = graph.layers[-1]
    value = layer.attrs["value"]
    assert isinstance(value, float)
    layer.attrs["value"] = float(group.outputs[0].scheme.quantise(np.array(value)))


def concat(ctx: Context, group: Group) -> None:
    """Operands of another scheme than the output's go through a table."""
    operands = [any_operand(ctx, group, i) for i in range(len(group.node.inputs))]
    names = [with_scheme(ctx, group, operand, group.outputs[0].scheme) for operand in operands]
    if len(group.operands) != len(operands):
        raise Unsupported("one of its operands is a constant")
    FLOAT_TABLE["Concat"](ctx, integer_node(renamed(group, dict(enumerate(names)))))
