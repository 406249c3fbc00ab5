"""What the functions in assembler are told: words at the start of a call's work memory, which is all they are given.

The drivers fill them in, with what the call's own record says: `of`.
Each file that uses a word names it again, so that MicroPython's compiler puts the number in place (a test compares
them). The assembler has the offsets in bytes: word 12 is at 48.
"""

import micropython

from ..port import ITEM_BYTES, const
from ..viper import record as operands

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

# Words of the call's record that are something else here: types of elements.
_IN_TYPE = const(2)
_OUT_TYPE = const(3)
_PARAMS = const(16)
_OPERANDS = const(17)
_OPERAND = const(9)
_BASE = const(0)
_CS = const(4)
_RS = const(5)
_PS = const(6)

_FILTERS = const(64)  # whose sums are made and written together


def of(call):
    """The call's record as `viper/record.py` has it, but with addresses: of each operand's first element, whose steps
    are in bytes, and of the parameters. And the types of input 0 and the output."""
    d = call.record
    if call.layers is None:
        d = operands.of(call)
        _d_params(d, call.params)
        for k in range(call.n_in + 1):
            x = call.input(k)
            _d_operand(d, x.data, k, ITEM_BYTES[x.dtype])
        d[_IN_TYPE] = call.input(0).dtype
        d[_OUT_TYPE] = call.output().dtype
    return d


@micropython.viper
def _d_params(d: ptr32, params: ptr32):
    d[_PARAMS] = int(params) + 4 * d[_PARAMS]


@micropython.viper
def _d_operand(d: ptr32, data: ptr8, k: int, item: int):
    d = ptr32(int(d) + 4 * (_OPERANDS + _OPERAND * k))
    d[_BASE] = int(data) + item * d[_BASE]
    d[_CS] = item * d[_CS]
    d[_RS] = item * d[_RS]
    d[_PS] = item * d[_PS]


def otherwise(call, run):
    """Have another kernel do a call that is not of the usual form."""
    if call.layers is None:
        run(call)
    else:
        call.layers.complete(run)
