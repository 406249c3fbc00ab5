"""Calls of the int8 layers for the operators of a TFLite model, with what LiteRT computed for each.

`cases(model, values)` takes the values of all tensors as LiteRT left them, so that each operator is compared from
LiteRT's own input to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tflite

from host_tools import quantised
from tests.host.kernel_call import Layout

ACTIVATIONS = {value: name for name, value in vars(tflite.ActivationFunctionType).items() if isinstance(value, int)}
OPERATORS = {value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int)}


@dataclass
class Case:
    name: str
    op: str  # the layer, or "" where there is nothing to compute
    inputs: list[np.ndarray]  # each (c, h, w)
    interleaved: list[bool]  # of the inputs, then of the output
    expected: np.ndarray  # (c, h, w)
    params: dict[str, int | float]
    constants: int = 0  # how many of the last inputs are constants without gaps
    window: tuple[int, int, int] = (1, 1, 0)  # along h: the extent of a window, its step, the padding before

    def layouts(self) -> list[Layout]:
        shapes = [x.shape for x in [*self.inputs, self.expected]]
        return [Layout(shape, way, dense=True) for shape, way in zip(shapes, self.interleaved, strict=True)]


class Model:
    """A TFLite model with one subgraph, and the values of its tensors."""

    def __init__(self, content: bytes, values: Mapping[int, np.ndarray]):
        self._model = tflite.Model.GetRootAs(content, 0)
        self._graph = self._model.Subgraphs(0)
        self._values = values
        self.operators = [self._graph.Operators(i) for i in range(self._graph.OperatorsLength())]

    def name(self, operator: Any) -> str:
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        return OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]

    def options(self, operator: Any, kind: str) -> Any:
        made = getattr(tflite, kind)()
        table = operator.BuiltinOptions()
        made.Init(table.Bytes, table.Pos)
        return made

    def value(self, tensor: int) -> np.ndarray:
        """The tensor's value in the source's shape."""
        return self._values[tensor]

    def interleaved(self, tensor: int) -> bool:
        return self._values[tensor].ndim >= 4 and self._values[tensor].dtype != np.float32

    def seen(self, tensor: int) -> np.ndarray:
        """The tensor's value as the engine sees it: (c, h, w)."""
        value = self._values[tensor]
        if value.ndim >= 4:
            return np.moveaxis(value.reshape(-1, *value.shape[-2:]), -1, 0)
        h, w = ((1, 1) + value.shape)[-2:]
        return value.reshape(-1, h, w)

    def quantisation(self, tensor: int) -> tuple[np.ndarray, int]:
        """Scales and zero point."""
        q = self._graph.Tensors(tensor).Quantization()
        return q.ScaleAsNumpy(), int(q.ZeroPoint(0))

    def both(self, a: int, b: int) -> tuple[float, int, float, int]:
        """Scale and zero point of a tensor, then of another."""
        (a_scale, a_zero), (b_scale, b_zero) = self.quantisation(a), self.quantisation(b)
        return a_scale[0], a_zero, b_scale[0], b_zero


def _flat(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x).reshape(1, 1, -1)


def _pads(model: Model, operator: Any, kernel: tuple[int, int], options: Any, dilation: tuple[int, int]) -> list[int]:
    """pad_top and pad_left of TFLite's paddings."""
    if options.Padding() == tflite.Padding.VALID:
        return [0, 0]
    x, y = model.value(operator.Inputs(0)).shape, model.value(operator.Outputs(0)).shape
    strides = (options.StrideH(), options.StrideW())
    return [max(0, (y[1 + i] - 1) * strides[i] + (kernel[i] - 1) * dilation[i] + 1 - x[1 + i]) // 2 for i in range(2)]


def _weighted(
    model: Model, operator: Any, name: str, op: str, activation: int, outputs: int
) -> tuple[list[np.ndarray], dict[str, int | float]]:
    """The constants and the parameters that all layers with weights have."""
    x, weight, y = operator.Inputs(0), operator.Inputs(1), operator.Outputs(0)
    in_scale, in_zero, out_scale, out_zero = model.both(x, y)
    derive = quantised.inner_product_parameters if op == "inner_product_int8" else quantised.conv_parameters
    multiplier, shift, low, high = derive(
        in_scale, in_zero, model.quantisation(weight)[0], out_scale, out_zero, ACTIVATIONS[activation], outputs
    )
    has_bias = operator.InputsLength() > 2 and operator.Inputs(2) >= 0
    bias = model.value(operator.Inputs(2)) if has_bias else np.zeros(outputs, np.int32)
    params = {"input_zero": in_zero, "output_zero": out_zero, "activation_min": low, "activation_max": high}
    return [_flat(a) for a in (model.value(weight), bias, multiplier, shift)], params


def _convolution(model: Model, operator: Any, name: str) -> Case:
    depthwise = name == "DEPTHWISE_CONV_2D"
    options = model.options(operator, "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions")
    x, y, weight = operator.Inputs(0), operator.Outputs(0), model.value(operator.Inputs(1))
    kernel = weight.shape[1:3]
    dilation = (options.DilationHFactor(), options.DilationWFactor())
    outputs = model.value(y).shape[3]
    op = "depthwise_int8" if depthwise else "convolution_int8"
    constants, params = _weighted(model, operator, name, op, options.FusedActivationFunction(), outputs)
    top, left = _pads(model, operator, kernel, options, dilation)
    params |= {"kernel_h": kernel[0], "kernel_w": kernel[1], "pad_top": top, "pad_left": left}
    params |= {"stride_h": options.StrideH(), "stride_w": options.StrideW()}
    params |= {"dilation_h": dilation[0], "dilation_w": dilation[1]}
    channels = model.value(x).shape[3]
    if depthwise:
        params |= {"depth_multiplier": outputs // channels, "half_up": quantised.depthwise_half_up(outputs)}
    else:
        params |= {"group": channels // weight.shape[3]}
    window = ((kernel[0] - 1) * dilation[0] + 1, options.StrideH(), top)
    inputs = [model.seen(x), *constants]
    return Case("", op, inputs, [True, *[False] * 4, True], model.seen(y), params, 4, window)


def _inner_product(model: Model, operator: Any, name: str) -> Case:
    options = model.options(operator, "FullyConnectedOptions")
    x, y = operator.Inputs(0), operator.Outputs(0)
    outputs, size = model.value(operator.Inputs(1)).shape
    constants, params = _weighted(
        model, operator, name, "inner_product_int8", options.FusedActivationFunction(), outputs
    )
    expected = model.value(y).reshape(1, -1, outputs)
    per_row = int(expected.shape[1] > 1)
    seen = model.value(x).reshape(1, -1, size) if per_row else model.seen(x)
    interleaved = bool(not per_row and model.interleaved(x))
    params |= {"per_row": per_row, "weight_zero": model.quantisation(operator.Inputs(1))[1]}
    ways = [interleaved, *[False] * 5]
    return Case("", "inner_product_int8", [seen, *constants], ways, expected, params, 4)


def _pooling(model: Model, operator: Any, name: str) -> Case:
    options = model.options(operator, "Pool2DOptions")
    x, y = operator.Inputs(0), operator.Outputs(0)
    kernel = (options.FilterHeight(), options.FilterWidth())
    top, left = _pads(model, operator, kernel, options, (1, 1))
    scale, zero = model.quantisation(y)
    low, high = quantised.pooling_bounds(scale[0], zero, ACTIVATIONS[options.FusedActivationFunction()])
    params = {"kind": int(name == "AVERAGE_POOL_2D"), "kernel_h": kernel[0], "kernel_w": kernel[1]}
    params |= {"stride_h": options.StrideH(), "stride_w": options.StrideW(), "pad_top": top, "pad_left": left}
    params |= {"activation_min": low, "activation_max": high}
    window = (kernel[0], options.StrideH(), top)
    return Case("", "pooling_int8", [model.seen(x)], [True, True], model.seen(y), params, 0, window)


def _binary(model: Model, operator: Any, name: str) -> Case:
    a, b, y = operator.Inputs(0), operator.Inputs(1), operator.Outputs(0)
    if name in ("MAXIMUM", "MINIMUM"):
        params = quantised.extremum_parameters(name[:3].lower())
    else:
        options = model.options(operator, name.capitalize() + "Options")
        derive = getattr(quantised, name.lower() + "_parameters")
        scale, zero = model.quantisation(y)
        activation = ACTIVATIONS[options.FusedActivationFunction()]
        params = derive(*model.both(a, b), scale[0], zero, activation)
    # An operand of a lower rank broadcasts along the first axes.
    whole = Model.__new__(Model)
    rank = model.value(y).ndim
    whole._values = {
        t: model.value(t).reshape((1,) * (rank - model.value(t).ndim) + model.value(t).shape) for t in (a, b)
    }
    ways = [model.interleaved(y)] * 3
    return Case("", "binary_int8", [whole.seen(a), whole.seen(b)], ways, model.seen(y), dict(params))


def _table(model: Model, operator: Any, name: str) -> Case:
    x, y = operator.Inputs(0), operator.Outputs(0)
    options: dict[str, Any] = {}
    if name == "LEAKY_RELU":
        options["alpha"] = model.options(operator, "LeakyReluOptions").Alpha()
    elif name == "GELU":
        options["approximate"] = bool(model.options(operator, "GeluOptions").Approximate())
    elif name == "QUANTIZE":
        options["count"] = model.value(x).size
    table = quantised.table(name, *model.both(x, y), **options)
    ways = [model.interleaved(x), False, model.interleaved(y)]
    return Case("", "table_int8", [model.seen(x), _flat(table)], ways, model.seen(y), {}, 1)


def _softmax(model: Model, operator: Any, name: str) -> Case:
    x, y = operator.Inputs(0), operator.Outputs(0)
    in_scale, _, out_scale, out_zero = model.both(x, y)
    beta = model.options(operator, "SoftmaxOptions").Beta()
    table, params = quantised.softmax_parameters(in_scale, beta, out_scale, out_zero)
    channels_last = model.interleaved(x)
    ways = [channels_last, False, channels_last]
    params |= {"axis": 0 if channels_last else 2}
    return Case("", "softmax_int8", [model.seen(x), _flat(table)], ways, model.seen(y), params, 1)


def _reduction(model: Model, operator: Any, name: str) -> Case:
    x, y = operator.Inputs(0), operator.Outputs(0)
    shape = model.value(x).shape
    axes = sorted({int(a) % len(shape) for a in model.value(operator.Inputs(1)).reshape(-1)})
    keep_dims = bool(model.options(operator, "ReducerOptions").KeepDims())
    derive = quantised.mean_parameters if name == "MEAN" else quantised.sum_parameters
    params = derive(*model.both(x, y), shape, axes, keep_dims)
    names = (
        ["over_c", "over_h", "over_w", "over_c"][-len(shape) :]
        if len(shape) < 4
        else ["", "over_h", "over_w", "over_c"]
    )
    if len(shape) < 4:
        names = ["over_c", "over_h", "over_w"][-len(shape) :]
    params |= {"over_h": 0, "over_w": 0, "over_c": 0} | {names[axis]: 1 for axis in axes if names[axis]}
    ways = [model.interleaved(x), model.interleaved(y)]
    return Case("", "mean_int8", [model.seen(x)], ways, model.seen(y), params)


def _conversion(model: Model, operator: Any, name: str) -> Case:
    x, y = operator.Inputs(0), operator.Outputs(0)
    integer = y if name == "QUANTIZE" else x
    scale, zero = model.quantisation(integer)
    in_blocks = quantised.conversion_in_blocks(model.value(x).size)
    params = {"scale": float(scale[0]), "zero_point": zero, "in_blocks": in_blocks}
    ways = [model.interleaved(x), model.interleaved(y)]
    op = "quantize" if name == "QUANTIZE" else "dequantize"
    return Case("", op, [model.seen(x)], ways, model.seen(y), params)


_BUILDERS: dict[str, Callable[[Model, Any, str], Case]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "FULLY_CONNECTED": _inner_product,
    "AVERAGE_POOL_2D": _pooling,
    "MAX_POOL_2D": _pooling,
    "SOFTMAX": _softmax,
    "MEAN": _reduction,
    "SUM": _reduction,
    "DEQUANTIZE": _conversion,
    **dict.fromkeys(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"), _binary),
    **dict.fromkeys(quantised.TABLES, _table),
}


def cases(content: bytes, values: Mapping[int, np.ndarray]) -> list[Case]:
    """A case for each operator that the int8 layers compute; shapes and copies are not among them."""
    model = Model(content, values)
    found = []
    for i, operator in enumerate(model.operators):
        name = model.name(operator)
        build = _BUILDERS.get(name)
        if name == "QUANTIZE" and model.value(operator.Inputs(0)).dtype == np.float32:
            build = _conversion
        if build is None or (build is not _conversion and model.value(operator.Outputs(0)).dtype != np.int8):
            continue
        case = build(model, operator, name)
        case.name = f"{i}-{name}"
        found.append(case)
    return found
