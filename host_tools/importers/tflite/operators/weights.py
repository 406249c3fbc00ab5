"""What layers with int8 weights have in common: their constants and the parameters that scales give."""

from __future__ import annotations

import numpy as np

from host_tools.graph import Attr
from host_tools.importers.refusals import Unsupported
from host_tools.importers.tflite.context import FLOAT, INT8, Context, Node
from host_tools.quantised import conv_parameters, inner_product_parameters

_INT32 = np.dtype(np.int32)


def check_float_weight(ctx: Context, node: Node) -> None:
    """Raises Unsupported for integer weights that a float32 operator would dequantise while it runs."""
    weight = ctx.value(node.input(1), "weight")
    if weight.dtype == INT8:
        raise Unsupported(
            "its weights are int8 while it computes in float32 (dynamic range quantisation); convert the "
            "model again with a representative dataset, or without quantisation"
        )
    if weight.dtype != FLOAT:
        ctx.operand(node.input(1), FLOAT)  # says what is wrong


def integer_operands(
    ctx: Context, node: Node, outputs: int, axis: int, *, x: int = 0, bias: int = 2
) -> tuple[list[str], dict[str, Attr]]:
    """Operands and quantisation parameters of the convolutions, depthwise_int8 and inner_product_int8.

    axis: along which the weights (input 1) may have a scale for each output. x, bias: the numbers of these inputs.
    """
    dense = node.kind == "FULLY_CONNECTED"
    weight = node.input(1)
    if ctx.value(weight, "weight").dtype != INT8:
        raise Unsupported(f"its weights {weight!r} are {ctx.source(weight).type_name.lower()}; int8 is expected")
    found = ctx.source(weight).quantisation
    if found is None:
        raise Unsupported(f"the file states no scale for its weights {weight!r}")
    if found.axis not in (None, axis):
        raise Unsupported(f"its weights have scales along axis {found.axis}; axis {axis} is expected")
    zeros = found.zero_points
    if (zeros != 0).any() and not (dense and zeros.size == 1 and -128 <= zeros[0] <= 127):
        raise Unsupported(f"its weights have the zero points {zeros[:4].tolist()}; 0 is expected")
    input_scale, input_zero = ctx.quantisation(node.input(x))
    output_scale, output_zero = ctx.quantisation(node.output)
    derive = inner_product_parameters if dense else conv_parameters
    multipliers, shifts, low, high = derive(
        input_scale, input_zero, found.scales.tolist(), output_scale, output_zero, node.activation(), outputs
    )
    operands = [ctx.operand(node.input(x), INT8), ctx.operand(weight, INT8), _bias(ctx, node, bias, outputs)]
    for name, data in (("multiplier", multipliers), ("shift", shifts)):
        operands.append(ctx.constant(f"{node.output}.{name}", np.asarray(data, _INT32)))
    attrs: dict[str, Attr] = {"input_zero": input_zero, "output_zero": output_zero}
    if dense:
        attrs["weight_zero"] = int(zeros[0])
    return operands, attrs | {"activation_min": low, "activation_max": high}


def _bias(ctx: Context, node: Node, i: int, outputs: int) -> str:
    """Zeros where the operator has none: the kernels always read one."""
    if not node.has_input(i):
        return ctx.constant(f"{node.output}.bias", np.zeros(outputs, _INT32))
    bias = ctx.value(node.input(i), "bias")
    if bias.dtype != _INT32 or bias.size != outputs:
        raise Unsupported(f"its bias is {bias.dtype} with {bias.size} elements; {outputs} of int32 are expected")
    return ctx.derived(node.input(i), "", bias)
