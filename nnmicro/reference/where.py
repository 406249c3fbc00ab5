"""One of two operands, element by element: y = a where the condition is not 0, b where it is.

condition, a, b: each of their c, h and w equals the output's or is 1 (and is then used for all of them). What is not
chosen does not matter, be it an infinity or no number.

Source: ONNX operator Where, TFLite operator SELECT_V2.
"""

from . import broadcast, checks


def check(call):
    checks.operands(call, "where", 3, 3, 0)
    for i in range(3):
        broadcast.check("where", "input %d" % i, call.input(i), call.output())


def run(call):
    condition = call.input(0)
    a = call.input(1)
    b = call.input(2)
    out = call.output()
    step = broadcast.column_step(condition)
    a_step = broadcast.column_step(a)
    b_step = broadcast.column_step(b)
    for c in range(out.c):
        for y in range(call.y0, call.y1):
            i = broadcast.row(condition, c, y)
            j = broadcast.row(a, c, y)
            k = broadcast.row(b, c, y)
            to = out.at(c, y)
            for _ in range(out.w):
                out.data[to] = b.data[k] if condition.data[i] == 0.0 else a.data[j]
                i += step
                j += a_step
                k += b_step
                to += out.ps
