"""Elements from one place to another, whatever their type: what the layers that compute nothing have in common.

Places and steps are counted in elements of `item` bytes.
"""

import micropython

from ..port import ITEM_BYTES, const
from . import record

_OUTPUT = const(26)  # the words of operand 1
_BASE = const(0)
_H = const(2)
_W = const(3)
_CS = const(4)
_RS = const(5)
_PS = const(6)
_ROWS = const(7)
_PHASE = const(8)


def block(x, i, line, step, out, j, to_line, to_step, lines, count):
    """`lines` times `count` elements from index i of operand x to index j of operand out."""
    _block(x.data, out.data, ITEM_BYTES[x.dtype], i, line, step, j, to_line, to_step, lines, count)


@micropython.viper
def _block(
    x: ptr8,
    out: ptr8,
    item: int,
    i: int,
    line: int,
    step: int,
    j: int,
    to_line: int,
    to_step: int,
    lines: int,
    count: int,
):
    first = int(x) + i * item
    to = int(out) + j * item
    line *= item
    step *= item
    to_line *= item
    to_step *= item
    while lines:
        x = ptr8(first)
        out = ptr8(to)
        n = count
        if item == 1:
            if step == 1 and to_step == 1:
                while n >= 8:
                    out[0] = x[0]
                    out[1] = x[1]
                    out[2] = x[2]
                    out[3] = x[3]
                    out[4] = x[4]
                    out[5] = x[5]
                    out[6] = x[6]
                    out[7] = x[7]
                    x = ptr8(int(x) + 8)
                    out = ptr8(int(out) + 8)
                    n -= 8
            while n:
                out[0] = x[0]
                x = ptr8(int(x) + step)
                out = ptr8(int(out) + to_step)
                n -= 1
        elif item == 2:
            while n:
                ptr16(out)[0] = ptr16(x)[0]
                x = ptr8(int(x) + step)
                out = ptr8(int(out) + to_step)
                n -= 1
        else:
            while n:
                ptr32(out)[0] = ptr32(x)[0]
                x = ptr8(int(x) + step)
                out = ptr8(int(out) + to_step)
                n -= 1
        first += line
        to += to_line
        lines -= 1


def nested(call, memory):
    """Elements of input 0 at four nested strides, into the output in c, y, x order. `memory`: the four sizes, then the
    four strides."""
    x = call.input(0)
    out = call.output()
    _nested(x.data, out.data, ITEM_BYTES[x.dtype], x.base, memory, record.of(call))


@micropython.viper
def _nested(x: ptr8, out: ptr8, item: int, base: int, sizes: ptr32, d: ptr32):
    d = ptr32(int(d) + 4 * _OUTPUT)
    results = int(out) + d[_BASE] * item
    to = results
    width = d[_W]
    to_step = d[_PS] * item
    step = sizes[7] * item
    row = 0
    left = width
    plane = int(x) + base * item
    i = sizes[0]
    while i:
        line = plane
        j = sizes[1]
        while j:
            first = line
            k = sizes[2]
            while k:
                x = ptr8(first)
                n = sizes[3]
                while n:
                    if item == 1:
                        ptr8(to)[0] = x[0]
                    elif item == 2:
                        ptr16(to)[0] = ptr16(x)[0]
                    else:
                        ptr32(to)[0] = ptr32(x)[0]
                    x = ptr8(int(x) + step)
                    left -= 1
                    if left:
                        to += to_step
                    else:
                        left = width
                        row += 1
                        to = (row % d[_H] + d[_PHASE]) % d[_ROWS] * d[_RS] + row // d[_H] * d[_CS]
                        to = results + to * item
                    n -= 1
                first += sizes[6] * item
                k -= 1
            line += sizes[5] * item
            j -= 1
        plane += sizes[4] * item
        i -= 1
