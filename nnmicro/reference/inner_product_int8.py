"""Fully connected layer (inner product, matrix-vector product) of int8 tensors.

    acc  = bias[o] + sum over k of (weight[o, k] - weight_zero) * (x[k] - input_zero)
    y[o] = clamp(M[o] * acc + output_zero, activation_min, activation_max)

    per_row 0:  k counts all elements of x in the source's order (order_int8.py); y is 1 x 1 x out. x may be taken by
                rows
    per_row 1:  each row of x by itself: k counts its elements, and y[c, r, o] stands for y[o]

M[o] is the quantised multiplier of `multiplier` and `shift` (halves up, see fixed_point.py).

weight: int8, out * in elements (o, k). bias, multiplier, shift: int32, out each.

Source: TFLite operator FULLY_CONNECTED, int8.
"""

from ..errors import ModelError
from ..port import const
from . import checks, checks_int8
from .fixed_point import multiply_up, wrapped
from .order_int8 import interleaved

_P_PER_ROW = const(0)
_P_INPUT_ZERO = const(1)
_P_WEIGHT_ZERO = const(2)
_P_OUTPUT_ZERO = const(3)
_P_ACTIVATION_MIN = const(4)
_P_ACTIVATION_MAX = const(5)


def state_bytes(call):
    return 0 if call.int_param(_P_PER_ROW) else checks.words(call.output().w)


def check(call):
    checks_int8.weighted(call, "inner_product_int8", 6, state_bytes)
    x = call.input(0)
    out = call.output()
    if checks.within(call, "inner_product_int8", _P_PER_ROW, "per_row", 0, 1):
        if x.c != out.c or x.h != out.h:
            raise ModelError(
                "inner_product_int8: by rows, %d x %d rows of x cannot become %d x %d" % (x.c, x.h, out.c, out.h)
            )
        checks.constant(call, "inner_product_int8", 1, "weight", out.w * x.w)
    else:
        if out.c != 1 or out.h != 1:
            raise ModelError("inner_product_int8: the output is %d x %d x %d, expected one row" % (out.c, out.h, out.w))
        checks.constant(call, "inner_product_int8", 1, "weight", out.w * x.count)
    checks_int8.rescaling(call, "inner_product_int8", out.w)
    checks_int8.int8_param(call, "inner_product_int8", _P_INPUT_ZERO, "input_zero")
    checks_int8.int8_param(call, "inner_product_int8", _P_WEIGHT_ZERO, "weight_zero")
    checks_int8.int8_param(call, "inner_product_int8", _P_OUTPUT_ZERO, "output_zero")
    checks_int8.int8_param(call, "inner_product_int8", _P_ACTIVATION_MIN, "activation_min")
    checks_int8.int8_param(call, "inner_product_int8", _P_ACTIVATION_MAX, "activation_max")


def run(call):
    x = call.input(0)
    out = call.output()
    if call.int_param(_P_PER_ROW):
        values = [0] * x.w
        for c in range(x.c):
            for y in range(call.y0, call.y1):
                _take(call, x.at(c, y), x.ps, x.w, values, 0)
                i = out.at(c, y)
                for o in range(out.w):
                    out.data[i] = _result(call, o, _sum(call, values, o * x.w))
                    i += out.ps
        return
    if call.reduces:
        checks.input_rows(call, "inner_product_int8")
        _add_rows(call)
        if call.y1 == x.h:
            for o in range(out.w):
                out.data[out.base + o * out.ps] = _result(call, o, call.workspace[call.first_word + o])
        return
    checks.whole(call, "inner_product_int8")
    values = [0] * x.count
    first = 0
    if interleaved(x):
        for y in range(x.h):
            first = _take_pixels(call, y, values, first)
    else:
        for c in range(x.c):
            for y in range(x.h):
                first = _take(call, x.at(c, y), x.ps, x.w, values, first)
    for o in range(out.w):
        out.data[out.base + o * out.ps] = _result(call, o, _sum(call, values, o * x.count))


def _take(call, i, step, count, values, first):
    """Put `count` elements of x, without the zero point, into `values` from `first` on; the first one after them."""
    data = call.input(0).data
    zero = call.int_param(_P_INPUT_ZERO)
    for k in range(first, first + count):
        values[k] = data[i] - zero
        i += step
    return first + count


def _take_pixels(call, y, values, first):
    """The same for row `y` of all channels, pixel after pixel."""
    x = call.input(0)
    for q in range(x.w):
        first = _take(call, x.at(0, y) + q * x.ps, x.cs, x.c, values, first)
    return first


def _add_rows(call):
    """Add the products of the call's rows to the sums in the workspace, which row 0 begins."""
    x = call.input(0)
    sums = call.workspace
    # The weights of a row lie together, or those of each of its channels for themselves.
    runs, width = (1, x.w * x.c) if interleaved(x) else (x.c, x.w)
    values = [0] * width
    for y in range(call.y0, call.y1):
        for c in range(runs):
            if interleaved(x):
                _take_pixels(call, y, values, 0)
            else:
                _take(call, x.at(c, y), x.ps, width, values, 0)
            for o in range(call.output().w):
                value = _sum(call, values, o * x.count + (c * x.h + y) * width)
                if y or c:
                    value += sums[call.first_word + o]
                sums[call.first_word + o] = wrapped(value)


def _sum(call, values, j):
    """The products of `values` with the weights from number `j` on."""
    weights = call.input(1).data
    j += call.input(1).base
    zero = call.int_param(_P_WEIGHT_ZERO)
    value = 0
    for item in values:
        value += item * (weights[j] - zero)
        j += 1
    return value


def _result(call, o, value):
    """Output `o` for the sum of its products."""
    bias = call.input(2)
    multiplier = call.input(3)
    shift = call.input(4)
    value = wrapped(value + bias.data[bias.base + o])
    value = multiply_up(value, multiplier.data[multiplier.base + o], shift.data[shift.base + o])
    value += call.int_param(_P_OUTPUT_ZERO)
    return min(max(value, call.int_param(_P_ACTIVATION_MIN)), call.int_param(_P_ACTIVATION_MAX))
