"""Functions of one number, with up to two parameters; what IEEE 754 says of infinities and of what is no number.

Python's own raise where the result is an infinity or no number.
"""

from math import acos, asin, atan, copysign, cos, exp, log, sin, sqrt, tan

_INFINITY = float("inf")
_NAN = _INFINITY - _INFINITY
_WHOLE = 8388608.0  # from here on float32 has no fractions
_HIGHEST = 88.7228  # of what has an exponential in float32
_ROOT_HALF = 0.7071067811865476


def absolute(x, a, b):
    return x if x > 0.0 else 0.0 - x


def negative(x, a, b):
    return -x


def truncated(x, a, b):
    return float(int(x)) if -_WHOLE < x < _WHOLE else x


def floor(x, a, b):
    whole = truncated(x, a, b)
    return whole - 1.0 if whole > x else whole


def ceil(x, a, b):
    whole = truncated(x, a, b)
    return whole + 1.0 if whole < x else whole


def nearest(x, a, b):
    """Halves to the even one."""
    whole = floor(x, a, b)
    rest = x - whole
    return whole + 1.0 if rest > 0.5 or (rest == 0.5 and int(whole) & 1) else whole


def sign(x, a, b):
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x


def square(x, a, b):
    return x * x


def root(x, a, b):
    return sqrt(x) if 0.0 <= x < _INFINITY else _NAN if x < 0.0 else x


def inverse_root(x, a, b):
    return reciprocal(root(x, a, b), a, b)


def exponential(x, a, b):
    return _INFINITY if x > _HIGHEST else exp(x)


def logarithm(x, a, b):
    if 0.0 < x < _INFINITY:
        return log(x)
    return -_INFINITY if x == 0.0 else _NAN if x < 0.0 else x


def _finite(x):
    return -_INFINITY < x < _INFINITY


def sine(x, a, b):
    return sin(x) if _finite(x) else _NAN


def cosine(x, a, b):
    return cos(x) if _finite(x) else _NAN


def tangent(x, a, b):
    return tan(x) if _finite(x) else _NAN


def arc_sine(x, a, b):
    return asin(x) if -1.0 <= x <= 1.0 else _NAN


def arc_cosine(x, a, b):
    return acos(x) if -1.0 <= x <= 1.0 else _NAN


def arc_tangent(x, a, b):
    return atan(x)


def _halves(x):
    """exp(x) / 2, also where only the half is finite."""
    half = exponential(0.5 * x, 0.0, 0.0)
    return 0.5 * half * half


def sinh(x, a, b):
    return _halves(x) - _halves(-x)


def cosh(x, a, b):
    return _halves(x) + _halves(-x)


def asinh(x, a, b):
    size = -x if x < 0.0 else x
    if size > 1e9:
        size = logarithm(size, a, b) + 0.6931471805599453
    else:
        size = logarithm(size + sqrt(size * size + 1.0), a, b)
    return -size if x < 0.0 else size


def acosh(x, a, b):
    if x > 1e9:
        return logarithm(x, a, b) + 0.6931471805599453
    return log(x + sqrt((x - 1.0) * (x + 1.0))) if x >= 1.0 else _NAN


def atanh(x, a, b):
    if not -1.0 < x < 1.0:
        return _INFINITY if x == 1.0 else -_INFINITY if x == -1.0 else _NAN
    return 0.5 * log((1.0 + x) / (1.0 - x))


def tanh(x, a, b):
    size = -x if x < 0.0 else x
    size = 1.0 - 2.0 / (exponential(2.0 * size, a, b) + 1.0)
    return -size if x < 0.0 else size


def reciprocal(x, a, b):
    return 1.0 / x if x else copysign(_INFINITY, x)


def error(x, a, b):
    """The error function; below 1 a series in x, above it the logarithm of what it lacks to 1, both fitted."""
    size = -x if x < 0.0 else x
    if size < 1.0:
        s = x * x
        s = ((((-5.4629345e-4 * s + 4.8707053e-3) * s - 2.6663812e-2) * s + 0.11278065) * s - 0.3761194) * s
        return x * (s + 1.1283789)
    if size < 4.0:
        s = size
        s = ((((1.1504234e-3 * s - 1.4778130e-2) * s + 8.8634200e-2) * s + 0.65448892) * s + 1.1174386) * s
        size = 1.0 - exp(-2.6716948e-3 - s)
    elif size == size:
        size = 1.0
    return -size if x < 0.0 else size


def elu(x, a, b):
    """b times x, or times a * (exp(x) - 1) below 0: SELU has a b that is not 1."""
    return b * (a * (exp(x) - 1.0) if x < 0.0 else x)


def celu(x, a, b):
    return a * (exponential(x / a, a, b) - 1.0) if x < 0.0 else x


def softplus(x, a, b):
    """log(1 + exp(x))"""
    size = -x if x < 0.0 else x
    return (x if x > 0.0 else 0.0) + log(1.0 + exp(-size)) if x == x else x


def mish(x, a, b):
    """x tanh(log(1 + e)) with e = exp(x), which is x n / (n + 2) with n = e * e + 2 * e."""
    if x > 20.0:
        return x
    e = exp(x)
    e *= e + 2.0
    return x * (e / (e + 2.0)) if e else 0.0


def gelu(x, a, b):
    return x * (0.5 + 0.5 * error(_ROOT_HALF * x, a, b)) if x > -_HIGHEST or x != x else 0.0


def gelu_by_tanh(x, a, b):
    if x <= -_HIGHEST:
        return 0.0
    return x * _sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x))


def _sigmoid(x):
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    x = exp(x)
    return x / (1.0 + x)


def swish(x, a, b):
    """x / (1 + exp(-a x))"""
    gate = _sigmoid(a * x)
    return x * gate if gate else 0.0


def hard_sigmoid(x, a, b):
    x = a * x + b
    return 0.0 if x < 0.0 else 1.0 if x > 1.0 else x


def hard_swish(x, a, b):
    gate = hard_sigmoid(x, a, b)
    return x * gate if gate else 0.0


def softsign(x, a, b):
    return x / (1.0 + (-x if x < 0.0 else x))


def thresholded(x, a, b):
    return x if x > a else 0.0


def shrink(x, a, b):
    return x + b if x < -a else x - b if x > a else 0.0


def log_sigmoid(x, a, b):
    return -softplus(-x, a, b)


def logarithm_10(x, a, b):
    return 0.4342944819032518 * logarithm(x, a, b)
