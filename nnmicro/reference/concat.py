"""Several inputs one after the other along an axis.

Inputs: equal along the other two axes; y has the sum of their sizes along `axis` (0 c, 1 h, 2 w). Those that were
made at their place in y stay as they are.

Source: ONNX operator Concat.
"""

from ..errors import ModelError
from ..port import const
from . import checks

_P_AXIS = const(0)


def _size(operand, axis):
    return (operand.c, operand.h, operand.w)[axis]


def check(call):
    checks.operands(call, "concat", 1, 0xFFFF, 1, dtype=0)
    axis = checks.within(call, "concat", _P_AXIS, "axis", 0, 2)
    out = call.output()
    total = 0
    for i in range(call.n_in):
        x = call.input(i)
        total += _size(x, axis)
        for other in range(3):
            if other != axis and _size(x, other) != _size(out, other):
                raise ModelError(
                    "concat along axis %d: input %d is %d x %d x %d, the output %d x %d x %d"
                    % (axis, i, x.c, x.h, x.w, out.c, out.h, out.w)
                )
    if total != _size(out, axis):
        raise ModelError("concat: the inputs have %d along axis %d, the output %d" % (total, axis, _size(out, axis)))


def run(call):
    axis = call.int_param(_P_AXIS)
    out = call.output()
    start = 0
    for i in range(call.n_in):
        x = call.input(i)
        for y in range(call.y0, call.y1 if moves(x, out, axis, start) else 0):
            row = y - start if axis == 1 else y
            if 0 <= row < x.h:
                for c in range(x.c):
                    to = out.at(c + start, y) if axis == 0 else out.at(c, y)
                    _copy(x, x.at(c, row), out, to + start * out.ps if axis == 2 else to)
        start += _size(x, axis)


def moves(x, out, axis, start):
    """Whether an input lies elsewhere than where it is to be, from `start` on along the axis."""
    return not x.lies_at(out.base + start * (out.cs, out.rs, out.ps)[axis], out)


def _copy(x, i, out, j):
    """Row at index `i` of x to index `j` of the output."""
    data = x.data
    step = x.ps
    results = out.data
    result_step = out.ps
    for _ in range(x.w):
        results[j] = data[i]
        i += step
        j += result_step
