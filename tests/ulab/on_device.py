"""Runs kernels of the vector backend on a device with ulab. Pushed there, as `vector_calls.py`."""

from binascii import a2b_base64, b2a_base64

import nnmicro.vector  # noqa: F401
from nnmicro.arrays import IS_ULAB, np
from nnmicro.call import Call
from nnmicro.port import F32, typed


def run(op, n_in, first_param, params, operands, buffer):
    """Prints the buffer after a call: its operands, each (base, c, h, w, cs, rs, ps), lie in it."""
    assert IS_ULAB
    memory = bytearray(a2b_base64(buffer))
    words = bytearray(a2b_base64(params))
    call = Call(len(operands))
    call.n_in, call.n_out = n_in, 1
    call.params = typed(words, 5, len(words))
    call.float_params = typed(words, F32, len(words))
    call.first_param, call.n_params = first_param, len(words) // 4 - first_param
    data, array = typed(memory, F32, len(memory)), np.frombuffer(memory, dtype=np.float)
    for i in range(len(operands)):
        o = call.input(i)
        o.data, o.array = data, array
        o.base, o.c, o.h, o.w, o.cs, o.rs, o.ps = operands[i]
        o.rows = o.h
    call.y1 = call.output().h
    __import__("nnmicro.vector." + op, None, None, ("*",)).run(call)
    print(b2a_base64(memory).decode())
