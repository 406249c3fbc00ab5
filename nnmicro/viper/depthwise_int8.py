"""Depthwise convolution of int8 tensors: tap after tap, each for all channels of a pixel. Formula and parameters:
reference/depthwise_int8.py."""

import micropython

from ..port import const
from . import record, requantise

_P_KERNEL_H = const(0)
_P_KERNEL_W = const(1)
_P_STRIDE_H = const(2)
_P_STRIDE_W = const(3)
_P_DILATION_H = const(4)
_P_DILATION_W = const(5)
_P_PAD_TOP = const(6)
_P_PAD_LEFT = const(7)
_P_DEPTH_MULTIPLIER = const(8)
_P_INPUT_ZERO = const(9)
_P_OUTPUT_ZERO = const(10)
_P_ACTIVATION_MIN = const(11)
_P_ACTIVATION_MAX = const(12)
_P_HALF_UP = const(13)

_Y = const(0)
_Q = const(2)
_PIXELS = const(3)
_CHANNEL = const(4)
_CHANNELS = const(5)
_VALUES = const(8)
_MULTIPLIER = const(9)
_SHIFT = const(10)
_EACH = const(11)
_HALF_UP = const(12)
_ZERO = const(13)
_LOW = const(14)
_HIGH = const(15)
_PARAMS = const(16)
_OPERANDS = const(17)
_OPERAND = const(9)
_BASE = const(0)
_H = const(2)
_W = const(3)
_CS = const(4)
_RS = const(5)
_PS = const(6)
_ROWS = const(7)
_PHASE = const(8)

_OUTPUT = const(62)  # the words of operand 5
_SUMS = const(512)  # words of sums for pixels that are done together; one pixel may have more


def run(call):
    d = record.of(call)
    x = call.input(0)
    out = call.output()
    together = max(1, min(out.w, _SUMS // out.c))
    memory = record.memory(call, together * out.c)
    multiplier = call.input(3)
    shift = call.input(4)
    d[_CHANNEL] = 0
    d[_CHANNELS] = out.c
    d[_VALUES] = 0
    d[_MULTIPLIER] = multiplier.base
    d[_SHIFT] = shift.base
    d[_EACH] = 1
    d[_HALF_UP] = call.int_param(_P_HALF_UP)
    d[_ZERO] = call.int_param(_P_OUTPUT_ZERO)
    d[_LOW] = call.int_param(_P_ACTIVATION_MIN)
    d[_HIGH] = call.int_param(_P_ACTIVATION_MAX)
    weights = call.input(1).data
    bias = call.input(2).data
    for y in range(call.y0, call.y1):
        d[_Y] = y
        q = 0
        while q < out.w:
            d[_Q] = q
            d[_PIXELS] = min(together, out.w - q)
            q += together
            _sums(x.data, weights, d, call.params, bias, memory)
            requantise.scale(memory, 0, d, multiplier.data, shift.data)
            requantise.store(memory, 0, d, out.data, _OUTPUT)


@micropython.viper
def _sums(x: ptr8, w: ptr8, d: ptr32, params: ptr32, bias: ptr32, memory: ptr32):
    """The sums of PIXELS pixels from column Q on of row Y, channel by channel, to the start of the memory."""
    params = ptr32(int(params) + 4 * d[_PARAMS])
    kernel_w = params[_P_KERNEL_W]
    by = params[_P_DEPTH_MULTIPLIER]
    sign = 1
    sign = sign << 31
    zero = (params[_P_INPUT_ZERO] ^ sign) - sign + 128
    h = d[_OPERANDS + _H]
    width = d[_OPERANDS + _W]
    step = d[_OPERANDS + _CS]
    ps = d[_OPERANDS + _PS]
    channels = d[_CHANNELS]
    inputs = channels // by
    quick = 0
    if by == 1 and step == 1:
        quick = 1
    start = int(x) + d[_OPERANDS + _BASE]
    weights = int(w) + d[_OPERANDS + _OPERAND + _BASE]
    biases = int(bias) + 4 * d[_OPERANDS + 2 * _OPERAND + _BASE]
    sums = int(memory)
    left = d[_Q] * params[_P_STRIDE_W] - params[_P_PAD_LEFT]
    pixels = d[_PIXELS]
    while pixels:
        a = ptr32(sums)
        bias = ptr32(biases)
        i = channels
        while i:
            a[0] = bias[0]
            a = ptr32(int(a) + 4)
            bias = ptr32(int(bias) + 4)
            i -= 1
        row = d[_Y] * params[_P_STRIDE_H] - params[_P_PAD_TOP]
        taps = weights
        k = params[_P_KERNEL_H]
        while k:
            line = start
            inside = 0
            if row >= 0:
                if row < h:
                    inside = width
                    line += (row + d[_OPERANDS + _PHASE]) % d[_OPERANDS + _ROWS] * d[_OPERANDS + _RS]
            column = left
            m = kernel_w
            while m:
                if column >= 0 and column < inside:
                    x = ptr8(line + column * ps)
                    w = ptr8(taps)
                    a = ptr32(sums)
                    i = inputs
                    if quick:
                        i = inputs >> 2
                        while i:
                            a[0] = ((w[0] ^ 128) - 128) * ((x[0] ^ 128) - zero) + a[0]
                            a[1] = ((w[1] ^ 128) - 128) * ((x[1] ^ 128) - zero) + a[1]
                            a[2] = ((w[2] ^ 128) - 128) * ((x[2] ^ 128) - zero) + a[2]
                            a[3] = ((w[3] ^ 128) - 128) * ((x[3] ^ 128) - zero) + a[3]
                            x = ptr8(int(x) + 4)
                            w = ptr8(int(w) + 4)
                            a = ptr32(int(a) + 16)
                            i -= 1
                        i = inputs & 3
                    while i:
                        value = (x[0] ^ 128) - zero
                        j = by
                        while j:
                            a[0] = ((w[0] ^ 128) - 128) * value + a[0]
                            w = ptr8(int(w) + 1)
                            a = ptr32(int(a) + 4)
                            j -= 1
                        x = ptr8(int(x) + step)
                        i -= 1
                taps += channels
                column += params[_P_DILATION_W]
                m -= 1
            row += params[_P_DILATION_H]
            k -= 1
        sums += 4 * channels
        left += params[_P_STRIDE_W]
        pixels -= 1
