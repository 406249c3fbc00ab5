"""Products of matrices, a channel at a time; formula and parameters: reference/matmul.py."""

from ..port import const
from ..reference import matmul as reference
from .array import matrix, np

_P_TRANSPOSE_A = const(0)
_P_TRANSPOSE_B = const(1)


def run(call):
    a = call.input(0)
    b = call.input(1)
    out = call.output()
    if matrix(a) is None or matrix(b) is None or matrix(out) is None:
        reference.run(call)
        return
    for c in range(out.c):
        left = matrix(a, c if a.c > 1 else 0)
        right = matrix(b, c if b.c > 1 else 0)
        if call.int_param(_P_TRANSPOSE_A):
            left = left.transpose()
        if call.int_param(_P_TRANSPOSE_B):
            right = right.transpose()
        matrix(out, c)[call.y0 : call.y1] = np.dot(left[call.y0 : call.y1], right)
