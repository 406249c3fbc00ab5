"""Convolution of int8 tensors: what some pixels of a row see is laid out as patches, which all output channels then
use. Formula and parameters: reference/convolution_int8.py."""

import micropython

from ..port import const
from . import dot_int8, record, requantise

_P_KERNEL_H = const(0)
_P_KERNEL_W = const(1)
_P_STRIDE_H = const(2)
_P_STRIDE_W = const(3)
_P_DILATION_H = const(4)
_P_DILATION_W = const(5)
_P_PAD_TOP = const(6)
_P_PAD_LEFT = const(7)
_P_GROUP = const(8)
_P_INPUT_ZERO = const(9)
_P_OUTPUT_ZERO = const(10)
_P_ACTIVATION_MIN = const(11)
_P_ACTIVATION_MAX = const(12)

_Y = const(0)
_Q = const(2)
_PIXELS = const(3)
_CHANNEL = const(4)
_CHANNELS = const(5)
_SIZE = const(6)
_WEIGHT_ZERO = const(7)
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
_BASE = const(0)
_H = const(2)
_W = const(3)
_CS = const(4)
_RS = const(5)
_PS = const(6)
_ROWS = const(7)
_PHASE = const(8)

_OUTPUT = const(62)  # the words of operand 5
_PATCHES = const(768)  # words of patches and sums for pixels that are done together; one pixel may have more


def run(call):
    d = record.of(call)
    x = call.input(0)
    out = call.output()
    group = call.int_param(_P_GROUP)
    size = call.int_param(_P_KERNEL_H) * call.int_param(_P_KERNEL_W) * (x.c // group)
    channels = out.c // group
    together = max(1, min(out.w, _PATCHES // (size + 1 + channels)))
    memory = record.memory(call, together * (size + 1 + channels))
    d[_SIZE] = size
    d[_CHANNELS] = channels
    d[_WEIGHT_ZERO] = 0
    d[_VALUES] = together * (size + 1)
    d[_EACH] = 1
    d[_HALF_UP] = out.c
    d[_ZERO] = call.int_param(_P_OUTPUT_ZERO)
    d[_LOW] = call.int_param(_P_ACTIVATION_MIN)
    d[_HIGH] = call.int_param(_P_ACTIVATION_MAX)
    weights = call.input(1).data
    bias = call.input(2).data
    multiplier = call.input(3)
    shift = call.input(4)
    for y in range(call.y0, call.y1):
        d[_Y] = y
        q = 0
        while q < out.w:
            d[_Q] = q
            d[_PIXELS] = min(together, out.w - q)
            q += together
            first = 0
            while first < out.c:
                d[_CHANNEL] = first
                d[_MULTIPLIER] = multiplier.base + first
                d[_SHIFT] = shift.base + first
                _gather(memory, x.data, d, call.params)
                dot_int8.sums(memory, weights, d, bias)
                requantise.scale(memory, 0, d, multiplier.data, shift.data)
                requantise.store(memory, 0, d, out.data, _OUTPUT)
                first += channels


@micropython.viper
def _gather(p: ptr32, x: ptr8, d: ptr32, params: ptr32):
    """The patches of PIXELS pixels from column Q on of row Y: the input channels that output channel CHANNEL sees, in
    the order of the weights and without the zero point; what lies outside is 0."""
    params = ptr32(int(params) + 4 * d[_PARAMS])
    kernel_h = params[_P_KERNEL_H]
    kernel_w = params[_P_KERNEL_W]
    dilation_w = params[_P_DILATION_W]
    sign = 1
    sign = sign << 31
    zero = (params[_P_INPUT_ZERO] ^ sign) - sign + 128
    h = d[_OPERANDS + _H]
    width = d[_OPERANDS + _W]
    step = d[_OPERANDS + _CS]
    ps = d[_OPERANDS + _PS]
    channels = d[_SIZE] // (kernel_h * kernel_w)
    start = int(x) + d[_OPERANDS + _BASE] + d[_CHANNEL] // d[_CHANNELS] * channels * step
    left = d[_Q] * params[_P_STRIDE_W] - params[_P_PAD_LEFT]
    pixels = d[_PIXELS]
    while pixels:
        total = 0
        row = d[_Y] * params[_P_STRIDE_H] - params[_P_PAD_TOP]
        k = kernel_h
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
                i = channels
                if column < 0 or column >= inside:
                    while i:
                        p[0] = 0
                        p = ptr32(int(p) + 4)
                        i -= 1
                else:
                    x = ptr8(line + column * ps)
                    while i:
                        value = (x[0] ^ 128) - zero
                        p[0] = value
                        total += value
                        p = ptr32(int(p) + 4)
                        x = ptr8(int(x) + step)
                        i -= 1
                column += dilation_w
                m -= 1
            row += params[_P_DILATION_H]
            k -= 1
        p[0] = total
        p = ptr32(int(p) + 4)
        left += params[_P_STRIDE_W]
        pixels -= 1
