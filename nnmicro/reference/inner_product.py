"""Fully connected layer (inner product, matrix-vector product).

    per_row 0:  y[o] = ACT(bias[o] + sum over k of weight[o, k] * x[k])
                k counts the elements of x in c, y, x order; y is 1 x 1 x out
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


def check(call):
    checks.operands(call, "inner_product", 2, 3, 4)
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
    if call.int_param(_P_PER_ROW):
        for c in range(x.c):
            for y in range(call.y0, call.y1):
                _outputs(call, c, c + 1, y, y + 1, call.output().at(c, y))
    else:
        checks.whole(call, "inner_product")
        _outputs(call, 0, x.c, 0, x.h, call.output().base)


def _outputs(call, c0, c1, y0, y1, result):
    """All outputs for the part of x in channels [c0, c1) and rows [y0, y1), stored from index `result` on."""
    x = call.input(0)
    data = x.data
    step = x.ps
    width = x.w
    weights = call.input(1).data
    first_weight = call.input(1).base
    out = call.output()
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    bias = call.input(2) if call.n_in == 3 else None
    for o in range(out.w):
        value = 0.0 if bias is None else bias.data[bias.base + o]
        for c in range(c0, c1):
            for y in range(y0, y1):
                i = x.at(c, y)
                for j in range(first_weight, first_weight + width):
                    value += data[i] * weights[j]
                    i += step
                first_weight += width
        out.data[result] = activate.apply(kind, a, b, value) if kind else value
        result += out.ps
