"""256-entry tables of the int8 operators with one input: entry q + 128 is the result for q.

LiteRT computes some operators through a table in single precision and some in fixed point; each is reproduced in the
arithmetic that it uses, found by comparing all 256 results for many scales, at rounding ties too.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from nnmicro.reference.fixed_point import multiply_away, multiply_up

from .hard_swish import hard_swish
from .multipliers import INT8_MAX, INT8_MIN, quantised_multiplier

Table = npt.NDArray[np.int8]
Quantisation = tuple[np.float32, int, np.float32, int]  # scale and zero point of the input, then of the output

_VALUES = range(INT8_MIN, INT8_MAX + 1)
_ONE = np.float32(1.0)
_HALF = np.float32(0.5)


def _clamped(values: list[int], low: int = INT8_MIN, high: int = INT8_MAX) -> Table:
    return np.array([min(max(value, low), high) for value in values], np.int8)


def _rounded(value: float) -> int:
    """To the nearest integer, halves away from zero; an infinity as far as clamping needs it, NaN the lowest."""
    if not math.isfinite(value):
        return 1 << 31 if value > 0 else -(1 << 31)
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def _single_precision(function: Callable[[np.float32], float], quantisation: Quantisation) -> Table:
    """The table of a function of a real number, in single precision."""
    in_scale, in_zero, out_scale, out_zero = quantisation
    inverse = _ONE / out_scale
    with np.errstate(over="ignore", invalid="ignore"):
        results = [np.float32(function(in_scale * np.float32(q - in_zero))) * inverse for q in _VALUES]
    return _clamped([_rounded(float(result)) + out_zero for result in results])


def _logistic(x: np.float32) -> float:
    # exp of more than 88 is no single any more, and the result 0.
    return float(_ONE / (_ONE + np.float32(math.exp(-float(x))))) if x > -88.0 else 0.0


def _elu(x: np.float32) -> float:
    return math.expm1(float(x)) if x < 0.0 else float(x)


def _exp(x: np.float32) -> float:
    return math.exp(float(x)) if x < 89.0 else math.inf


def _log(x: np.float32) -> float:
    return math.log(float(x)) if x > 0.0 else -math.inf


def _gelu(x: np.float32) -> float:
    return float(_HALF * x * np.float32(math.erfc(float(x * -np.float32(math.sqrt(0.5))))))


def _gelu_approximate(x: np.float32) -> float:
    inner = np.float32(math.sqrt(2.0 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
    return float(_HALF * x * (_ONE + np.float32(math.tanh(float(inner)))))


_SINGLE_PRECISION: dict[str, Callable[[np.float32], float]] = {
    "LOGISTIC": _logistic,
    "TANH": lambda x: math.tanh(float(x)),
    "ELU": _elu,
    "EXP": _exp,
    "LOG": _log,
}

_RELU_BOUNDS: dict[str, tuple[float, float | None]] = {
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU_0_TO_1": (0.0, 1.0),
}

TABLES = (*_SINGLE_PRECISION, *_RELU_BOUNDS, "ABS", "GELU", "HARD_SWISH", "LEAKY_RELU", "NEG", "QUANTIZE", "SQRT")


def _relu(name: str, quantisation: Quantisation) -> Table:
    in_scale, in_zero, out_scale, out_zero = quantisation
    multiplier, shift = quantised_multiplier(float(in_scale / out_scale))
    low, high = (
        None if bound is None else out_zero + _rounded(float(np.float32(bound) / out_scale))
        for bound in _RELU_BOUNDS[name]
    )
    return _clamped(
        [multiply_away(q - in_zero, multiplier, shift) + out_zero for q in _VALUES],
        INT8_MIN if low is None else max(INT8_MIN, low),
        INT8_MAX if high is None else min(INT8_MAX, high),
    )


def _leaky_relu(quantisation: Quantisation, alpha: float) -> Table:
    in_scale, in_zero, out_scale, out_zero = quantisation
    positive, shift = quantised_multiplier(float(in_scale / out_scale))
    slope = float(in_scale * np.float32(alpha) / out_scale)
    negative, negative_shift = quantised_multiplier(abs(slope))
    results = []
    for q in _VALUES:
        if q >= in_zero:
            result = multiply_away(q - in_zero, positive, shift)
        else:
            # A falling slope negates what the rising one gives, roundings and all.
            result = multiply_away(q - in_zero, negative, negative_shift)
            result = result if slope >= 0.0 else -result
        results.append(result + out_zero)
    return _clamped(results)


def _absolute(quantisation: Quantisation) -> Table:
    in_scale, in_zero, out_scale, out_zero = quantisation
    multiplier, shift = quantised_multiplier(float(in_scale / out_scale))
    return _clamped([multiply_away(abs(q - in_zero), multiplier, shift) + out_zero for q in _VALUES])


def _requantise(quantisation: Quantisation, count: int) -> Table:
    in_scale, in_zero, out_scale, out_zero = quantisation
    multiplier, shift = quantised_multiplier(float(in_scale) / float(out_scale))
    multiply = multiply_away if count < 16 else multiply_up
    return _clamped([multiply(q - in_zero, multiplier, shift) + out_zero for q in _VALUES])


def _square_root(quantisation: Quantisation) -> Table:
    in_scale, in_zero, out_scale, out_zero = quantisation
    roots = [np.float32(math.sqrt(max(0.0, float(in_scale * np.float32(q - in_zero))))) / out_scale for q in _VALUES]
    return _clamped([math.floor(float(root)) + out_zero for root in roots])


def _negated(quantisation: Quantisation) -> Table:
    if quantisation[:2] != quantisation[2:] or quantisation[1] != 0:
        raise ValueError("NEG of int8 needs one scale on both sides, and zero points of 0")
    # LiteRT's result for -128 does not fit and wraps.
    return np.array([q if q == INT8_MIN else -q for q in _VALUES], np.int8)


def table(
    name: str,
    in_scale: float,
    in_zero: int,
    out_scale: float,
    out_zero: int,
    *,
    alpha: float = 0.0,
    approximate: bool = False,
    count: int = 16,
) -> Table:
    """The operand `table` of table_int8 for the operator `name` of the TFLite schema, one of TABLES.

    `alpha`: LEAKY_RELU's slope. `approximate`: GELU's form with tanh. `count`: the number of elements that QUANTIZE
    (int8 to int8) is given: LiteRT rounds exact halves below zero up in blocks of sixteen and down in what is left.
    A tensor of fewer than sixteen elements gets the latter's table and every other the former's, so the last
    count % 16 elements of a longer one may differ from LiteRT by one at exact halves.
    """
    quantisation = (np.float32(in_scale), int(in_zero), np.float32(out_scale), int(out_zero))
    if name in _SINGLE_PRECISION:
        return _single_precision(_SINGLE_PRECISION[name], quantisation)
    if name in _RELU_BOUNDS:
        return _relu(name, quantisation)
    if name == "GELU":
        return _single_precision(_gelu_approximate if approximate else _gelu, quantisation)
    if name == "LEAKY_RELU":
        return _leaky_relu(quantisation, alpha)
    if name == "HARD_SWISH":
        return hard_swish(*quantisation)
    if name == "ABS":
        return _absolute(quantisation)
    if name == "QUANTIZE":
        return _requantise(quantisation, count)
    if name == "SQRT":
        return _square_root(quantisation)
    if name == "NEG":
        return _negated(quantisation)
    raise ValueError(f"there is no int8 table for {name}; expected one of {', '.join(TABLES)}")
