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


def first(operand, c):
    """Index of the first element of matrix `c`."""
    return operand.at(c if operand.c > 1 else 0, 0)


def steps(call):
    """How many products make an element; steps in a: to the next row, the next factor; in b: column, factor."""
    a = call.input(0)
    b = call.input(1)
    a_row, a_step, depth = (a.ps, a.rs, a.h) if call.int_param(_TRANSPOSE_A) else (a.rs, a.ps, a.w)
    b_column, b_step = (b.rs, b.ps) if call.int_param(_TRANSPOSE_B) else (b.ps, b.rs)
    return depth, a_row, a_step, b_column, b_step
