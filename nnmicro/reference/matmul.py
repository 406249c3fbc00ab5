"""Products of matrices, one for each channel: y[c] = a[c] x b[c], with a or b transposed first where asked for.

    y[c, i, j] = sum over k of A[i, k] * B[k, j],   A[i, k] = a[c, i, k], or a[c, k, i] with transpose_a 1,
                                                    B[k, j] = b[c, k, j], or b[c, j, k] with transpose_b 1

An a or b of one channel stands for all of y's.

Source: TFLite operator BATCH_MATMUL (adj_x, adj_y), ONNX operator MatMul.
"""

from ..port import const
from . import checks, matrices

_P_TRANSPOSE_A = const(0)
_P_TRANSPOSE_B = const(1)


def check(call):
    checks.operands(call, "matmul", 2, 2, 2)
    matrices.check(call, "matmul")


def run(call):
    out = call.output()
    depth, a_step, b_column, b_step = matrices.steps(call, "matmul")
    for c in range(out.c):
        for y in range(call.y0, call.y1):
            a = matrices.row(call, c, y)
            b = matrices.first(call.input(1), c)
            result = out.at(c, y)
            for _ in range(out.w):
                out.data[result] = _product(call, a, a_step, b, b_step, depth)
                b += b_column
                result += out.ps


def _product(call, i, step, j, other_step, count):
    data = call.input(0).data
    other = call.input(1).data
    value = 0.0
    for _ in range(count):
        value += data[i] * other[j]
        i += step
        j += other_step
    return value
