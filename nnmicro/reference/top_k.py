"""The largest (`smallest` 0) or smallest (1) elements of each line along an axis, sorted, or where they lie.

x: float32, c x h x w. y: x's shape with k, at most as many, along `axis`: 0 c, 1 h (whole tensors only), 2 w. Float32:
the elements; int32: their places. Of equal ones the first comes first. What is no number comes after all numbers.

Source: ONNX operator TopK, TFLite operator TOPK_V2.
"""

from ..errors import ModelError
from ..port import F32, I32, const
from . import checks, checks_int8

_P_SMALLEST = const(0)
_P_AXIS = const(1)


def check(call):
    checks_int8.counts(call, "top_k", 1, 2)
    x = call.input(0)
    out = call.output()
    checks_int8.operands(call, "top_k", (F32, I32 if out.dtype == I32 else F32), 2)
    checks.within(call, "top_k", _P_SMALLEST, "smallest", 0, 1)
    axis = checks.within(call, "top_k", _P_AXIS, "axis", 0, 2)
    if not _fits(x.c, out.c, axis == 0) or not _fits(x.h, out.h, axis == 1) or not _fits(x.w, out.w, axis == 2):
        raise ModelError(
            "top_k: the output is %d x %d x %d; along axis %d of %d x %d x %d it may have less, elsewhere as many"
            % (out.c, out.h, out.w, axis, x.c, x.h, x.w)
        )


def _fits(size, of_output, along):
    return of_output <= size if along else of_output == size


def run(call):
    x = call.input(0)
    out = call.output()
    axis = call.int_param(_P_AXIS)
    if axis == 1:
        checks.whole(call, "top_k along h")
        for c in range(x.c):
            for q in range(x.w):
                _line(call, x.at(c, 0) + q * x.ps, x.rs, x.h, out.at(c, 0) + q * out.ps, out.rs, out.h)
        return
    for y in range(call.y0, call.y1):
        if axis == 0:
            for q in range(x.w):
                _line(call, x.at(0, y) + q * x.ps, x.cs, x.c, out.at(0, y) + q * out.ps, out.cs, out.c)
        else:
            for c in range(x.c):
                _line(call, x.at(c, y), x.ps, x.w, out.at(c, y), out.ps, out.w)


def _line(call, first, step, count, to, to_step, k):
    """Each time the next of those behind the last one found, so that nothing has to be remembered."""
    data = call.input(0).data
    out = call.output()
    places = out.dtype == I32
    smallest = call.int_param(_P_SMALLEST)
    last = -1
    for _ in range(k):
        found = -1
        for i in range(count):
            if last >= 0 and not _before(data, first, step, last, i, smallest):
                continue
            if found < 0 or _before(data, first, step, i, found, smallest):
                found = i
        last = found
        out.data[to] = found if places else data[first + found * step]
        to += to_step


def _before(data, first, step, i, j, smallest):
    """Whether element i comes before element j."""
    a = data[first + i * step]
    b = data[first + j * step]
    if a == b:
        return i < j
    if a != a or b != b:
        return i < j if a != a and b != b else b != b
    return a < b if smallest else a > b
