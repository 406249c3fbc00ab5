"""Which input's memory a layer may write its output into, and how its operands are exchanged for that.

The engine overwrites input 0, and only where it dies there. Arithmetic on two blobs can be written with either of them
first, so the converter puts the one first that dies.
"""

from __future__ import annotations

from collections.abc import Callable

from nnmicro import format as f

from .layout import Program, Step, kernel_module

# Kinds of `binary_op` with their operands exchanged: add, sub and its mirror, mul, div and its mirror, max, min.
EXCHANGED_KINDS = {0: 0, 1: 7, 7: 1, 2: 2, 3: 8, 8: 3, 4: 4, 5: 5}
# Kinds of `binary_int8` that do not care: add, mul, max, min.
_SYMMETRIC_INT8 = (0, 2, 3, 4)


def overwritable(program: Program, step: Step) -> tuple[int, ...]:
    """The positions of the inputs that may be overwritten, provided that they die there."""
    if program.blobs[step.output].owner >= 0:
        return ()
    found = [0] if step.flags & f.IN_PLACE else []
    if step.op in _EXCHANGES and _fits(program, step) and _EXCHANGES[step.op](step) is not None:
        found.append(1)
    return tuple(found)


def exchange(step: Step) -> None:
    """Write a layer with its first two operands exchanged; for positions that `overwritable` gave."""
    params = _EXCHANGES[step.op](step)
    assert params is not None
    step.inputs[:2] = step.inputs[1], step.inputs[0]
    step.params = params
    step.flags |= f.IN_PLACE


def _fits(program: Program, step: Step) -> bool:
    """Whether the output lies in its block as the second input does in its own."""
    if step.inputs[1] >= len(program.blobs):
        return False
    a, b = program.blobs[step.inputs[1]], program.blobs[step.output]
    return a.storage == b.storage and a.dtype == b.dtype and a.owner < 0 and not a.reach


def _exchange_float(step: Step) -> list[int] | None:
    at = kernel_module("binary_op", step.name)._P_KIND
    kind = EXCHANGED_KINDS.get(step.params[at])
    if kind is None:
        return None
    params = list(step.params)
    params[at] = kind
    return params


def _exchange_int8(step: Step) -> list[int] | None:
    kernel = kernel_module("binary_int8", step.name)
    if step.params[kernel._P_KIND] not in _SYMMETRIC_INT8:
        return None
    params = list(step.params)
    for a, b in (
        (kernel._P_A_ZERO, kernel._P_B_ZERO),
        (kernel._P_A_MULTIPLIER, kernel._P_B_MULTIPLIER),
        (kernel._P_A_SHIFT, kernel._P_B_SHIFT),
    ):
        params[a], params[b] = params[b], params[a]
    return params


# For each kind of layer that can exchange its operands: the parameters that it then has, or None.
_EXCHANGES: dict[str, Callable[[Step], list[int] | None]] = {
    "binary_op": _exchange_float,
    "binary_int8": _exchange_int8,
}
