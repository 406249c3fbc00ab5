"""Functions of one number."""

from __future__ import annotations

from collections.abc import Callable

from host_tools.functions import KINDS
from host_tools.importers.onnx.context import Context, Node

# The operator -> the function's name in nnmicro, and its two parameters.
_FUNCTIONS: dict[str, tuple[str, Callable[[Node], tuple[float, float]]]] = {
    "Celu": ("celu", lambda node: (node.number("alpha", 1.0), 0.0)),
    "Elu": ("elu", lambda node: (node.number("alpha", 1.0), 1.0)),
    "HardSigmoid": ("hard_sigmoid", lambda node: (node.number("alpha", 0.2), node.number("beta", 0.5))),
    "HardSwish": ("hard_swish", lambda node: (1 / 6, 0.5)),
    "Selu": ("elu", lambda node: (node.number("alpha", 1.67326319), node.number("gamma", 1.05070102))),
    "Shrink": ("shrink", lambda node: (node.number("lambd", 0.5), node.number("bias", 0.0))),
    "Swish": ("swish", lambda node: (node.number("alpha", 1.0), 0.0)),
    "ThresholdedRelu": ("thresholded", lambda node: (node.number("alpha", 1.0), 0.0)),
    **{
        operator: (name, lambda node: (0.0, 0.0))
        for operator, name in {
            "Abs": "absolute", "Acos": "arc_cosine", "Acosh": "acosh", "Asin": "arc_sine", "Asinh": "asinh",
            "Atan": "arc_tangent", "Atanh": "atanh", "Ceil": "ceil", "Cos": "cosine", "Cosh": "cosh", "Erf": "error",
            "Exp": "exponential", "Floor": "floor", "Gelu": "gelu", "Log": "logarithm", "Mish": "mish",
            "Neg": "negative", "Reciprocal": "reciprocal", "Round": "nearest", "Sign": "sign", "Sin": "sine",
            "Sinh": "sinh", "Softplus": "softplus", "Softsign": "softsign", "Sqrt": "root", "Tan": "tangent",
            "Tanh": "tanh",
        }.items()
    },
}  # fmt: skip

OPERATORS = tuple(_FUNCTIONS)


def unary(ctx: Context, node: Node) -> None:
    name, parameters = _FUNCTIONS[node.op]
    if node.op == "Gelu" and node.text("approximate", "none") == "tanh":
        name = "gelu_by_tanh"
    a, b = parameters(node)
    ctx.emit("unary", node, [ctx.operand(node.inputs[0])], kind=KINDS[name], a=a, b=b)
