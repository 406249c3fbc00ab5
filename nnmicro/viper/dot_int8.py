"""The sums of products that convolutions and fully connected layers are made of."""

import micropython

from ..port import const

_PIXELS = const(3)
_CHANNEL = const(4)
_CHANNELS = const(5)
_SIZE = const(6)
_WEIGHT_ZERO = const(7)
_VALUES = const(8)
_OPERANDS = const(17)
_OPERAND = const(9)


@micropython.viper
def sums(p: ptr32, w: ptr8, d: ptr32, bias: ptr32):
    """For PIXELS patches at the start of the memory `p`: the sums for CHANNELS outputs, from CHANNEL on, to VALUES.

    A patch is SIZE values and their sum. The operands are x, weight (out, SIZE), bias and others.

    A weight's byte b stands for (b ^ 128) - 128 - WEIGHT_ZERO; what is subtracted there is subtracted once, multiplied
    by the patch's sum. All numbers may lose what is above 32 bits: the sums' low words stay right.
    """
    size = d[_SIZE]
    pixels = d[_PIXELS]
    channels = d[_CHANNELS]
    subtracted = d[_WEIGHT_ZERO] + 128
    patch = int(p)
    result = int(p) + 4 * d[_VALUES]
    weights = int(w) + d[_OPERANDS + _OPERAND] + d[_CHANNEL] * size
    biases = int(bias) + 4 * (d[_OPERANDS + 2 * _OPERAND] + d[_CHANNEL])
    while pixels:
        total = subtracted * p[size]
        w = ptr8(weights)
        b = biases
        o = channels
        while o:
            p = ptr32(patch)
            value = ptr32(b)[0] - total
            n = size >> 3
            while n:
                value = (
                    (w[0] ^ 128) * p[0]
                    + (w[1] ^ 128) * p[1]
                    + (w[2] ^ 128) * p[2]
                    + (w[3] ^ 128) * p[3]
                    + (w[4] ^ 128) * p[4]
                    + (w[5] ^ 128) * p[5]
                    + (w[6] ^ 128) * p[6]
                    + (w[7] ^ 128) * p[7]
                    + value
                )
                p = ptr32(int(p) + 32)
                w = ptr8(int(w) + 8)
                n -= 1
            n = size & 7
            while n:
                value = (w[0] ^ 128) * p[0] + value
                p = ptr32(int(p) + 4)
                w = ptr8(int(w) + 1)
                n -= 1
            ptr32(result)[0] = value
            result += 4
            b += 4
            o -= 1
        patch += 4 * size + 4
        p = ptr32(patch)
        pixels -= 1
