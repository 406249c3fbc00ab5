"""Two int8 operands, element by element. Formula and parameters: reference/binary_int8.py."""

from ..port import const
from . import elementwise_int8, requantise

_P_KIND = const(0)
_P_LEFT_SHIFT = const(1)
_P_A_ZERO = const(2)
_P_A_MULTIPLIER = const(3)
_P_B_ZERO = const(5)
_P_B_MULTIPLIER = const(6)
_P_OUTPUT_ZERO = const(8)
_P_OUTPUT_MULTIPLIER = const(9)
_P_ACTIVATION_MIN = const(11)
_P_ACTIVATION_MAX = const(12)

_MUL = const(2)
_MAX = const(3)

_VALUES = const(8)
_ZERO = const(13)
_LOW = const(14)
_HIGH = const(15)
_A = const(17)  # the words of operands 0, 1 and 2
_B = const(26)
_OUTPUT = const(35)


def run(call):
    elementwise_int8.each(call, _piece)


def _piece(call, d, memory, n):
    kind = call.int_param(_P_KIND)
    plain = kind >= _MAX
    left = call.int_param(_P_LEFT_SHIFT) if kind < _MUL else 0
    d[_VALUES] = 0
    elementwise_int8.load(memory, call.input(0).data, d, _A, 0 if plain else call.int_param(_P_A_ZERO), left)
    if kind < _MUL:
        elementwise_int8.rescale(call, d, memory, _P_A_MULTIPLIER)
    d[_VALUES] = n
    elementwise_int8.load(memory, call.input(1).data, d, _B, 0 if plain else call.int_param(_P_B_ZERO), left)
    if kind < _MUL:
        elementwise_int8.rescale(call, d, memory, _P_B_MULTIPLIER)
    elementwise_int8.combine(memory, memory, n, kind)
    d[_VALUES] = 0
    if not plain:
        elementwise_int8.rescale(call, d, memory, _P_OUTPUT_MULTIPLIER)
    d[_ZERO] = 0 if plain else call.int_param(_P_OUTPUT_ZERO)
    d[_LOW] = call.int_param(_P_ACTIVATION_MIN)
    d[_HIGH] = call.int_param(_P_ACTIVATION_MAX)
    requantise.store(memory, 0, d, call.output().data, _OUTPUT)
