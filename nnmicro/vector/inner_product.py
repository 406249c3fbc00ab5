"""Fully connected layer as matrix products; formula and parameters: reference/inner_product.py."""

from ..port import const
from ..reference import checks
from ..reference import inner_product as reference
from .array import activated, constant, np, planes, row_start, table, zeros

_P_PER_ROW = const(0)
_P_ACTIVATION = const(1)
_P_ACTIVATION_A = const(2)
_P_ACTIVATION_B = const(3)


def run(call):
    x = call.input(0)
    out = call.output()
    source = planes(x)
    result = planes(out)
    if call.reduces or source is None or result is None or x.rs != x.w:
        reference.run(call)
    elif call.int_param(_P_PER_ROW):
        weights = constant(call.input(1)).reshape((out.w, x.w)).transpose()
        rows = table(x)
        results = table(out)
        if rows is not None and results is not None:
            results[call.y0 : call.y1] = _finished(call, np.dot(rows[call.y0 : call.y1], weights))
            return
        for y in range(call.y0, call.y1):
            i = row_start(x, y)
            j = row_start(out, y)
            result[:, j : j + out.w] = _finished(call, np.dot(source[:, i : i + x.w], weights))
    else:
        checks.whole(call, "inner_product")
        size = x.h * x.w
        weights = constant(call.input(1)).reshape((out.w, x.c * size))
        total = zeros(out.w, 1)
        if x.c == 1 or source.shape[1] == size:
            total += np.dot(weights, source.reshape((x.c * size, 1)))
        else:
            for c in range(x.c):
                plane = source[c : c + 1, :size].reshape((size, 1))
                total += np.dot(weights[:, c * size : (c + 1) * size], plane)
        result[:, : out.w] = _finished(call, total.reshape((1, out.w)))


def _finished(call, row):
    if call.n_in == 3:
        row = row + constant(call.input(2)).reshape((1, call.output().w))
    return activated(
        call.int_param(_P_ACTIVATION),
        call.float_param(_P_ACTIVATION_A),
        call.float_param(_P_ACTIVATION_B),
        row,
    )
