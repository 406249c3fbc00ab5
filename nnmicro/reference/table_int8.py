"""A function of one int8 value by its table: y = table[x + 128], element by element.

x and y: int8, c x h x w. table: int8, 256 elements. Whatever the function's arithmetic is, the converter has done it.

Source: TFLite operators LOGISTIC, TANH, RELU, LEAKY_RELU, HARD_SWISH, QUANTIZE and others, int8.
"""

from ..port import I8, const
from . import checks, checks_int8

_IN_PLACE = const(1)


def check(call):
    checks_int8.operands(call, "table_int8", (I8, I8, I8), 0)
    checks.same_shape("table_int8", call.input(0), call.output())
    checks.constant(call, "table_int8", 1, "table", 256)


def run(call):
    x = call.input(0)
    data = x.data
    table = call.input(1).data
    zero_entry = call.input(1).base + 128
    out = call.output()
    results = out.data
    for c in range(x.c):
        for y in range(call.y0, call.y1):
            i = x.at(c, y)
            j = out.at(c, y)
            for _ in range(x.w):
                results[j] = table[data[i] + zero_entry]
                i += x.ps
                j += out.ps
