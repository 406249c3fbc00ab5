"""Fills a `Call` whose operands have types of their own, each in a buffer with guard bands around it.

As in kernel_call.py, every read and write of a kernel is checked against the operand's own elements.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nnmicro.call import Call, Operand
from nnmicro.port import F32, I8, I16, I32, U8, typed
from tests.host.kernel_call import GUARD, CheckedData, Layout, element_indices

DTYPES = {
    np.dtype(np.float32): F32,
    np.dtype(np.int8): I8,
    np.dtype(np.uint8): U8,
    np.dtype(np.int16): I16,
    np.dtype(np.int32): I32,
}
GUARD_VALUE = 77


@dataclass
class _Memory:
    """An operand's own buffer."""

    operand: Operand
    array: np.ndarray
    raw: bytearray
    own: np.ndarray

    @classmethod
    def of(cls, layout: Layout, dtype: np.dtype, writable: bool) -> _Memory:
        operand = layout.operand()
        operand.base = GUARD
        operand.dtype = DTYPES[dtype]
        own = element_indices(operand)
        count = int(own.max()) + 1 + GUARD
        raw = bytearray(count * dtype.itemsize)
        array = np.frombuffer(raw, dtype)
        array[:] = GUARD_VALUE
        operand.data = CheckedData(typed(raw, operand.dtype, len(raw)), set(own.ravel().tolist()), writable)
        return cls(operand, array, raw, own)


@dataclass
class TypedBench:
    """A call on its own buffers. `inputs` are read, and the output, of the type of `like`, is left in its buffer."""

    inputs: list[np.ndarray]
    like: np.ndarray
    params: list[int]
    layouts: list[Layout]
    in_place: bool = False
    call: Call = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.inputs)
        self._memories = [
            _Memory.of(layout, x.dtype, self.in_place and i == 0)
            for i, (x, layout) in enumerate(zip(self.inputs, self.layouts[:count], strict=True))
        ]
        out = self._memories[0] if self.in_place else _Memory.of(self.layouts[-1], self.like.dtype, True)
        self._memories.append(out)
        self.call = Call(count + 1)
        self.call.n_in, self.call.n_out = count, 1
        words = np.array([77, 77, 77, *self.params], np.int64).astype(np.int32)
        self.call.n_params, self.call.first_param = len(self.params), 3
        self.call.params = memoryview(bytearray(words.tobytes())).cast("i")
        self.call.float_params = memoryview(bytearray(words.tobytes())).cast("f")
        for i, memory in enumerate(self._memories):
            self.call._pool[i] = memory.operand
        for memory, x in zip(self._memories, self.inputs, strict=False):
            if memory.operand.rows == memory.operand.h:
                memory.array[memory.own] = x
        self.call.y0, self.call.y1 = 0, out.operand.h

    def feed(self, i: int, row: int) -> None:
        """Put one row of input `i` into its ring."""
        memory = self._memories[i]
        memory.array[memory.own[:, row % memory.operand.rows]] = self.inputs[i][:, row]

    def result(self) -> np.ndarray:
        memory = self._memories[-1]
        return memory.array[memory.own]

    def guards_untouched(self) -> bool:
        """Whether everything outside the operands' elements is as it was."""
        untouched = True
        for memory in self._memories:
            outside = np.ones(len(memory.array), bool)
            outside[memory.own.ravel()] = False
            untouched = untouched and bool((memory.array[outside] == GUARD_VALUE).all())
        return untouched
