"""Fully connected layer (inner product, matrix-vector product).

    per_row 0:  y[o] = ACT(bias[o] + sum over k of weight[o, k] * x[k])
                k counts the elements of x in c, y, x order; y is 1 x 1 x out. Summed row by row of all
                channels, rounded to single precision after each: so x may be taken by rows
    per_row 1:  y[c, r, o] = ACT(bias[o] + sum over k of weight[o, k] * x[c, r, k])
                each row of x by itself

weight: out * in elements (o, k). bias (optional): out. The strides of x are honoured, so a padded channel
step needs no compaction before.

Source: ONNX operators Gemm (transB = 1) and MatMul.
"""

from ..errors import ModelError
from ..port import const
from . import activate, checks

_P_PER_ROW = const(0)
_P_ACTIVATION = const(1)
_P_ACTIVATION_A = const(2)
_P_ACTIVATION_B = const(3)


def state_bytes(call):
    return 0 if call.int_param(_P_PER_ROW) else checks.words(call.output().w)


def check(call):
    checks.operands(call, "inner_product", 2, 3, 4, state_bytes=state_bytes)
    x = call.input(0)
    out = call.output()
    if checks.within(call, "inner_product", _P_PER_ROW, "per_row", 0, 1):
        if x.c != out.c or x.h != out.h:
            raise ModelError(
                "inner_product: by rows, %d x %d rows of x cannot become %d x %d" % (x.c, x.h, out.c, out.h)
            )
        checks.constant(call, "inner_product", 1, "weight", out.w * x.w)
    else:
        if out.c != 1 or out.h != 1:
            raise ModelError("inner_product: the output is %d x %d x %d, expected one row" % (out.c, out.h, out.w))
        checks.constant(call, "inner_product", 1, "weight", out.w * x.count)
    if call.n_in == 3:
        checks.constant(call, "inner_product", 2, "bias", out.w)
    activate.check(call, "inner_product", _P_ACTIVATION)


def run(call):
    x = call.input(0)
    out = call.output()
    if call.int_param(_P_PER_ROW):
        for c in range(x.c):
            for y in range(call.y0, call.y1):
                i = out.at(c, y)
                _begin(call, out.data, i, out.ps)
                _add(call, c, c + 1, y, 0, out.data, i, out.ps)
                _finish(call, out.data, i, out.ps, i)
        return
    # The sums are where the outputs will be, or from call to call in the workspace.
    data, i, step = out.data, out.base, out.ps
    y0, y1 = 0, x.h
    if call.reduces:
        checks.input_rows(call, "inner_product")
        data, i, step = call.float_workspace, call.first_word, 1
        y0, y1 = call.y0, call.y1
    else:
        checks.whole(call, "inner_product")
    if y0 == 0:
        _begin(call, data, i, step)
    for y in range(y0, y1):
        _add(call, 0, x.c, y, y * x.w, data, i, step)
    if y1 == x.h:
        _finish(call, data, i, step, out.base)


def _begin(call, data, i, step):
    """Put the bias of each output into data[i], data[i + step], ..."""
    bias = call.input(2) if call.n_in == 3 else None
    for o in range(call.output().w):
        data[i] = 0.0 if bias is None else bias.data[bias.base + o]
        i += step


def _add(call, c0, c1, y, first_weight, data, i, step):
    """Add row `y` of channels [c0, c1) to the sums; its weights are from `first_weight` on in those of each output."""
    x = call.input(0)
    out = call.output()
    items = x.data
    item_step = x.ps
    width = x.w
    plane = x.h * width
    weights = call.input(1).data
    first_weight += call.input(1).base
    length = call.input(1).count // out.w
    for _ in range(out.w):
        value = data[i]
        at = first_weight
        for c in range(c0, c1):
            k = x.at(c, y)
            for j in range(at, at + width):
                value += items[k] * weights[j]
                k += item_step
            at += plane
        data[i] = value
        first_weight += length
        i += step


def _finish(call, data, i, step, result):
    """Store the outputs for the sums, from index `result` on."""
    out = call.output()
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    for _ in range(out.w):
        out.data[result] = activate.apply(kind, a, b, data[i]) if kind else data[i]
        i += step
        result += out.ps
