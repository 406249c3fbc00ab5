"""Shape arithmetic that source formats share: windows, padding, broadcasting, what (c, h, w) can express."""

from __future__ import annotations

from math import prod

from host_tools.graph import axis_of
from host_tools.importers.refusals import Unsupported

Shape = tuple[int, ...]


def window_output(size: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> int:
    """How many positions a window has along one axis; raises Unsupported where it has none."""
    extent = dilation * (kernel - 1) + 1
    if min(kernel, stride, dilation) < 1:
        raise Unsupported(f"kernel {kernel}, stride {stride} and dilation {dilation} must all be 1 or more")
    if min(before, after) < 0:
        raise Unsupported(f"negative padding ({before}, {after})")
    padded = size + before + after
    if padded < extent:
        raise Unsupported(f"a window of {extent} does not fit into {padded} padded elements")
    return (padded - extent) // stride + 1


def same_padding(size: int, kernel: int, stride: int, dilation: int, upper: bool) -> tuple[int, int]:
    """Padding before and after so that the output has ceil(size / stride) elements; an odd one goes after if
    upper.
    """
    extent = dilation * (kernel - 1) + 1
    total = max(((size + stride - 1) // stride - 1) * stride + extent - size, 0)
    less, more = total // 2, total - total // 2
    return (less, more) if upper else (more, less)


def spatial_axis(shape: Shape, axis: int) -> int:
    """`axis_of`, with Unsupported for an axis that is neither c, h nor w."""
    try:
        return axis_of(shape, axis)
    except ValueError as problem:
        raise Unsupported(str(problem)) from problem


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape of an element-wise operation, as numpy's rule has it.

    Raises Unsupported where the operands do not fit, or where they broadcast along some but not all of the
    axes that fold into c.
    """
    rank = max(len(a), len(b))
    a_full, b_full = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    if any(m != n and 1 not in (m, n) for m, n in zip(a_full, b_full, strict=True)):
        raise Unsupported(f"shapes {a} and {b} do not broadcast")
    out = tuple(n if m == 1 else m for m, n in zip(a_full, b_full, strict=True))
    for folded in (a_full[:-2], b_full[:-2]):
        if folded != out[:-2] and prod(folded) != 1:
            raise Unsupported(f"shapes {a} and {b} broadcast along some of the axes before height only")
    return out
