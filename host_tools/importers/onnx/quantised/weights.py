"""Constant operands of the int8 layers that multiply: weights, biases, and the multipliers that follow from
scales.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.importers.onnx.context import Context
from host_tools.importers.onnx.quantised.groups import Group, Operand
from host_tools.importers.onnx.quantised.scheme import INT8
from host_tools.importers.refusals import Unsupported
from host_tools.quantised import conv_parameters

_INT32 = np.iinfo(np.int32)


@dataclass(frozen=True)
class Weights:
    """int8 numbers and their float32 scales, one for all outputs or one for each."""

    data: np.ndarray
    scales: np.ndarray
    zero: int


def quantised_weights(ctx: Context, name: str, axis: int) -> Weights:
    """A constant that the source stores as int8 or uint8, with scales along `axis`, that of its outputs."""
    ctx.value(name, "weight")
    scaled = ctx.scaled(name)
    if scaled is None or scaled.data.dtype != INT8:
        raise Unsupported(f"its weights {name!r} are not quantised to 8 bits")
    if scaled.scales.size > 1 and scaled.axis != axis:
        raise Unsupported(f"its weights {name!r} have scales along axis {scaled.axis}; expected is {axis}")
    zeros = np.unique(scaled.zeros)
    if zeros.size != 1:
        raise Unsupported(f"its weights {name!r} have different zero points for different outputs")
    return Weights(scaled.data, scaled.scales, int(zeros[0]))


def symmetric(weights: Weights) -> Weights:
    """The same weights with the zero point 0, if the numbers then still fit into 8 bits."""
    shifted = weights.data.astype(np.int16) - weights.zero
    if shifted.size and (shifted.min() < -128 or shifted.max() > 127):
        raise Unsupported(f"its weights have the zero point {weights.zero}; int8 convolutions want symmetric ones")
    return Weights(shifted.astype(INT8), weights.scales, 0)


def run_constants(
    ctx: Context,
    group: Group,
    operand: Operand,
    data: np.ndarray,
    scales: np.ndarray,
    bias: np.ndarray | None = None,
) -> list[str]:
    """The names of weight, bias, multiplier and shift: `data` has its outputs where the kernel wants them,
    `bias` is
    float32 or what `bias_of` gave.
    """
    node, output = group.node, group.outputs[0].scheme
    outputs = int(bias.size) if bias is not None else int(scales.size)
    multipliers, shifts, _, _ = conv_parameters(
        operand.scheme.scale, operand.scheme.zero, scales.tolist(), output.scale, output.zero, "NONE", outputs
    )
    total = bias if bias is not None else np.zeros(outputs, np.int32)
    parts = {"weight": data, "bias": total, "multiplier": multipliers, "shift": shifts}
    return [ctx.integer_constant(f"{node.name}.{what}", values) for what, values in parts.items()]


def bias_of(
    ctx: Context, group: Group, i: int, operand: Operand, scales: np.ndarray, outputs: int, beta: float = 1.0
) -> np.ndarray:
    """Input `i` as int32 multiples of input scale times weight scale, which is how the source stores it; a
    bias that is
    stored otherwise is rounded to that. Zeros where there is none.
    """
    if not group.node.has_input(i):
        return np.zeros(outputs, np.int32)
    name = group.node.inputs[i]
    value = ctx.value(name, "bias")
    if value.size not in (1, outputs) or (value.ndim > 1 and prod_of_leading(value) != 1):
        raise Unsupported(f"its bias has shape {value.shape} for {outputs} outputs")
    steps = np.broadcast_to(operand.scheme.scale * scales.astype(np.float64), (outputs,))
    scaled = ctx.scaled(name)
    if scaled is not None and scaled.data.dtype == np.int32 and beta == 1:
        stated = np.broadcast_to(scaled.scales.astype(np.float64), (outputs,))
        if np.allclose(stated, steps, rtol=1e-5, atol=0):
            return np.broadcast_to(scaled.data.reshape(-1), (outputs,)).astype(np.int32)
    return rounded_bias(beta * np.broadcast_to(value.reshape(-1), (outputs,)).astype(np.float64), steps)


def rounded_bias(values: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """`values` as int32 multiples of `steps`, both float64."""
    rounded = np.rint(values / steps)
    if not (rounded >= _INT32.min).all() or not (rounded <= _INT32.max).all():
        raise Unsupported("its bias is too large for 32 bits in units of its scales")
    counts: np.ndarray = rounded.astype(np.int32)
    return counts


def prod_of_leading(value: np.ndarray) -> int:
    """How many elements all axes but the last have."""
    return int(value.size // value.shape[-1]) if value.ndim else 1
