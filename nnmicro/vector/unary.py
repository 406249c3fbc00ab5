"""A function of each number, by rows of all channels; kinds and parameters: reference/unary.py.

Here those that the library can do with whole arrays; the others run in the reference.
"""

from ..port import const
from ..reference import unary as reference
from .array import np, planes, quiet, row_start, rows_at_once

_P_KIND = const(0)
_P_A = const(1)
_P_B = const(2)

_IN_PLACE = const(1)

_ERROR = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


def run(call):
    x = call.input(0)
    out = call.output()
    source = planes(x)
    result = planes(out)
    function = _FUNCTIONS.get(call.int_param(_P_KIND))
    if source is None or result is None or function is None:
        reference.run(call)
        return
    a = call.float_param(_P_A)
    b = call.float_param(_P_B)
    rows = rows_at_once(call)
    with quiet():
        for y in range(call.y0, call.y1, rows):
            width = min(rows, call.y1 - y) * out.w
            i = row_start(x, y)
            j = row_start(out, y)
            result[:, j : j + width] = function(source[:, i : i + width], a, b)


def _elu(x, a, b):
    return (np.maximum(x, 0.0) + np.expm1(np.minimum(x, 0.0)) * a) * b


def _softplus(x, a, b):
    return np.maximum(x, 0.0) + np.log(np.exp(-abs(x)) + 1.0)


def _error(x, a, b):
    """Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: off by at most 1.5e-7."""
    size = abs(x)
    t = 1.0 / (size * 0.3275911 + 1.0)
    value = t * _ERROR[0]
    for factor in _ERROR[1:]:
        value += factor
        value *= t
    value = 1.0 - value * np.exp(-(size * size))
    return np.where(x < 0.0, -value, value)


def _swish(x, a, b):
    return x / (np.exp(x * -a) + 1.0)


def _hard_sigmoid(x, a, b):
    return np.minimum(np.maximum(x * a + b, 0.0), 1.0)


# By kind, with the parameters a and b.
_FUNCTIONS = {
    0: lambda x, a, b: abs(x),
    1: lambda x, a, b: -x,
    2: lambda x, a, b: np.floor(x),
    3: lambda x, a, b: np.ceil(x),
    6: lambda x, a, b: x * x,
    8: lambda x, a, b: np.sqrt(x),
    9: lambda x, a, b: 1.0 / np.sqrt(x),
    10: lambda x, a, b: np.exp(x),
    11: lambda x, a, b: np.log(x),
    12: lambda x, a, b: np.log10(x),
    13: lambda x, a, b: np.sin(x),
    14: lambda x, a, b: np.cos(x),
    15: lambda x, a, b: np.tan(x),
    21: lambda x, a, b: np.tanh(x),
    25: lambda x, a, b: 1.0 / x,
    26: _error,
    27: _elu,
    29: _softplus,
    30: lambda x, a, b: -_softplus(-x, a, b),
    31: lambda x, a, b: x * np.tanh(_softplus(x, a, b)),
    32: lambda x, a, b: x / (abs(x) + 1.0),
    33: lambda x, a, b: (_error(x * 0.7071067811865476, a, b) + 1.0) * x * 0.5,
    34: lambda x, a, b: (np.tanh((x * x * 0.044715 + 1.0) * x * 0.7978845608028654) + 1.0) * x * 0.5,
    35: _swish,
    36: _hard_sigmoid,
    37: lambda x, a, b: x * _hard_sigmoid(x, a, b),
    38: lambda x, a, b: np.where(x > a, x, 0.0),
}
