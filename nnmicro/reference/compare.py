"""Two operands compared element by element: y = 1 where it holds, else 0; `kind`: 0 a = b, 1 a > b, 2 a >= b.

Each of c, h and w of an operand equals the output's or is 1 (and is then used for all of them). Nothing is equal to,
greater or less than what is no number.

Source: ONNX operators Equal, Greater, GreaterOrEqual; with the operands exchanged Less, LessOrEqual.
"""

from ..port import const
from . import broadcast, checks

_P_KIND = const(0)

_EQUAL = const(0)
_GREATER = const(1)
_AT_LEAST = const(2)


def check(call):
    checks.operands(call, "compare", 2, 2, 1)
    checks.within(call, "compare", _P_KIND, "kind", 0, _AT_LEAST)
    broadcast.check_pair(call, "compare")


def run(call):
    a = call.input(0)
    b = call.input(1)
    out = call.output()
    kind = call.int_param(_P_KIND)
    a_step = broadcast.column_step(a)
    b_step = broadcast.column_step(b)
    for c in range(out.c):
        for y in range(call.y0, call.y1):
            i = broadcast.row(a, c, y)
            j = broadcast.row(b, c, y)
            k = out.at(c, y)
            for _ in range(out.w):
                left = a.data[i]
                right = b.data[j]
                holds = left == right if kind == _EQUAL else left > right if kind == _GREATER else left >= right
                out.data[k] = 1.0 if holds else 0.0
                i += a_step
                j += b_step
                k += out.ps
