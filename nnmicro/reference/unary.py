"""A function of each number by itself, y = f(x); `kind` says which (`_FUNCTIONS`, counted from 0), a and b are its
parameters.

| kind | | f(x) |
|---|---|---|
| 0 .. 7 | absolute, negative, floor, ceil, nearest, sign, square, truncated | nearest: halves to the even one |
| 8 .. 12 | root, inverse_root, exponential, logarithm, logarithm_10 | |
| 13 .. 18 | sine, cosine, tangent, arc_sine, arc_cosine, arc_tangent | |
| 19 .. 24 | sinh, cosh, tanh, asinh, acosh, atanh | |
| 25 .. 26 | reciprocal, error | error: the error function |
| 27 | elu | b x, or b a (exp(x) - 1) where x < 0 |
| 28 | celu | x, or a (exp(x / a) - 1) where x < 0; a is not 0 |
| 29 .. 31 | softplus, log_sigmoid, mish | log(1 + exp(x)), -softplus(-x), x tanh(softplus(x)) |
| 32 | softsign | x / (1 + abs(x)) |
| 33 .. 34 | gelu, gelu_by_tanh | x (1 + error(x / sqrt(2))) / 2, and what is often taken for it |
| 35 | swish | x / (1 + exp(-a x)) |
| 36 | hard_sigmoid | a x + b, between 0 and 1 |
| 37 | hard_swish | x hard_sigmoid(x) |
| 38 | thresholded | x where x > a, else 0 |
| 39 | shrink | x + b where x < -a, x - b where x > a, else 0 |

x and y: c x h x w.

Source: ONNX's operators of one operand, ncnn layer UnaryOp and its activations.
"""

from ..errors import ModelError
from ..port import const
from . import checks
from . import functions as f

_P_KIND = const(0)
_P_A = const(1)
_P_B = const(2)

_IN_PLACE = const(1)

_CELU = const(28)

_FUNCTIONS = (
    f.absolute, f.negative, f.floor, f.ceil, f.nearest, f.sign, f.square, f.truncated,
    f.root, f.inverse_root, f.exponential, f.logarithm, f.logarithm_10,
    f.sine, f.cosine, f.tangent, f.arc_sine, f.arc_cosine, f.arc_tangent,
    f.sinh, f.cosh, f.tanh, f.asinh, f.acosh, f.atanh,
    f.reciprocal, f.error, f.elu, f.celu, f.softplus, f.log_sigmoid, f.mish, f.softsign,
    f.gelu, f.gelu_by_tanh, f.swish, f.hard_sigmoid, f.hard_swish, f.thresholded, f.shrink,
)  # fmt: skip


def check(call):
    checks.operands(call, "unary", 1, 1, 3)
    checks.same_shape("unary", call.input(0), call.output())
    kind = checks.within(call, "unary", _P_KIND, "kind", 0, len(_FUNCTIONS) - 1)
    for i in (_P_A, _P_B):
        value = call.float_param(i)
        if value - value != 0.0:
            raise ModelError("unary: parameter %s is %s, expected a finite number" % ("ab"[i - 1], value))
    if kind == _CELU and call.float_param(_P_A) == 0.0:
        raise ModelError("unary: a is 0, by which celu divides")


def run(call):
    x = call.input(0)
    out = call.output()
    function = _FUNCTIONS[call.int_param(_P_KIND)]
    a = call.float_param(_P_A)
    b = call.float_param(_P_B)
    for c in range(x.c):
        for y in range(call.y0, call.y1):
            i = x.at(c, y)
            j = out.at(c, y)
            for _ in range(x.w):
                out.data[j] = function(x.data[i], a, b)
                i += x.ps
                j += out.ps
