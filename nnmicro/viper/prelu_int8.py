"""A rectifier with slopes, of int8 tensors. Formula and parameters: reference/prelu_int8.py."""

from ..port import const
from . import elementwise_int8, requantise

_P_INPUT_ZERO = const(0)
_P_SLOPE_ZERO = const(1)
_P_POSITIVE_MULTIPLIER = const(2)
_P_NEGATIVE_MULTIPLIER = const(4)
_P_OUTPUT_ZERO = const(6)

_SUM = const(0)
_SPLIT = const(5)

_VALUES = const(8)
_ZERO = const(13)
_LOW = const(14)
_HIGH = const(15)
_X = const(17)  # the words of operands 0, 1 and 2
_SLOPE = const(26)
_OUTPUT = const(35)


def run(call):
    elementwise_int8.each(call, _piece)


def _piece(call, d, memory, n):
    d[_VALUES] = 0
    elementwise_int8.load(memory, call.input(0).data, d, _X, call.int_param(_P_INPUT_ZERO), 0)
    d[_VALUES] = n
    elementwise_int8.load(memory, call.input(1).data, d, _SLOPE, call.int_param(_P_SLOPE_ZERO), 0)
    # One of each pair is 0, which stays 0 through any multiplier.
    elementwise_int8.combine(memory, memory, n, _SPLIT)
    elementwise_int8.rescale(call, d, memory, _P_NEGATIVE_MULTIPLIER)
    d[_VALUES] = 0
    elementwise_int8.rescale(call, d, memory, _P_POSITIVE_MULTIPLIER)
    elementwise_int8.combine(memory, memory, n, _SUM)
    d[_ZERO] = call.int_param(_P_OUTPUT_ZERO)
    d[_LOW] = -128
    d[_HIGH] = 127
    requantise.store(memory, 0, d, call.output().data, _OUTPUT)
