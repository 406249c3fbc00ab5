"""A function of one int8 value by its table: reference/table_int8.py."""

import micropython

from ..port import const
from . import record

_Y = const(0)
_Y1 = const(1)
_OPERANDS = const(17)
_OPERAND = const(9)
_BASE = const(0)
_C = const(1)
_W = const(3)
_CS = const(4)
_RS = const(5)
_PS = const(6)
_ROWS = const(7)
_PHASE = const(8)


def run(call):
    _rows(call.input(0).data, call.output().data, record.of(call), call.input(1).data)


@micropython.viper
def _rows(x: ptr8, out: ptr8, d: ptr32, table: ptr8):
    """Rows [Y, Y1)."""
    start = int(x) + d[_OPERANDS + _BASE]
    first = int(out) + d[_OPERANDS + 2 * _OPERAND + _BASE]
    table = ptr8(int(table) + d[_OPERANDS + _OPERAND + _BASE])
    step = d[_OPERANDS + _PS]
    to_step = d[_OPERANDS + 2 * _OPERAND + _PS]
    c = d[_OPERANDS + _C]
    while c:
        y = d[_Y]
        while y < d[_Y1]:
            x = ptr8(start + (y + d[_OPERANDS + _PHASE]) % d[_OPERANDS + _ROWS] * d[_OPERANDS + _RS])
            out = ptr8(
                first
                + (y + d[_OPERANDS + 2 * _OPERAND + _PHASE])
                % d[_OPERANDS + 2 * _OPERAND + _ROWS]
                * d[_OPERANDS + 2 * _OPERAND + _RS]
            )
            i = d[_OPERANDS + _W]
            while i:
                out[0] = table[x[0] ^ 128]
                x = ptr8(int(x) + step)
                out = ptr8(int(out) + to_step)
                i -= 1
            y += 1
        start += d[_OPERANDS + _CS]
        first += d[_OPERANDS + 2 * _OPERAND + _CS]
        c -= 1
