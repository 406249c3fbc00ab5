"""What a kernel is given: operands (a view, where it starts, its strides), parameters, and the rows to compute.

The contract of every Python backend. A kernel module `nnmicro/<backend>/<layer>.py` has

    run(call)     computes rows [call.y0, call.y1) of output 0; allocates no memory of the arena and keeps nothing
    check(call)   (reference only) raises ModelError where parameters and operand shapes do not fit; runs at load

and names the parameter words it reads `_P_<NAME> = const(index)`, which is also how the converter learns their order.
`_IN_PLACE = const(1)` says that output 0 may lie exactly where input 0 lies.

A layer whose output is made of all rows of its input can do with a few of them at a time, if its reference module has

    state_bytes(call)   bytes that it keeps in a workspace from call to call, a multiple of 16; 0 where a layer of these
                        parameters and shapes, which is all that it looks at, cannot

With `call.over` output 0 lies over input 0, some bytes before it, so that what is written are elements that no later
one needs: of float32 row after row in one channel after the other, else row after row. `compute` asks for one row
at a time; only a kernel that computes float32 has to know.

With `call.reduces` 1, [call.y0, call.y1) are rows of *input* 0, which may be a ring that holds no others. Every row is
given once, from the first on. The call with y0 = 0 begins, whatever the workspace holds; the one with y1 = h writes the
output, and no other does. Row by row or all at once, the reference gives the same bytes.

`data` is indexed with one non-negative integer and never sliced: MicroPython's `uctypes` checks the upper bound only.
So `check` must prove that `run` stays inside every operand, whatever the parameters say.
"""

from .port import ITEM_BYTES, const

_F32 = const(1)
_BLOB_WORDS = const(16)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_CSTEP = const(6)
_B_RSTEP = const(7)
_B_PSTEP = const(8)
_B_ROWS = const(9)
_B_PLACE = const(10)
_B_OWNER = const(14)
_LAYER_WORDS = const(12)
_L_OPERANDS = const(2)
_L_INPUTS = const(3)
_L_OUTPUTS = const(4)
_L_PARAMS = const(5)
_L_FLAGS = const(1)
_OVER = const(4)
_L_PARAM_COUNT = const(6)

# Of a net's places
_AT_LAYERS = const(1)
_AT_OPERANDS = const(2)
_AT_PARAMS = const(3)
_AT_WEIGHTS = const(4)


class Operand:
    """One tensor as a kernel sees it: c x h x w elements of `data`.

    Element (c, y, x) is `data[base + c * cs + (y + phase) % rows * rs + x * ps]`: steps are counted in elements, and
    `rows` is how many rows are held (h for a whole tensor, whose phase is 0; fewer for a ring).
    """

    def __init__(self):
        self.data = None  # typed view of the whole buffer that the operand lies in
        self.array = None  # the same as an ndarray (numpy or ulab), for the vector backend
        self.base = 0
        self.c = self.h = self.w = 0
        self.cs = self.rs = self.ps = 0
        self.rows = 0
        self.phase = 0
        self.dtype = _F32

    def at(self, c, y):
        """Index of element (c, y, 0)."""
        return self.base + c * self.cs + (y + self.phase) % self.rows * self.rs

    def __getattr__(self, name):
        """`count`: the number of elements. `dense`: whether they lie in c, y, x order without gaps.

        No properties: MicroPython would look for one in every assignment to an operand, of which a layer takes some 70.
        """
        if name == "count":
            return self.c * self.h * self.w
        if name == "dense":
            return (
                self.ps == 1
                and self.rs == self.w
                and (self.c == 1 or self.cs == self.h * self.w)
                and self.rows == self.h
            )
        raise AttributeError(name)

    def same_shape(self, other):
        return self.c == other.c and self.h == other.h and self.w == other.w

    def lies_at(self, base, whole):
        """Whether these are the elements of `whole`, another operand, from its index `base` on: no copies of them."""
        return (
            self.base == base
            and self.data is whole.data
            and (self.c == 1 or self.cs == whole.cs)
            and (self.h == 1 or self.rs == whole.rs)
            and (self.w == 1 or self.ps == whole.ps)
        )


class Call:
    """One layer's call; the same object is filled again for every layer."""

    layers = None  # asm_thumb/layers.py's, which has filled in the record, and not the operands

    def __init__(self, operands):
        self._pool = [Operand() for _ in range(operands)]
        self.n_in = 0
        self.n_out = 0
        self.y0 = 0
        self.y1 = 0
        self.reduces = 0  # 1: the rows are input 0's
        self.over = 0  # not 0: output 0 is written over input 0, in which it lies some bytes before
        self.workspace = None  # int32 view of the buffer that the workspace of a reduction lies in
        self.float_workspace = None  # the same words as float32
        self.first_word = 0  # where the workspace starts in them
        self.workspace_bytes = 0
        self.n_params = 0
        self.params = None  # int32 view of the parameters' buffer
        self.float_params = None  # the same words as float32
        self.first_param = 0
        self.record = None  # what the viper backend keeps from call to call: viper/record.py
        self.memory = None

    def input(self, i):
        return self._pool[i]

    def output(self, i=0):
        return self._pool[self.n_in + i]

    def int_param(self, i):
        return self.params[self.first_param + i]

    def float_param(self, i):
        return self.float_params[self.first_param + i]

    def bind(self, net, layer, slots, arena):
        """Fill in a layer's operands and parameters; without an arena, all but the blobs' places."""
        w = net.words
        r = net.at[_AT_LAYERS] + layer * _LAYER_WORDS
        self.n_in = w[r + _L_INPUTS]
        self.n_out = w[r + _L_OUTPUTS]
        self.over = w[r + _L_FLAGS] & _OVER
        self.params = w
        self.float_params = net.view(_F32)
        self.first_param = net.at[_AT_PARAMS] + w[r + _L_PARAMS]
        self.n_params = w[r + _L_PARAM_COUNT]
        first = net.at[_AT_OPERANDS] + w[r + _L_OPERANDS]
        pool = self._pool
        n_blobs = net.n_blobs
        blobs_at = net.blobs_at
        uses_arrays = net.uses_arrays
        seen = 0  # the type of the constants that `constants` is a view of
        constants = None
        for i in range(self.n_in + self.n_out):
            operand = pool[i]
            blob = w[first + i]
            e = blobs_at + blob * _BLOB_WORDS
            dtype = w[e] & 0xFF
            item = ITEM_BYTES[dtype]
            operand.dtype = dtype
            operand.c = w[e + _B_C]
            operand.h = w[e + _B_H]
            operand.w = w[e + _B_W]
            operand.cs = w[e + _B_CSTEP] // item
            operand.rs = w[e + _B_RSTEP] // item
            operand.ps = w[e + _B_PSTEP] // item
            operand.rows = w[e + _B_ROWS]
            operand.phase = 0
            if blob >= n_blobs:
                if dtype != seen:
                    seen = dtype
                    constants = net.view(dtype)
                operand.data = constants
                operand.base = (net.at[_AT_WEIGHTS] + w[e + _B_PLACE]) // item
                if uses_arrays:
                    operand.array = as_array(net, net.data, dtype)
            elif arena is not None:
                operand.data = arena.view(dtype)
                operand.base = arena.offset(slots[blob]) // item
                if w[e + _B_OWNER]:
                    operand.base += w[e + _B_PLACE] // item
                if uses_arrays:
                    operand.array = as_array(arena, arena.buffer, dtype)
            else:
                operand.data = None
                operand.base = 0
        self.y0 = 0
        self.y1 = self.output().h
        self.reduces = 0

    def compute(self, kernel):
        """Run a kernel; over its input row after row, but for float32, where the kernel goes channel by channel."""
        if not self.over or self.output().dtype == _F32:
            kernel(self)
            return
        end = self.y1
        for y in range(end):
            self.y0 = y
            self.y1 = y + 1
            kernel(self)


def as_array(holder, buffer, dtype):
    """The buffer of an arena or net as an ndarray, of float32 only; made once."""
    if dtype != _F32:
        return None
    array = holder.array
    if array is None:
        from .vector.array import np

        size = len(buffer) // 4 * 4
        array = holder.array = np.frombuffer(buffer[:size], dtype=np.float32 if hasattr(np, "float32") else np.float)
    return array
