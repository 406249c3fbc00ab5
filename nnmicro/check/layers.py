"""The records of layers: their order, their operands, and the declared inputs and outputs."""

from ..port import const
from . import check_name, fail

_B_FLAGS = const(1)
_INPUT = const(1)
_STATE = const(4)
_B_PRODUCER = const(12)
_L_INPUTS = const(3)
_L_OUTPUTS = const(4)
_L_OPERANDS = const(2)
_L_OP = const(0)
_L_PARAM_COUNT = const(6)
_L_PARAMS = const(5)
_L_NAME = const(7)
_L_WORKSPACE = const(8)
_L_FLAGS = const(1)
_SHARE = const(1)
_IN_PLACE = const(2)
_OVER = const(4)
_B_BYTES = const(2)
_B_C = const(3)
_B_PSTEP = const(8)
_OUTPUT = const(2)
_B_OWNER = const(14)


def check(model):
    _layers(model)
    _io(model)


def _layers(model):
    """Layers read only what earlier ones made, every blob is made once; counts the readers of every blob."""
    w = model.words
    made = bytearray(model.n_blobs)
    for i in range(model.n_blobs):
        r = model.record(i)
        flags = w[r + _B_FLAGS]
        if flags & (_INPUT | _STATE):
            made[i] = 1
            if w[r + _B_PRODUCER] != -1 or flags & _STATE and flags != _STATE:
                fail("blob %d is an input or a state, and something else, too", i)
        elif not 0 <= w[r + _B_PRODUCER] < model.n_layers:
            fail("blob %d is made by layer %d of %d", i, w[r + _B_PRODUCER], model.n_layers)
    for i in range(model.n_layers):
        r = model.layer(i)
        n_in, n_out = w[r + _L_INPUTS], w[r + _L_OUTPUTS]
        first = w[r + _L_OPERANDS]
        if not 0 <= w[r + _L_OP] < len(model.op_names):
            fail("layer %d is of kind %d, %d are named", i, w[r + _L_OP], len(model.op_names))
        if n_in < 1 or n_out != 1 or n_in + n_out > model.max_operands:
            fail("layer %d has %d inputs and %d outputs", i, n_in, n_out)
        count = w[r + _L_PARAM_COUNT]
        inside = 0 <= first <= model.n_operands - n_in - n_out
        if not inside or count < 0 or not 0 <= w[r + _L_PARAMS] <= model.n_params - count:
            fail("layer %d: its operands or parameters are outside their list", i)
        check_name(model, w[r + _L_NAME], "layer %d" % i)
        if w[r + _L_WORKSPACE] != 0:
            fail("layer %d asks for a workspace of %d bytes, which this engine does not give", i, w[r + _L_WORKSPACE])
        first += model.operands_at
        for k in range(first, first + n_in):
            blob = w[k]
            if not 0 <= blob < model.n_records:
                fail("layer %d reads blob %d of %d", i, blob, model.n_records)
            if blob < model.n_blobs and not made[blob]:
                fail(
                    "layer %d reads blob %d before a layer made it: the layers form a cycle or are out of order",
                    i,
                    blob,
                )
        blob = w[first + n_in]
        if not 0 <= blob < model.n_blobs or made[blob] or w[model.record(blob) + _B_PRODUCER] != i:
            fail("layer %d makes blob %d, which is not its to make", i, blob)
        made[blob] = 1
        if not _fits(model, r, w[first], blob):
            op = model.op_names[w[r + _L_OP]]
            fail("layer %d of kind %s: its output does not lie as its flags 0x%x say", i, op, w[r + _L_FLAGS])
    for i in range(model.n_blobs):
        if not made[i]:
            fail("no layer makes blob %d", i)


def _fits(model, r, source, target):
    """Whether a layer with this record can have its output where its flags say: in its input's block, or another."""
    w = model.words
    flags = w[r + _L_FLAGS]
    op = model.op_names[w[r + _L_OP]]
    if flags not in (0, _SHARE, _IN_PLACE, _OVER) or op != "slice" and (op == "share") != (flags == _SHARE):
        return False
    if not flags:
        return True
    if source >= model.n_blobs:
        return False
    a, b = model.record(source), model.record(target)
    if flags == _OVER:
        model.n_over += 1
        return w[a + _B_OWNER] == target + 1  # see over.py
    if op == "slice" and flags == _SHARE:
        return w[b + _B_OWNER] != 0  # see views.py
    if w[a + _B_BYTES] != w[b + _B_BYTES] or w[a] & 0xFF != w[b] & 0xFF:
        return False
    if flags == _IN_PLACE:
        for field in range(_B_C, _B_PSTEP + 1):
            if w[a + field] != w[b + field]:
                return False
    return True


def _io(model):
    """Each declared input and output is a blob that is marked as one, and all of those are declared, once."""
    w = model.words
    declared = bytearray(model.n_blobs)
    for i in range(model.n_inputs + model.n_outputs):
        blob = w[model.io_at + i]
        flag = _INPUT if i < model.n_inputs else _OUTPUT
        if not 0 <= blob < model.n_blobs or declared[blob] & flag:
            fail("input or output %d is blob %d, which is none, or is declared twice", i, blob)
        declared[blob] |= flag
    for i in range(model.n_blobs):
        if w[model.record(i) + _B_FLAGS] & (_INPUT | _OUTPUT) != declared[i]:
            fail("blob %d is not declared as what it is marked: an input, an output, or neither", i)
