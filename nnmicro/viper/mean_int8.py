"""Sum or mean of an int8 tensor over any of its axes. Formula and parameters: reference/mean_int8.py.

Kind 1, which is in single precision, and taking x some rows a call are left to the reference.
"""

import micropython

from ..port import const
from ..reference import checks, order_int8
from ..reference import mean_int8 as reference
from . import record, requantise

_P_KIND = const(0)
_P_OVER_H = const(1)
_P_OVER_W = const(2)
_P_OVER_C = const(3)
_P_SUM_ZERO = const(4)
_P_MULTIPLIER = const(5)
_P_SHIFT = const(6)
_P_OUTPUT_ZERO = const(7)
_P_HALF_UP = const(8)

_PIXELS = const(3)
_CHANNEL = const(4)
_CHANNELS = const(5)
_VALUES = const(8)
_MULTIPLIER = const(9)
_SHIFT = const(10)
_EACH = const(11)
_HALF_UP = const(12)
_PARAMS = const(16)
_OPERANDS = const(17)
_BASE = const(0)
_C = const(1)
_H = const(2)
_W = const(3)
_CS = const(4)
_RS = const(5)
_PS = const(6)


def run(call):
    if call.int_param(_P_KIND) or call.reduces:
        reference.run(call)
        return
    checks.whole(call, "mean_int8")
    d = record.of(call)
    x = call.input(0)
    out = call.output()
    memory = record.memory(call, out.count)
    _sums(memory, x.data, d, call.params)
    # As pixels of `channels` values: in the order (h, w, c) that `_sums` leaves them in.
    channels = 1 if call.int_param(_P_OVER_C) else x.c
    d[_PIXELS] = out.count // channels
    d[_CHANNEL] = 0
    d[_CHANNELS] = channels
    d[_VALUES] = 0
    d[_MULTIPLIER] = call.first_param + _P_MULTIPLIER
    d[_SHIFT] = call.first_param + _P_SHIFT
    d[_EACH] = 0
    d[_HALF_UP] = call.int_param(_P_HALF_UP)
    requantise.scale(memory, 0, d, call.params, call.params)
    zero = call.int_param(_P_OUTPUT_ZERO)
    pixels = d[_PIXELS]
    channels_last = order_int8.interleaved(x)
    for pixel in range(pixels):
        for c in range(channels):
            k = pixel * channels + c
            value = min(max(memory[k] + zero, -128), 127)
            if not channels_last:
                k = c * pixels + pixel
            out.data[order_int8.index(out, k)] = value


@micropython.viper
def _sums(v: ptr32, x: ptr8, d: ptr32, params: ptr32):
    """The sums less SUM_ZERO, the kept axes in the order h, w, c."""
    params = ptr32(int(params) + 4 * d[_PARAMS])
    # Of each axis: how many are kept, how many are added, and the same step for both.
    kept_h = d[_OPERANDS + _H]
    kept_w = d[_OPERANDS + _W]
    kept_c = d[_OPERANDS + _C]
    h = 1
    w = 1
    c = 1
    if params[_P_OVER_H]:
        h = kept_h
        kept_h = 1
    if params[_P_OVER_W]:
        w = kept_w
        kept_w = 1
    if params[_P_OVER_C]:
        c = kept_c
        kept_c = 1
    rs = d[_OPERANDS + _RS]
    ps = d[_OPERANDS + _PS]
    cs = d[_OPERANDS + _CS]
    line = int(x) + d[_OPERANDS + _BASE]
    zero = params[_P_SUM_ZERO] + 128 * h * w * c
    i = kept_h
    while i:
        pixel = line
        j = kept_w
        while j:
            place = pixel
            k = kept_c
            while k:
                total = 0 - zero
                plane = place
                a = c
                while a:
                    row = plane
                    b = h
                    while b:
                        x = ptr8(row)
                        n = w
                        while n:
                            total += x[0] ^ 128
                            x = ptr8(int(x) + ps)
                            n -= 1
                        row += rs
                        b -= 1
                    plane += cs
                    a -= 1
                v[0] = total
                v = ptr32(int(v) + 4)
                place += cs
                k -= 1
            pixel += ps
            j -= 1
        line += rs
        i -= 1
