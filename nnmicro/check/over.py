"""Layers whose output is written over their input, which lies in the output's block, some bytes behind it.

So far behind that no element goes before it has been read. Loaded for models that have such layers.
"""

from ..port import ITEM_BYTES, const
from . import fail

_F32 = const(1)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_CSTEP = const(6)
_B_RSTEP = const(7)
_B_PSTEP = const(8)
_B_PLACE = const(10)
_B_OWNER = const(14)
_L_OP = const(0)
_L_FLAGS = const(1)
_L_PARAMS = const(5)
_L_PARAM_COUNT = const(6)
_OVER = const(4)
# Of both kinds of layers that can.
_P_STRIDE_H = const(2)
_P_PAD_TOP = const(6)
_P_GROUP = const(8)  # of `convolution`


def check(model):
    for layer in range(model.n_layers):
        if model.words[model.layer(layer) + _L_FLAGS] & _OVER:
            _over(model, layer)


def _over(model, layer):
    """A depthwise convolution over its input: int8 row after row, float32 so in one channel after the other.

    When row y is written, those from y * stride - pad on are still read, and later channels. That is tightest in the
    first or the last row, or where the padding ends, and in the first or the last channel.
    """
    w = model.words
    e = model.layer(layer)
    first, end = model.operands(layer)
    source, target = w[first], w[end]
    p = model.params_at + w[e + _L_PARAMS]
    op = model.op_names[w[e + _L_OP]]
    x, y = model.record(source), model.record(target)
    for i in range(model.n_blobs):
        if w[model.record(i) + _B_OWNER] == target + 1 and i != source:
            fail("blob %d lies in blob %d, which is written over another", i, target)
    known = w[e + _L_PARAM_COUNT] > _P_GROUP and w[p + _P_STRIDE_H] > 0 and w[p + _P_PAD_TOP] >= 0
    if op == "convolution":
        known = known and w[x] & 0xFF == _F32 and w[p + _P_GROUP] == w[x + _B_C] == w[y + _B_C]
    if not known or op not in ("convolution", "depthwise_int8"):
        fail("layer %d of kind %s cannot be written over its input", layer, op)
    stride, pad = w[p + _P_STRIDE_H], w[p + _P_PAD_TOP]
    row = (w[y + _B_W] - 1) * w[y + _B_PSTEP] + ITEM_BYTES[w[y] & 0xFF]
    planes = w[y + _B_C]
    if op != "convolution":
        row += (planes - 1) * w[y + _B_CSTEP]
        planes = 1
    last = w[y + _B_H] - 1
    for top in (0, pad // stride, pad // stride + 1, last):
        top = min(top, last)
        read = max(0, top * stride - pad) * w[x + _B_RSTEP]
        if op == "convolution":
            read = min(read, w[x + _B_CSTEP])  # the next channel
        for c in (0, planes - 1):
            end = c * w[y + _B_CSTEP] + top * w[y + _B_RSTEP] + row
            if end > w[x + _B_PLACE] + c * w[x + _B_CSTEP] + read:
                fail("layer %d would be written over what it still reads", layer)
