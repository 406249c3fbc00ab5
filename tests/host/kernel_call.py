"""Fills a `Call` from numpy arrays, as the engine would: operands in one buffer, with guard bands between
them.

Every read and write of a kernel through `Operand.data` is checked against the operand's own elements.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from nnmicro.call import Call, Operand
from nnmicro.port import F32, typed

GUARD = 8  # elements
GUARD_VALUE = np.float32(-12345.5)


class OutsideOperand(AssertionError):
    """A kernel touched an element that is not its operand's."""


class CheckedData:
    """A typed view that only lets the elements of one operand be read, and written if it is an output."""

    def __init__(self, view: memoryview, own: set[int], writable: bool):
        self._view = view
        self._own = own
        self._writable = writable

    def __getitem__(self, i: int) -> float:
        if i not in self._own:
            raise OutsideOperand(f"reads element {i}")
        return self._view[i]

    def __setitem__(self, i: int, value: float) -> None:
        if i not in self._own or not self._writable:
            raise OutsideOperand(f"writes element {i}")
        self._view[i] = value


class Workspace:
    """What a reduction keeps: words of anything with guard bands around them. Asks the call to reduce."""

    def __init__(self, call: Call, nbytes: int, checked: bool = True):
        self.array = np.full(nbytes // 4 + 2 * GUARD, 0x7FFFFFF7, np.int32)
        own = set(range(GUARD, GUARD + nbytes // 4))
        views = [memoryview(self.array.view(dtype)) for dtype in (np.int32, np.float32)]
        call.workspace, call.float_workspace = [CheckedData(v, own, True) if checked else v for v in views]
        call.first_word, call.workspace_bytes, call.reduces = GUARD, nbytes, 1

    def guards_untouched(self) -> bool:
        return bool((np.r_[self.array[:GUARD], self.array[-GUARD:]] == 0x7FFFFFF7).all())


@dataclass
class Layout:
    """Where a tensor's elements lie: a shape and the steps between elements, as in `Operand`."""

    shape: tuple[int, int, int]
    interleaved: bool = False
    dense: bool = False
    rows: int = 0  # 0: all of them

    def operand(self) -> Operand:
        operand = Operand()
        operand.c, operand.h, operand.w = c, h, w = self.shape
        operand.rows = rows = self.rows or h
        if self.interleaved:
            operand.cs, operand.ps, operand.rs = 1, c, w * c
        else:
            operand.ps, operand.rs = 1, w
            operand.cs = rows * w if self.dense or rows * w == 1 else (rows * w + 3) // 4 * 4
        return operand


def element_indices(operand: Operand) -> np.ndarray:
    """The index of every element held, as (c, rows, w)."""
    return (
        operand.base
        + np.arange(operand.c)[:, None, None] * operand.cs
        + np.arange(operand.rows)[None, :, None] * operand.rs
        + np.arange(operand.w)[None, None, :] * operand.ps
    )


def words(params: dict[str, int | float], module: ModuleType) -> list[int]:
    """Parameter words in the order in which a kernel module names them; a float as its bits."""
    names = {name[3:].lower(): index for name, index in vars(module).items() if name.startswith("_P_")}
    assert set(params) == set(names), f"{module.__name__} has the parameters {sorted(names)}"
    row = [0] * len(names)
    for name, value in params.items():
        row[names[name]] = struct.unpack("<i", struct.pack("<f" if isinstance(value, float) else "<i", value))[0]
    return row


@dataclass
class Bench:
    """A call on its own buffer. `inputs` are read, and the output is left in the buffer."""

    inputs: list[np.ndarray]
    output: tuple[int, int, int]
    params: list[int]
    layouts: list[Layout] | None = None  # of the inputs, then of the output
    in_place: bool = False
    checked: bool = True
    tail: int = GUARD  # elements after the last operand
    read_gaps: bool = False  # whether elements between rows and channels count as the operand's when read
    call: Call = field(init=False)

    def __post_init__(self) -> None:
        layouts = self.layouts or [Layout(x.shape) for x in self.inputs] + [Layout(self.output)]
        operands = [layout.operand() for layout in layouts]
        if self.in_place:
            operands[-1] = operands[0]
        end = GUARD
        for operand in operands[:-1] if self.in_place else operands:
            operand.base = end
            end += (operand.c - 1) * operand.cs + (operand.rows - 1) * operand.rs + (operand.w - 1) * operand.ps + 1
            end = (end + 3) // 4 * 4 + GUARD
        last = operands[0 if len(operands) == 1 or self.in_place and len(operands) == 2 else -1]
        if self.tail != GUARD:
            end = int(element_indices(last).max()) + 1 + self.tail
        self.buffer = bytearray(end * 4)
        self.array = np.frombuffer(self.buffer, np.float32)
        self.array[:] = GUARD_VALUE
        view = typed(self.buffer, F32, end * 4)
        self.call = Call(len(operands) + 1)
        self.call.n_in, self.call.n_out = len(self.inputs), 1
        self.call.n_params, self.call.first_param = len(self.params), 3
        self._params = bytearray(struct.pack(f"<{len(self.params) + 3}i", 77, 77, 77, *self.params))
        self.call.params = memoryview(self._params).cast("i")
        self.call.float_params = memoryview(self._params).cast("f")
        self._inside = np.zeros(end, bool)
        for i, operand in enumerate(operands):
            own = element_indices(operand)
            self._inside[own.min() : own.max() + 1] = True
            writable = i == len(operands) - 1 or (self.in_place and i == 0)
            mine = (
                set(range(own.min(), own.max() + 1)) if self.read_gaps and not writable else set(own.ravel().tolist())
            )
            operand.data = CheckedData(view, mine, writable) if self.checked else view
            operand.array = self.array
            self.call._pool[i] = operand
        for operand, data in zip(operands, self.inputs, strict=False):
            if operand.rows == operand.h:
                self.array[element_indices(operand)] = data
            else:
                self.array[element_indices(operand)] = np.nan  # a ring: rows not yet fed are poison
        self.call.y0, self.call.y1 = 0, operands[-1].h

    def feed(self, i: int, row: int) -> None:
        """Put one row of input `i` into its ring."""
        operand = self.call.input(i)
        self.array[element_indices(operand)[:, row % operand.rows]] = self.inputs[i][:, row]

    def result(self) -> np.ndarray:
        return self.array[element_indices(self.call.output())]

    def guards_untouched(self) -> bool:
        """Whether everything before, between and behind the operands is as it was."""
        return bool((self.array[~self._inside] == GUARD_VALUE).all())
