"""ncnn's fused activation: parameters 9 (which) and 10 (its numbers) of layers with weights."""

from __future__ import annotations

from host_tools.graph import Attr
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

# ncnn's number -> how many numbers it takes; nnmicro uses the same numbers.
_OPERANDS = {0: 0, 1: 0, 2: 1, 3: 2, 4: 0}
_NAMES = {5: "mish", 6: "hard swish"}


def fused_activation(layer: ParamLayer) -> dict[str, Attr]:
    kind = layer.integer(9, 0)
    if kind not in _OPERANDS:
        raise Unsupported(f"its fused activation {kind} ({_NAMES.get(kind, 'unknown')}) is not supported")
    numbers = layer.numbers(10)[: _OPERANDS[kind]]
    if len(numbers) < _OPERANDS[kind]:
        raise Unsupported(f"its fused activation {kind} needs {_OPERANDS[kind]} numbers in parameter 10")
    a, b = (*numbers, 0.0, 0.0)[:2]
    return {"activation": kind, "activation_a": a, "activation_b": b}
