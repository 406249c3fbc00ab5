"""The array library, and an operand's rows as its arrays."""

from ..arrays import np
from ..port import const

_WIDE = const(256)  # columns
_FLOAT32 = getattr(np, "float32", None) or getattr(np, "float", None)  # ulab's name


class _Nothing:
    """Stands for numpy's errstate where there are no floating point warnings."""

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        return False


_nothing = _Nothing()


def quiet():
    """A context where infinities and NaNs arise without a warning: they are results, as in the reference."""
    return np.errstate(all="ignore") if hasattr(np, "errstate") else _nothing


def planes(operand):
    """The operand's storage as a view of channels x channel step, or None where its layout allows none.

    Row y of all channels is `planes(x)[:, start : start + x.w]` with start = `row_start(x, y)`.
    """
    if operand.ps != 1 or operand.array is None:
        return None
    if operand.c == 1:
        step = (operand.rows - 1) * operand.rs + operand.w
    else:
        step = operand.cs
    end = operand.base + operand.c * step
    # Of the last channel only its elements are the operand's: the rest of its step need not be in the buffer.
    if step < (operand.rows - 1) * operand.rs + operand.w or end > len(operand.array):
        return None
    return operand.array[operand.base : end].reshape((operand.c, step))


def matrix(operand, c=0):
    """Rows x columns of a channel as a view, or None where the rows of a channel do not follow on, or not all are held.

    Where an operand has one channel, all of it: rows then take the place of channels, and are worked on together.
    """
    if operand.ps != 1 or operand.rs != operand.w or operand.rows != operand.h or operand.array is None:
        return None
    start = operand.base + c * operand.cs
    return operand.array[start : start + operand.h * operand.w].reshape((operand.h, operand.w))


def table(operand):
    """`matrix` of an operand of one channel; None for another."""
    return matrix(operand) if operand.c == 1 else None


def row_start(operand, y):
    """Column of `planes` at which row `y` begins."""
    return (y + operand.phase) % operand.rows * operand.rs


def rows_at_once(call):
    """How many rows a step may work on: several where the rows of all operands of y's shape follow on.

    Narrow rows would leave most of the time to the calls; very wide ones would need large temporary arrays.
    """
    out = call.output()
    for i in range(call.n_in):
        x = call.input(i)
        if x.same_shape(out) and (x.rows != x.h or x.rs != x.w):
            return 1
    return max(1, _WIDE // out.w) if out.rows == out.h and out.rs == out.w else 1


def tap_spans(width, out_width, kernel, stride, dilation, pad):
    """For each tap of a kernel along a row: the output columns [first, end) for which it lies inside x.

    And the column of x that it reads for the first of them.
    """
    spans = []
    for k in range(kernel):
        left = k * dilation - pad
        first = 0 if left >= 0 else (stride - 1 - left) // stride
        end = min(out_width, (width - left + stride - 1) // stride)
        spans.append((first, end, left + first * stride))
    return spans


def constant(operand):
    """A dense constant as a 1-dimensional view."""
    return operand.array[operand.base : operand.base + operand.count]


def zeros(channels, columns):
    """A new float32 array of zeros."""
    return np.zeros((channels, columns), dtype=_FLOAT32)


def activated(kind, a, b, x):
    """The activation of `reference/activate.py` on an array."""
    if kind == 1:
        return np.maximum(x, 0.0)
    if kind == 2:
        return np.maximum(x, 0.0) + a * np.minimum(x, 0.0)
    if kind == 3:
        return np.minimum(np.maximum(x, a), b)
    if kind == 4:
        # exp(87) is about the largest that float32 holds.
        return 1.0 / (np.exp(-np.maximum(x, -87.0)) + 1.0)
    return x


def activate(kind, a, b, x):
    """The same in place."""
    if kind:
        x[:, :] = activated(kind, a, b, x)
