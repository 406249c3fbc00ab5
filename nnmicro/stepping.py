"""One step of a streamed model in Python: the reference for `firmware/native/steps.c`, over the same memory.

Loaded when a layer's kernel is in Python.
"""

from .call import Call, as_array
from .port import ITEM_BYTES, const

_F32 = const(1)
_I32 = const(5)
_LAYER_WORDS = const(12)
_L_OPERANDS = const(2)
_STEPS_HEADER_WORDS = const(4)
_PLACE_WORDS = const(3)
_STATE_WORDS = const(2)
_STEP_WORDS = const(3)

# Of a net's places
_AT_LAYERS = const(1)
_AT_OPERANDS = const(2)


def run_step(stream, number):
    """Call the kernel of a step's layer for its rows."""
    net = stream.net
    w = net.words
    from .kernels import python_kernel

    step = stream._steps + _STEP_WORDS * number
    layer = w[step]
    call = stream._call
    if call is None:
        call = stream._call = Call(net.max_operands)
    call.bind(net, layer, None, None)
    arena = stream.arena
    base = stream._base[0]
    first = net.at[_AT_OPERANDS] + w[net.at[_AT_LAYERS] + layer * _LAYER_WORDS + _L_OPERANDS]
    for i in range(call.n_in + call.n_out):
        blob = w[first + i]
        if blob < net.n_blobs:
            place = stream._places + _PLACE_WORDS * blob
            operand = call.input(i)
            operand.data = arena.view(operand.dtype)
            operand.base = (base + w[place]) // ITEM_BYTES[operand.dtype]
            operand.rows = w[place + 1]
            operand.phase = w[place + 2]
            if net.uses_arrays:
                operand.array = as_array(arena, arena.buffer, operand.dtype)
    call.y0 = w[step + 1]
    call.y1 = call.y0 + w[step + 2]
    state = bind_state(call, net, layer)
    if call.reduces:
        call.workspace = arena.view(_I32)
        call.float_workspace = arena.view(_F32)
        call.first_word = (base + w[state]) // 4
    python_kernel(net, layer)(call)


def bind_state(call, net, layer):
    """Whether a layer reduces, and how large its state is; the word index of where that is said."""
    at = net.steps_at + _STEPS_HEADER_WORDS + _PLACE_WORDS * net.n_blobs + _STATE_WORDS * layer
    call.workspace_bytes = net.words[at + 1]
    call.reduces = 1 if call.workspace_bytes else 0
    return at
