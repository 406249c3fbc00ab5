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
_B_H = const(4)
_B_W = const(5)
_B_CSTEP = const(6)
_B_RSTEP = const(7)
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
        if w[r + _B_FLAGS] & (_INPUT | _STATE):
            made[i] = 1
            if w[r + _B_PRODUCER] != -1:
                fail("input or state blob %d has a producer", i)
            if w[r + _B_FLAGS] & _STATE and w[r + _B_FLAGS] != _STATE:
                fail("state blob %d is an input or output, too", i)
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
        if not 0 <= first <= model.n_operands - n_in - n_out:
            fail("layer %d: its operands are outside the list", i)
        count = w[r + _L_PARAM_COUNT]
        if count < 0 or not 0 <= w[r + _L_PARAMS] <= model.n_params - count:
            fail("layer %d: its parameters are outside the list", i)
        check_name(model, w[r + _L_NAME], "layer %d" % i)
        if w[r + _L_WORKSPACE] != 0:
            fail("layer %d asks for a workspace of %d bytes, which this engine does not give", i, w[r + _L_WORKSPACE])
        for k in range(n_in):
            blob = w[model.operands_at + first + k]
            if not 0 <= blob < model.n_records:
                fail("layer %d reads blob %d of %d", i, blob, model.n_records)
            if blob < model.n_blobs and not made[blob]:
                fail(
                    "layer %d reads blob %d before a layer made it: the layers form a cycle or are out of order",
                    i,
                    blob,
                )
        for k in range(n_in, n_in + n_out):
            blob = w[model.operands_at + first + k]
            if not 0 <= blob < model.n_blobs or made[blob] or w[model.record(blob) + _B_PRODUCER] != i:
                fail("layer %d makes blob %d, which is not its to make", i, blob)
            made[blob] = 1
        _sharing(model, i, r, w[model.operands_at + first], w[model.operands_at + first + n_in])
    for i in range(model.n_blobs):
        if not made[i]:
            fail("no layer makes blob %d", i)


def _sharing(model, layer, r, source, target):
    """A shared or in-place output fits its input's block exactly."""
    w = model.words
    flags = w[r + _L_FLAGS]
    if flags & ~(_SHARE | _IN_PLACE | _OVER) or flags & _OVER and flags != _OVER:
        fail("layer %d has flags 0x%x", layer, flags)
    op = model.op_names[w[r + _L_OP]]
    if (op == "share") != bool(flags & _SHARE) and (op != "slice" or flags != _SHARE):
        fail("layer %d shares its input, or does not, against its kind", layer)
    if not flags:
        return
    if source >= model.n_blobs:
        fail("layer %d would share or overwrite a constant", layer)
    a, b = model.record(source), model.record(target)
    if flags == _OVER:
        if w[a + _B_OWNER] != target + 1:
            fail("layer %d is written over its input, which does not lie in its output", layer)
        model.n_over += 1
        return  # see over.py
    if op == "slice" and flags & _SHARE:
        if not w[b + _B_OWNER]:
            fail("layer %d is a part of its input, and has a block of its own", layer)
        return
    if w[a + _B_BYTES] != w[b + _B_BYTES] or w[a] & 0xFF != w[b] & 0xFF:
        fail("layer %d: its output does not fit its input's block", layer)
    if flags & _IN_PLACE:
        for field in (_B_C, _B_H, _B_W, _B_CSTEP, _B_RSTEP, _B_PSTEP):
            if w[a + field] != w[b + field]:
                fail("layer %d cannot work in place: input and output lie differently", layer)


def _io(model):
    w = model.words
    for i in range(model.n_inputs + model.n_outputs):
        blob = w[model.io_at + i]
        flag = _INPUT if i < model.n_inputs else _OUTPUT
        if not 0 <= blob < model.n_blobs or not w[model.record(blob) + _B_FLAGS] & flag:
            fail("input or output %d is blob %d, which is not marked so", i, blob)
        for k in range(model.n_inputs if i >= model.n_inputs else 0, i):
            if w[model.io_at + k] == blob:
                fail("blob %d is declared twice", blob)
    for flag, count in ((_INPUT, model.n_inputs), (_OUTPUT, model.n_outputs)):
        marked = 0
        for i in range(model.n_blobs):
            if w[model.record(i) + _B_FLAGS] & flag:
                marked += 1
        if marked != count:
            fail("%d blobs are marked as inputs or outputs, %d are declared", marked, count)
