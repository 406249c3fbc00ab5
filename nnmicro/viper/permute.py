"""Elements in another order: reference/permute.py."""

from ..reference import checks
from . import move, record


def run(call):
    checks.whole(call, "permute")
    memory = record.memory(call, 8)
    # The parameters are the four sizes and the four strides, in this order.
    for i in range(8):
        memory[i] = call.int_param(i)
    move.nested(call, memory)
