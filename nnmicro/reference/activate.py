"""The activation that a layer applies to each result before it stores it: three parameters of the layer.

| kind | y |
|---|---|
| 0 none | x |
| 1 relu | max(x, 0) |
| 2 leaky | x, or a * x where x < 0 |
| 3 clip | min(max(x, a), b) |
| 4 sigmoid | 1 / (1 + exp(-x)) |

A NaN stays a NaN.
"""

from math import exp

from ..errors import ModelError
from ..port import const

_RELU = const(1)
_LEAKY = const(2)
_CLIP = const(3)
_SIGMOID = const(4)


def check(call, layer, index):
    """Refuse an unknown kind in parameter `index`."""
    kind = call.int_param(index)
    if not 0 <= kind <= _SIGMOID:
        raise ModelError("%s: activation %d is unknown to this engine, which knows 0 to %d" % (layer, kind, _SIGMOID))


def apply(kind, a, b, x):
    """The activated value. Callers skip the call for kind 0, so that no activation costs nothing."""
    if kind == _RELU:
        if x < 0.0:
            return 0.0
        return x
    if kind == _LEAKY:
        return a * x if x < 0.0 else x
    if kind == _CLIP:
        # In this order a lower bound above the upper one gives the upper one, as in ONNX.
        if x < a:
            x = a
        if x > b:
            return b
        return x
    if kind == _SIGMOID:
        # Never the exponential of a positive number: it overflows, which raises.
        if x >= 0.0:
            return 1.0 / (1.0 + exp(-x))
        x = exp(x)
        return x / (1.0 + x)
    return x
