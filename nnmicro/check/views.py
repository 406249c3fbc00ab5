"""Blobs that lie in another blob's block: parts of it, what a concatenation gathers, and what is written over.

A part (a layer of kind `slice` that shares) lies where its layer says. A gathered blob lies where a concatenation is to
have it, and no other layer writes there. So reading one is reading what it is, whatever the order and the readers.
(What a layer's output is written over is looked at in over.py.) Loaded for models that have such blobs.
"""

from array import array

from ..port import ITEM_BYTES, const
from . import fail

_B_FLAGS = const(1)
_INPUT = const(1)
_STATE = const(4)
_B_BYTES = const(2)
_B_C = const(3)
_B_CSTEP = const(6)
_B_PSTEP = const(8)
_B_RSTEP = const(7)
_B_PLACE = const(10)
_B_PRODUCER = const(12)
_B_OWNER = const(14)
_L_OP = const(0)
_L_FLAGS = const(1)
_L_INPUTS = const(3)
_L_PARAMS = const(5)
_L_PARAM_COUNT = const(6)
_SHARE = const(1)
_IN_PLACE = const(2)
_OVER = const(4)
_SLICE_PARAMS = const(6)  # three starts, three steps
_MOST = const((1 << 30) - 1)


def check(model):
    if model.steps_at:
        fail("%d blobs lie inside others, in a model that runs row by row", model.n_views)
    for i in range(model.n_blobs):
        if model.words[model.record(i) + _B_OWNER]:
            _inside(model, i)
    # For each gathered blob the output that gathers it; for others themselves.
    parent = array("h", (-1 for _ in range(model.n_blobs)))
    for layer in range(model.n_layers):
        _layer(model, layer, parent)
    gathered = []
    for i in range(model.n_blobs):
        r = model.record(i)
        if model.words[r + _B_OWNER] and not _flags_of_producer(model, i) & _SHARE:
            if parent[i] < 0:
                fail("blob %d lies in blob %d, which does not gather it", i, model.words[r + _B_OWNER] - 1)
            gathered.append(i)
    for i in range(len(gathered)):
        for j in range(i):
            _apart(model, gathered[i], gathered[j], parent)
    for layer in range(model.n_layers):
        _copied(model, layer, gathered, parent)


def _inside(model, blob):
    """A view's bytes are its owner's, and of the same type."""
    w = model.words
    r = model.record(blob)
    owner = w[r + _B_OWNER] - 1
    if not 0 <= owner < model.n_blobs or w[model.record(owner) + _B_OWNER] or _flags_of_producer(model, owner) & _SHARE:
        fail("blob %d lies in blob %d, which has no block of its own", blob, owner)
    o = model.record(owner)
    if w[r + _B_FLAGS] & (_INPUT | _STATE) or w[o + _B_FLAGS] & _STATE or w[r] & 0xFF != w[o] & 0xFF:
        fail("blob %d lies in blob %d: neither may be a state, nor it an input, and both have one type", blob, owner)
    place = w[r + _B_PLACE]
    end = _MOST if _flags_of_producer(model, owner) & _OVER else w[o + _B_BYTES]
    if place < 0 or place % ITEM_BYTES[w[r] & 0xFF] or place > end - w[r + _B_BYTES]:
        fail("blob %d: its %d bytes at %d of blob %d's %d", blob, w[r + _B_BYTES], place, owner, w[o + _B_BYTES])


def _layer(model, layer, parent):
    """A layer's output lies where the layer has it lie; notes which blobs a concatenation gathers."""
    w = model.words
    e = model.layer(layer)
    flags = w[e + _L_FLAGS]
    first, end = model.operands(layer)
    source, target = w[first], w[end]
    t = model.record(target)
    op = model.op_names[w[e + _L_OP]]
    if flags & _OVER:
        parent[source] = target  # see over.py
    elif flags & _SHARE:
        start = _start(model, layer, source, target) if op == "slice" else 0
        lies = start >= 0 and _offset(model, source) + start == _offset(model, target)
        if not lies or _block(model, source) != _block(model, target):
            fail("layer %d: its output does not lie where its input has it", layer)
    elif flags & _IN_PLACE and (w[t + _B_OWNER] or w[model.record(source) + _B_OWNER]):
        fail("layer %d would work in place inside another blob", layer)
    elif op == "concat":
        for i in range(end - first):
            blob = w[first + i]
            if _is_gathered(model, layer, i):
                while _flags_of_producer(model, blob) & _SHARE and _op_of_producer(model, blob) == "share":
                    blob = _source(model, blob)
                parent[blob] = target


def _is_gathered(model, layer, i):
    """Whether input i of a concatenation lies in its output, where it has to."""
    w = model.words
    first, end = model.operands(layer)
    blob, target = w[first + i], w[end]
    if blob >= model.n_blobs or _block(model, blob) != _block(model, target):
        return False
    a, b = model.record(blob), model.record(target)
    there = w[a] & 0xFF == w[b] & 0xFF and _offset(model, blob) == _offset(model, target) + _before(model, layer, i)
    for k in range(3):
        there = there and (w[a + _B_C + k] == 1 or w[a + _B_CSTEP + k] == w[b + _B_CSTEP + k])
    if not there and not _disjoint(model, a, _offset(model, blob), target):
        fail("layer %d: its input %d lies in its output, but elsewhere than it has to", layer, i)
    return there


def _before(model, layer, i):
    """Bytes from a concatenation's first element to the first one of its input i."""
    w = model.words
    e = model.layer(layer)
    first, end = model.operands(layer)
    axis = w[model.params_at + w[e + _L_PARAMS]] if w[e + _L_PARAM_COUNT] == 1 else -1
    if not 0 <= axis <= 2:
        fail("layer %d: a concatenation without an axis", layer)
    start = 0
    for k in range(i):
        start += w[model.record(w[first + k]) + _B_C + axis]
    return start * w[model.record(w[end]) + _B_CSTEP + axis]


def _start(model, layer, source, target):
    """Where in its source a part begins, in bytes; negative where a part cannot lie so."""
    w = model.words
    e = model.layer(layer)
    p = model.params_at + w[e + _L_PARAMS]
    a, b = model.record(source), model.record(target)
    start = 0
    if w[e + _L_PARAM_COUNT] != _SLICE_PARAMS or w[e + _L_INPUTS] != 1:
        return -1
    for k in range(3):
        start += w[p + k] * w[a + _B_CSTEP + k]
        if w[b + _B_C + k] > 1 and w[b + _B_CSTEP + k] != w[a + _B_CSTEP + k] * w[p + 3 + k]:
            return -1
    return start


def _apart(model, a, b, parent):
    """Two gathered blobs of one owner share no byte, unless one of them is gathered in the other."""
    w = model.words
    if w[model.record(a) + _B_OWNER] != w[model.record(b) + _B_OWNER]:
        return
    if _is_within(parent, a, b) or _is_within(parent, b, a):
        return
    if not _disjoint(model, model.record(a), w[model.record(a) + _B_PLACE], b):
        fail("blobs %d and %d lie over each other in blob %d", a, b, w[model.record(a) + _B_OWNER] - 1)


def _copied(model, layer, gathered, parent):
    """What a concatenation still copies goes over nothing that was gathered."""
    w = model.words
    first, end = model.operands(layer)
    target = w[end]
    if model.op_names[w[model.layer(layer) + _L_OP]] != "concat" or not gathered:
        return
    for i in range(end - first):
        if not _is_gathered(model, layer, i):
            at = _offset(model, target) + _before(model, layer, i)
            for other in gathered:
                if _block(model, other) == _block(model, target) and not _is_within(parent, target, other):
                    if not _disjoint(model, model.record(w[first + i]), at, other, model.record(target)):
                        fail("layer %d copies its input %d over blob %d", layer, i, other)


def _is_within(parent, blob, other):
    """Whether a blob is another, or is gathered in it, maybe by way of others."""
    while blob >= 0:
        if blob == other:
            return True
        blob = parent[blob]  # made by a later layer each time
    return False


def _disjoint(model, r, at, other, steps=0):
    """Whether the elements of record r, from byte `at` of the block on and (where given) with the steps of another
    record, share no byte with those of another blob: one after the other, or beside each other in every pixel."""
    w = model.words
    steps = steps or r
    item = ITEM_BYTES[w[r] & 0xFF]
    o = model.record(other)
    start, end = at, at + item
    first = _offset(model, other)
    last = first + item
    for k in range(3):
        end += (w[r + _B_C + k] - 1) * w[steps + _B_CSTEP + k]
        last += (w[o + _B_C + k] - 1) * w[o + _B_CSTEP + k]
    if end <= first or last <= start:
        return True
    pixel = w[o + _B_PSTEP]
    if w[steps + _B_PSTEP] != pixel or w[steps + _B_RSTEP] % pixel or w[o + _B_RSTEP] % pixel:
        return False
    a, a_end = start % pixel, start % pixel + (w[r + _B_C] - 1) * w[steps + _B_CSTEP] + item
    b, b_end = first % pixel, first % pixel + (w[o + _B_C] - 1) * w[o + _B_CSTEP] + item
    return a_end <= pixel and b_end <= pixel and (a_end <= b or b_end <= a)


def _flags_of_producer(model, blob):
    producer = model.words[model.record(blob) + _B_PRODUCER]
    return model.words[model.layer(producer) + _L_FLAGS] if producer >= 0 else 0


def _op_of_producer(model, blob):
    producer = model.words[model.record(blob) + _B_PRODUCER]
    return model.op_names[model.words[model.layer(producer) + _L_OP]]


def _source(model, blob):
    """The first input of the layer that makes a blob."""
    w = model.words
    return w[model.operands(w[model.record(blob) + _B_PRODUCER])[0]]


def _block(model, blob):
    """The blob whose block a blob lies in."""
    while True:
        owner = model.words[model.record(blob) + _B_OWNER] - 1
        if owner >= 0:
            return owner
        if not _flags_of_producer(model, blob) & _SHARE:
            return blob
        blob = _source(model, blob)


def _offset(model, blob):
    """Where it lies there, in bytes."""
    r = model.record(blob)
    return model.words[r + _B_PLACE] if model.words[r + _B_OWNER] else 0
