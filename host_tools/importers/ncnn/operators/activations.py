"""ncnn's fused activation: parameters 9 (which) and 10 (its numbers) of layers with weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from host_tools.functions import KINDS
from host_tools.graph import Attr
from host_tools.importers.ncnn.context import Context
from host_tools.importers.ncnn.operators import quantised
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

Handler = Callable[[Context, ParamLayer], None]

# ncnn's number -> how many numbers it takes; nnmicro uses the same numbers.
_OPERANDS = {0: 0, 1: 0, 2: 1, 3: 2, 4: 0}
_MISH, _HARD_SWISH = 5, 6  # no part of a layer with weights here, but a layer behind it


def fused_activation(layer: ParamLayer) -> dict[str, Attr]:
    kind = layer.integer(9, 0)
    if kind not in _OPERANDS:
        raise Unsupported(f"its fused activation {kind} is not supported")
    a, b = (*_numbers(layer, kind, _OPERANDS[kind]), 0.0, 0.0)[:2]
    return {"activation": kind, "activation_a": a, "activation_b": b}


def _numbers(layer: ParamLayer, kind: int, count: int) -> tuple[float, ...]:
    numbers = layer.numbers(10)[:count]
    if len(numbers) < count:
        raise Unsupported(f"its fused activation {kind} needs {count} numbers in parameter 10")
    return numbers


def activated(handler: Handler) -> Handler:
    """The function for a layer with weights, with a layer behind it for the activations that it cannot do itself."""

    def build(ctx: Context, layer: ParamLayer) -> None:
        kind = layer.integer(9, 0)
        if quantised.gives_int8(layer) and not quantised.bounded(layer):
            made = ctx.builder.free_name(f"{layer.name}.float")
            build(ctx, replace(layer, outputs=[made], params={**layer.params, 8: quantised.term(layer) % 100}))
            quantised.quantise_output(ctx, layer, made)
            return
        if kind not in (_MISH, _HARD_SWISH):
            handler(ctx, layer)
            return
        a, b = _numbers(layer, kind, 2) if kind == _HARD_SWISH else (0.0, 0.0)
        made = ctx.builder.free_name(f"{layer.name}.sum")
        handler(ctx, replace(layer, outputs=[made], params={**layer.params, 9: 0}))
        function = KINDS["hard_swish" if kind == _HARD_SWISH else "mish"]
        ctx.emit("unary", layer, [made], ctx.shape(made), kind=function, a=a, b=b)

    return build
