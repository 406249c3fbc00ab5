"""What the functions in assembler are told: words at the start of a call's work memory, which is all they are given.

The drivers fill them in, with what `viper/record.py` says of the call; `words` makes room for them.
Each file that uses a word names it again, so that MicroPython's compiler puts the number in place (a test compares
them). The assembler has the offsets in bytes: word 12 is at 48.
"""

from ..port import const
from ..viper import record
from . import core

# Pixels at a time: 1 to 4 for dot products, whatever TABLE has for the rest; elements of a patch; output channels.
_A_COUNT = const(0)
_A_SIZE = const(1)
_A_CHANNELS = const(2)
# Addresses of the first channel's filter, bias, multiplier and shift.
_A_WEIGHTS = const(3)
_A_BIAS = const(4)
_A_MULTIPLIER = const(5)
_A_SHIFT = const(6)
# Added to each element of x: minus its zero point.
_A_MINUS = const(7)
# Added to each result, and the bounds before that.
_A_ZERO = const(8)
_A_LOW = const(9)
_A_HIGH = const(10)
# Bytes of the output: from channel to channel, and to the first one.
_A_STEP = const(11)
_A_OFFSET = const(12)
# How many channels round halves up.
_A_AWAY = const(13)
# The address of the pixels' addresses in the output.
_A_TABLE = const(14)
# The address of the sums, and bytes from one channel's to the next one's.
_A_SUMS = const(15)
_A_SUM_STEP = const(16)
# The address where patches are widened, and those of four patches.
_A_WIDE = const(17)
_A_PATCH = const(18)
# Depthwise: the pairs of addresses of a tap, in x and in the weights; bytes from a pixel of x to the next.
_A_TAPS = const(22)
_A_TAPS_END = const(23)
_A_X_STEP = const(24)
# Then what the functions keep for themselves, 25 to 30.
_A_WORDS = const(32)

_FILTERS = const(64)  # whose sums are made and written together


def dots(call, size, channels, pixels):
    """The work memory for dot products of `pixels` patches (1 or 4) of `size` elements.

    Behind the record: 4 addresses in the output, the sums of up to FILTERS channels, widened patches, gathered ones.
    """
    quads = (size + 3) // 4
    memory = record.memory(call, _A_WORDS + 4 + pixels * (min(channels, _FILTERS) + (core.WIDE + 1) * quads))
    memory[_A_SIZE] = size
    memory[_A_AWAY] = channels
    return memory


def bounds(call, memory, input_zero, output_zero, low):
    """The zero points and bounds, which are in these parameters, the upper bound right after the lower one."""
    params = call.params
    at = call.first_param
    zero = params[at + output_zero]
    memory[_A_MINUS] = 0 - params[at + input_zero]
    memory[_A_ZERO] = zero
    memory[_A_LOW] = params[at + low] - zero
    memory[_A_HIGH] = params[at + low + 1] - zero
