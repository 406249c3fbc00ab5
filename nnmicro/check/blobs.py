"""The records of blobs and constants, and all names."""

from ..port import ITEM_BYTES, const
from . import check_name, check_text, fail

_F32 = const(1)
_I32 = const(5)
_U8 = const(3)
_MAX_RANK = const(6)
_ORDER_CHW = const(0)
_ORDER_HWC = const(1)
_B_BYTES = const(2)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_ROWS = const(9)
_B_CSTEP = const(6)
_B_SHAPE = const(11)
_B_NAME = const(15)
_B_PACKING = const(14)
_B_OWNER = const(14)
_B_QUANT = const(13)
_B_PLACE = const(10)
_B_PRODUCER = const(12)
_ALIGNMENT = const(16)
_Q_AXIS = const(0)
_Q_COUNT = const(1)
_Q_SCALES = const(2)
_MOST = const((1 << 30) - 1)


def check(model):
    _names(model)
    _blobs(model)


def _names(model):
    """Names end inside their section; kinds of layers are names of modules and nothing else."""
    if model.names_bytes and model.data[model.names_at + model.names_bytes - 1]:
        fail("section names does not end with a 0 byte")
    check_text(model, model.names_at, model.names_bytes, "names")
    for op in model.op_names:
        if not op or op[0] == "_" or any(c not in b"abcdefghijklmnopqrstuvwxyz0123456789_" for c in op.encode()):
            fail("%r is no kind of layer", op)
    if model.fused_words % 2:
        fail("section fused has an odd number of words")
    w = model.words
    for i in range(0, model.fused_words, 2):
        check_name(model, w[model.fused_at + i], "fused entry %d" % (i // 2))
        if not 0 <= w[model.fused_at + i + 1] < model.n_blobs:
            fail("fused entry %d names blob %d", i // 2, w[model.fused_at + i + 1])


def _blobs(model):
    w = model.words
    for i in range(model.n_records):
        r = model.record(i)
        dtype = w[r] & 0xFF
        rank = w[r] >> 8 & 0xFF
        whose = "blob %d" % i
        if not 0 < dtype < len(ITEM_BYTES) or rank > _MAX_RANK or w[r] >> 16 not in (_ORDER_CHW, _ORDER_HWC):
            fail("%s: type word 0x%x", whose, w[r])
        item = ITEM_BYTES[dtype]
        nbytes = w[r + _B_BYTES]
        c, h, wide = w[r + _B_C], w[r + _B_H], w[r + _B_W]
        if min(nbytes, c, h, wide) < 1 or max(nbytes, c, h, wide) > _MOST:
            fail("%s: %d bytes for %d x %d x %d elements", whose, nbytes, c, h, wide)
        if w[r + _B_ROWS] != h:
            fail("%s: holds %d of %d rows, which this engine does not stream", whose, w[r + _B_ROWS], h)
        end = item
        for k in range(3):
            step = w[r + _B_CSTEP + k]
            if not 0 < step <= _MOST or step % item:
                fail("%s: a step of %d bytes", whose, step)
            end += (w[r + _B_C + k] - 1) * step
        if end > nbytes:
            fail("%s: its elements reach to byte %d of %d", whose, end, nbytes)
        _distinct(w, r, whose)
        first = w[r + _B_SHAPE]
        if not 0 <= first <= model.n_shapes - rank:
            fail("%s: its shape is outside the shapes", whose)
        elements = 1
        for axis in range(rank):
            size = w[model.shapes_at + first + axis]
            if not 0 < size <= _MOST:
                fail("%s: axis %d has size %d", whose, axis, size)
            elements *= size
        if elements != c * h * wide:
            fail("%s: its shape has %d elements, its storage %d", whose, elements, c * h * wide)
        check_name(model, w[r + _B_NAME], whose)
        if w[r + _B_QUANT] != -1:
            _quantisation(model, w[r + _B_QUANT], dtype, whose)
        place = w[r + _B_PLACE]
        if i >= model.n_blobs:
            if w[r + _B_PACKING] != 0:
                fail("%s: packed for other kernels: convert the model for this board", whose)
            if not 0 <= place <= model.weights_bytes - nbytes or place % item:
                fail("constant %d: its %d bytes at %d are outside the weights", i, nbytes, place)
            if w[r + _B_PRODUCER] != -1:
                fail("constant %d has a producer", i)
        elif w[r + _B_OWNER]:
            model.n_views += 1
        elif place != -1 and (place < 0 or place % _ALIGNMENT or place + nbytes > model.arena_size):
            fail("%s: planned at %d, outside the %d bytes of the frame", whose, place, model.arena_size)


def _quantisation(model, at, dtype, whose):
    """An integer blob has one scale, a positive number, and one zero point that its type can hold."""
    if not 0 <= at <= model.n_quantisation - 4 or dtype == _F32:
        fail("%s: its quantisation is outside the list, or it is no integer", whose)
    at += model.quantisation_at
    if model.words[at + _Q_AXIS] != -1 or model.words[at + _Q_COUNT] != 1:
        fail("%s: quantised by axis, which blobs cannot be", whose)
    scale, zero = model.view(_F32)[at + _Q_SCALES], model.words[at + _Q_SCALES + 1]
    bits = 8 * ITEM_BYTES[dtype] if dtype != _I32 else 30
    low = 0 if dtype == _U8 else -(1 << bits - 1)
    if not 0 < scale < 1e30 or not low <= zero < low + (1 << bits):
        fail("%s: a scale of %s, a zero point of %d", whose, scale, zero)


def _distinct(words, r, whose):
    """No two elements share a byte: each step is at least as long as all that the smaller ones span."""
    axes = sorted([(words[r + _B_CSTEP + k], words[r + _B_C + k]) for k in range(3)])
    span = 0
    for step, count in axes:
        if count > 1:
            if step < span:
                fail("%s: its elements overlap", whose)
            span = step * count if step * count > span else span
