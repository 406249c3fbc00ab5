"""How the layers that multiply matrices find their elements. Their first parameters are transpose_a, transpose_b."""

from ..errors import ModelError
from ..port import const
from . import checks

_TRANSPOSE_A = const(0)
_TRANSPOSE_B = const(1)


def check(call, layer):
    """Refuse matrices whose sizes do not fit together."""
    a = call.input(0)
    b = call.input(1)
    out = call.output()
    a_rows, a_columns = (a.w, a.h) if checks.within(call, layer, _TRANSPOSE_A, "transpose_a", 0, 1) else (a.h, a.w)
    b_rows, b_columns = (b.w, b.h) if checks.within(call, layer, _TRANSPOSE_B, "transpose_b", 0, 1) else (b.h, b.w)
    if a_columns != b_rows or out.h != a_rows or out.w != b_columns or a.c not in (1, out.c) or b.c not in (1, out.c):
        raise ModelError(
            "%s: %d matrices of %d x %d times %d of %d x %d do not make %d of %d x %d"
            % (layer, a.c, a_rows, a_columns, b.c, b_rows, b_columns, out.c, out.h, out.w)
        )


def row(call, c, y):
    """Index of a's first factor for row `y` of product `c`."""
    a = call.input(0)
    c = c if a.c > 1 else 0
    return a.at(c, 0) + y * a.ps if call.int_param(_TRANSPOSE_A) else a.at(c, y)


def first(operand, c):
    """Index of the first element of matrix `c`."""
    return operand.at(c if operand.c > 1 else 0, 0)


def steps(call, layer):
    """How many products make an element; steps to the next factor of a, to b's next column, to b's next factor.

    Raises ValueError where an operand whose rows are all needed is a ring.
    """
    a = call.input(0)
    b = call.input(1)
    a_step, depth = (a.rs, a.h) if call.int_param(_TRANSPOSE_A) else (a.ps, a.w)
    b_column, b_step = (b.rs, b.ps) if call.int_param(_TRANSPOSE_B) else (b.ps, b.rs)
    if b.rows != b.h or (call.int_param(_TRANSPOSE_A) and a.rows != a.h):
        raise ValueError("%s: only input 0, where it is not transposed, can be a ring" % layer)
    return depth, a_step, b_column, b_step
