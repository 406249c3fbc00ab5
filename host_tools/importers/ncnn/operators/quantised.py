"""Convolution and InnerProduct with int8 weights and input (`int8_scale_term`, parameter 8), as ncnn2int8 writes them.

ncnn rounds a float input times its scale to -127..127, sums in integers, and gives float32, or int8 again where the
next layer takes it so (a term above 100). The second kind is an int8 layer here. The engine's int8 layers give int8;
the first kind is therefore computed in float32, of the same rounded numbers, and gives what ncnn gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from host_tools.graph import Attr, Quantisation
from host_tools.importers.builder import Shape
from host_tools.importers.ncnn.context import Context, Section
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported
from host_tools.quantised import conv_parameters

KINDS = frozenset({"Convolution", "ConvolutionDepthWise", "InnerProduct"})
_TERMS = (1, 2, 101, 102)
_REQUANTISED = 100
_HIGHEST = 127
_NONE, _RELU, _CLIP, _SIGMOID = 0, 1, 3, 4  # activations
_KEEPS_SIGNS = frozenset({"permute", "pooling", "reshape", "share", "slice"})
_INT8 = np.dtype(np.int8)
_INT32 = np.iinfo(np.int32)


def term(layer: ParamLayer) -> int:
    """0 where it computes in float32."""
    if layer.kind not in KINDS:
        return 0
    found = layer.integer(8, 0)
    if found not in (0, *_TERMS) or (found > _REQUANTISED and layer.kind == "InnerProduct"):
        raise Unsupported(f"its int8_scale_term is {found}; 0, 1, 2, and of convolutions 101 and 102 are supported")
    return found


def gives_int8(layer: ParamLayer) -> bool:
    return term(layer) > _REQUANTISED


def scale_sections(layer: ParamLayer) -> list[Section]:
    """What stands behind the bias."""
    found = term(layer)
    if not found:
        return []
    count = layer.integer(0, 0)
    if layer.kind == "ConvolutionDepthWise":
        count = layer.integer(7, 1) if found % _REQUANTISED == 1 else 1
    sections = [Section("weight scale", count, tagged=False, blank=1.0)]
    sections.append(Section("input scale", 1, tagged=False, blank=1.0))
    if found > _REQUANTISED:
        sections.append(Section("output scale", 1, tagged=False, blank=1.0))
    return sections


@dataclass(frozen=True)
class _Integers:
    """A layer's weights, outputs first, and how many of each output's steps make 1."""

    weights: np.ndarray
    scales: np.ndarray

    @property
    def real(self) -> np.ndarray:
        """What the weights stand for."""
        return np.asarray(self.weights / self.scales[:, None], np.float32)


def _integers(ctx: Context, layer: ParamLayer, outputs: int) -> _Integers:
    """As they are in the file, or rounded as ncnn does when it loads float weights."""
    scales = ctx.weights["weight scale"]
    if not np.isfinite(scales).all() or outputs % scales.size:
        raise Unsupported(f"{scales.size} weight scales, of which some may be no numbers, for {outputs} outputs")
    scales = np.repeat(scales, outputs // scales.size)
    weights = ctx.weights["weight"].reshape(outputs, -1)
    if weights.dtype != _INT8:
        weights = _rounded(weights * scales[:, None])
    # A scale of 0 stands for weights of 0.
    return _Integers(np.where(scales[:, None] == 0, 0, weights), np.where(scales == 0, np.float32(1), scales))


def _rounded(values: np.ndarray) -> np.ndarray:
    """To the nearest integer from -127 to 127, halves away from zero."""
    away = np.trunc(values + np.copysign(0.5, values))
    return np.asarray(np.clip(away, -_HIGHEST, _HIGHEST), _INT8)


def _scale(ctx: Context, name: str) -> float:
    scale = float(ctx.weights[name][0])
    if not 1e-30 < scale < 1e30:
        raise Unsupported(f"its {name} is {scale}")
    return scale


def quantise_output(ctx: Context, layer: ParamLayer, blob: str) -> None:
    """The layer's output, int8, from its result in float32."""
    _quantise(ctx, layer, blob, _scale(ctx, "output scale"), layer.outputs[0])


def _quantise(ctx: Context, layer: ParamLayer, blob: str, scale: float, output: str | None = None) -> str:
    """The float blob in int8, in steps of 1 / scale from -127 to 127; returns its name, `output` or a new one."""
    shape = ctx.shape(blob)
    if not _positive(ctx, blob):  # the engine goes to -128
        least: dict[str, Attr] = {"activation": _CLIP, "activation_a": -_HIGHEST / scale, "activation_b": 3e38}
        blob = ctx.emit_new("activation", layer, [blob], shape, **least)
    attrs: dict[str, Attr] = {"scale": 1.0 / scale, "zero_point": 0, "in_blocks": 0}
    name = ctx.builder.emit("quantize", layer.name, [blob], output, shape, **attrs)
    _mark(ctx, name, scale)
    return name


def _mark(ctx: Context, name: str, scale: float) -> None:
    tensor = ctx.builder.graph.tensor(name)
    tensor.dtype = _INT8
    tensor.quantisation = Quantisation(np.array([1.0 / scale], np.float32), np.zeros(1, np.int32))


def _positive(ctx: Context, blob: str) -> bool:
    """Whether a rectifier is the last that changed its numbers."""
    producers = ctx.builder.graph.producers()
    while blob in producers and producers[blob].op in _KEEPS_SIGNS:
        blob = producers[blob].inputs[0]
    if blob not in producers:
        return False
    attrs = producers[blob].attrs
    kind = attrs.get("activation", _NONE)
    return kind in (_RELU, _SIGMOID) or (kind == _CLIP and float(attrs["activation_a"]) >= 0)  # type: ignore[arg-type]


def _integer_input(ctx: Context, layer: ParamLayer) -> str:
    (blob, *_) = layer.inputs
    if ctx.builder.graph.tensor(blob).dtype == _INT8:
        return blob
    return _quantise(ctx, layer, blob, _scale(ctx, "input scale"))


def _rounded_input(ctx: Context, layer: ParamLayer) -> str:
    """The layer's input as float32 again, after the rounding that int8 is."""
    blob, scale = _integer_input(ctx, layer), _scale(ctx, "input scale")
    attrs: dict[str, Attr] = {"scale": 1.0 / scale, "zero_point": 0, "in_blocks": 0}
    return ctx.emit_new("dequantize", layer, [blob], ctx.shape(blob), **attrs)


def convolution(ctx: Context, layer: ParamLayer, weight_shape: Shape, out: Shape, attrs: dict[str, Attr]) -> None:
    """From int8 to int8, without an activation or with a rectifier or a clip, which are bounds of the result."""
    outputs, each, *kernel = weight_shape
    given = _integers(ctx, layer, outputs)
    scale_in, scale_out = _scale(ctx, "input scale"), _scale(ctx, "output scale")
    source = _integer_input(ctx, layer)
    weights = given.weights.reshape(weight_shape)
    steps = scale_in * given.scales.astype(np.float64)  # of the sums, in 1
    bias = np.rint(ctx.weights.get("bias", np.zeros(outputs, np.float32)) * steps)
    if not ((_INT32.min <= bias) & (bias <= _INT32.max)).all():
        raise Unsupported("its bias is too large for 32 bits in units of its scales")
    steps_in, steps_of_weights = 1.0 / scale_in, (1.0 / given.scales.astype(np.float64)).tolist()
    multipliers, shifts, _, _ = conv_parameters(steps_in, 0, steps_of_weights, 1.0 / scale_out, 0, "NONE", outputs)
    kept: dict[str, Attr] = {name: value for name, value in attrs.items() if name not in ("pad_value", "group")}
    kept.update(input_zero=0, output_zero=0, **_bounds(layer, scale_out))
    group = int(attrs["group"])  # type: ignore[arg-type]
    if each == 1 and group > 1:
        op, run = "depthwise_int8", weights[:, 0].transpose(1, 2, 0)
        kept.update(depth_multiplier=outputs // group, half_up=outputs)
    else:
        op, run = "convolution_int8", weights.transpose(0, 2, 3, 1)
        kept["group"] = group
    parts = {"weight": run, "bias": bias.astype(np.int32), "multiplier": multipliers, "shift": shifts}
    graph = ctx.builder.graph
    operands = [
        graph.add_constant(ctx.builder.free_name(f"{layer.name}.{name}"), np.ascontiguousarray(data))
        for name, data in parts.items()
    ]
    ctx.emit(op, layer, [source, *operands], out, **kept)
    _mark(ctx, layer.outputs[0], scale_out)


def _bounds(layer: ParamLayer, scale: float) -> dict[str, Attr]:
    low, high = -_HIGHEST, _HIGHEST
    kind = layer.integer(9, 0)
    if kind == _RELU:
        low = 0
    elif kind == _CLIP:
        low, high = (int(n) for n in _rounded(np.array(layer.numbers(10)[:2]) * scale))
    return {"activation_min": low, "activation_max": max(low, high)}


def bounded(layer: ParamLayer) -> bool:
    """Whether its activation is bounds of an int8 result."""
    return layer.integer(9, 0) in (_NONE, _RELU, _CLIP)


def weight_operand(ctx: Context, layer: ParamLayer, shape: Shape) -> str:
    """The weights as a float constant, whichever way they are stored."""
    data = ctx.weights["weight"]
    if term(layer):
        if data.size != prod(shape):
            raise Unsupported(f"it has {data.size} weights; {shape} are needed")
        data = _integers(ctx, layer, shape[0]).real
    return ctx.builder.constant(f"{layer.name}.weight", data.reshape(shape))


def input_operand(ctx: Context, layer: ParamLayer) -> str:
    return _rounded_input(ctx, layer) if term(layer) else layer.inputs[0]
