"""How often each blob is read, and the memory plan."""

from array import array

from ..port import const
from . import fail

_B_FLAGS = const(1)
_STATE = const(4)
_L_FLAGS = const(1)
_IN_PLACE = const(2)
_SHARE = const(1)
_B_PLACE = const(10)
_B_BYTES = const(2)
_B_OWNER = const(14)


def check(model):
    """No two blobs that live at the same time are planned over each other."""
    w = model.words
    consumers = model.consumers = array("h", bytes(2 * model.n_blobs))
    for i in range(model.n_layers):
        for k in range(*model.operands(i)):
            if w[k] < model.n_blobs:
                consumers[w[k]] += 1
                if consumers[w[k]] >= 1 << 14:
                    fail("blob %d has more readers than an engine counts", w[k])
    for i in range(model.n_outputs):
        consumers[w[model.io_at + model.n_inputs + i]] += 1
    # State is read in the next inference, too: it is never given back and never overwritten in place.
    model.n_states = 0
    for i in range(model.n_blobs):
        if w[model.record(i) + _B_FLAGS] & _STATE:
            consumers[i] += 1
            model.n_states += 1
    left = array("h", consumers)
    nbytes = {}  # of blocks that are larger than their blob
    live = []  # blobs whose memory is theirs at this point
    root = array("h", range(model.n_blobs))  # whose block a blob's is
    for i in range(model.n_blobs):
        if w[model.record(i) + _B_FLAGS] & _STATE:
            _place(model, i, live, root, nbytes)
    for i in range(model.n_inputs):
        _place(model, w[model.io_at + i], live, root, nbytes)
    for i in range(model.n_layers):
        first, end = model.operands(i)
        source, target = w[first], w[end]
        flags = w[model.layer(i) + _L_FLAGS]
        owner = w[model.record(target) + _B_OWNER] - 1
        gathers = target in live  # since the first of its inputs was made
        over = flags & _IN_PLACE and not gathers and left[source] == 1 and not _shared(root, live, source)
        if flags & _SHARE or over:
            root[target] = root[source]
            live.append(target)
        elif owner >= 0:
            if owner not in live:
                t = model.record(target)
                nbytes[owner] = max(w[model.record(owner) + _B_BYTES], w[t + _B_PLACE] + w[t + _B_BYTES])
                _place(model, owner, live, root, nbytes)
            root[target] = owner
            live.append(target)
        elif not gathers:
            _place(model, target, live, root, nbytes)
        for k in range(first, end):
            if w[k] < model.n_blobs:
                left[w[k]] -= 1
                if not left[w[k]]:
                    live.remove(w[k])
        if not left[target]:
            live.remove(target)


def _shared(root, live, blob):
    """Whether another live blob has the same block."""
    for other in live:
        if other != blob and root[other] == root[blob]:
            return True
    return False


def _place(model, blob, live, root, nbytes):
    """Add a blob with a block of its own; ModelError where its planned range is taken."""
    w = model.words
    start = w[model.record(blob) + _B_PLACE]
    if start >= 0:
        end = start + _bytes(model, blob, nbytes)
        if end > model.arena_size:
            fail("blob %d: its block ends at %d, outside the %d bytes of the frame", blob, end, model.arena_size)
        for other in live:
            at = w[model.record(root[other]) + _B_PLACE]
            if at >= 0 and start < at + _bytes(model, root[other], nbytes) and at < end:
                fail("the plan puts blob %d and blob %d into the same memory at the same time", blob, other)
    live.append(blob)


def _bytes(model, blob, nbytes):
    return nbytes.get(blob) or model.words[model.record(blob) + _B_BYTES]
