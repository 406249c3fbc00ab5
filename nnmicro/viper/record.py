"""What a viper function is told of a call, as words in one array, and the memory it works in.

Viper code cannot read an object's attributes without the heap, and calls between viper functions box their numbers. So
`of(call)` writes the operands into the call's own array; a layer adds what else its functions need, and hands them
the array and the operands' buffers. Array and memory stay with the call (one extractor, one thread) and are made
at the first inference only.

Each file that uses a word names it again, so that MicroPython's compiler puts the number in place (a test compares
them).
"""

from array import array

from ..port import const

# What is computed: rows from Y up to Y1, or PIXELS pixels of row Y from column Q on.
_Y = const(0)
_Y1 = const(1)
_Q = const(2)
_PIXELS = const(3)
# Output channels: the first one, and how many.
_CHANNEL = const(4)
_CHANNELS = const(5)
# How many values a sum is made of, and what is subtracted from each weight.
_SIZE = const(6)
_WEIGHT_ZERO = const(7)
# The first int32 value in the work memory.
_VALUES = const(8)
# Rescaling: the multiplier's and shift's first element, whether each channel has its own (1) or all have one (0), and
# how many channels round halves up.
_MULTIPLIER = const(9)
_SHIFT = const(10)
_EACH = const(11)
_HALF_UP = const(12)
# Storing: what is added, and the bounds.
_ZERO = const(13)
_LOW = const(14)
_HIGH = const(15)
# The layer's first parameter word.
_PARAMS = const(16)
# Then, for each operand, inputs first:
_OPERANDS = const(17)
_BASE = const(0)
_C = const(1)
_H = const(2)
_W = const(3)
_CS = const(4)
_RS = const(5)
_PS = const(6)
_ROWS = const(7)
_PHASE = const(8)
_OPERAND = const(9)


def of(call):
    """The call's array, with its rows and its operands in it: all inputs, then output 0."""
    words = call.record
    if words is None:
        words = call.record = array("i", bytes(4 * (_OPERANDS + _OPERAND * len(call._pool))))
    words[_Y] = call.y0
    words[_Y1] = call.y1
    words[_PARAMS] = call.first_param
    i = _OPERANDS
    for k in range(call.n_in + 1):
        x = call.input(k)  # the output comes right after the inputs
        words[i] = x.base
        words[i + _C] = x.c
        words[i + _H] = x.h
        words[i + _W] = x.w
        words[i + _CS] = x.cs
        words[i + _RS] = x.rs
        words[i + _PS] = x.ps
        words[i + _ROWS] = x.rows
        words[i + _PHASE] = x.phase
        i += _OPERAND
    return words


def memory(call, count):
    """Work memory of the call for at least `count` words."""
    held = call.memory
    if held is None or len(held) < count:
        call.memory = None  # so that the collector can have it before there is more
        held = call.memory = array("i", bytes(4 * count))
    return held
