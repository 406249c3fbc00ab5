"""Inputs that are given row by row, for `streaming.Stream`. Loaded when rows are first given."""

from .blob import Blob
from .modules import load
from .port import ITEM_BYTES, const

_BLOB_WORDS = const(16)
_B_BYTES = const(2)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_RSTEP = const(7)
_PLACE_WORDS = const(3)
_STEP_WORDS = const(3)
_T_STEPS = const(2)
_RUNNING = const(1)
_BROKEN = const(2)

_BYTES_LIKE = (bytes, bytearray, memoryview)


def feed(stream, name, data, elements):
    """See `Stream.feed`."""
    net = stream.net
    w = net.words
    if stream._stage > _RUNNING:
        stream._refuse("feed")
    number = stream._number(name)
    blob = stream._blob(number)
    if not stream._is_fed(number):
        raise ValueError("input %s of this model is given whole: use input()" % net.name(blob))
    if not _is_bytes(data):
        raise ValueError("feed(%r) takes rows as bytes, a bytearray or a memoryview of bytes" % (name,))
    stream._check_given("feed")
    r = net.blobs_at + blob * _BLOB_WORDS
    prepared = net.preprocess is not None and not elements and _is_preprocessed(stream, blob)
    size = w[r + _B_C] * w[r + _B_W] * (1 if prepared else ITEM_BYTES[w[r] & 0xFF])
    rows = len(data) // size
    left = w[r + _B_H] - stream._rows[number]
    if rows * size != len(data):
        raise ValueError("input %s takes whole rows of %d bytes; %d were given" % (net.name(blob), size, len(data)))
    if rows > left:
        raise ValueError("%d rows for input %s, which takes %d more" % (rows, net.name(blob), left))
    stream._begin()
    stream._stage = _RUNNING
    at = 0
    if stream._native_feed and not prepared:
        at = _take_in_c(stream, number, data, size)
    while at < len(data):
        _take(stream, number, r, data, at, size, prepared)
        at += size
    stream._run(w[net.steps_at + _T_STEPS], 1 << 29)
    return w[r + _B_H] - stream._rows[number]


def _take_in_c(stream, number, data, size):
    """As many rows as `_nnmicro` can take, and the steps in between; returns how many bytes that were."""
    end = stream.net.words[stream.net.steps_at + _T_STEPS]
    blob = stream._blob(number)
    rows = stream._rows
    at = 0
    try:
        while at < len(data):
            step = stream._next
            row = rows[number]
            stream.arena.lock.acquire()
            try:
                stream._next = stream._native_feed(stream._context, step, end - step, number, blob, data, at, rows)
            finally:
                stream.arena.lock.release()
            at += (rows[number] - row) * size
            if stream._next == step and rows[number] == row:
                break  # a step that Python has to do, or to refuse
    except BaseException:
        stream._stage = _BROKEN
        raise
    return at


def _take(stream, number, r, data, at, size, prepared):
    """One row, `size` bytes of `data` from `at` on, to where it belongs, after the steps that come before."""
    net = stream.net
    w = net.words
    end = w[net.steps_at + _T_STEPS]
    stream._run(end, 1 << 29)
    row = stream._rows[number]
    if stream._next < end:
        step = stream._steps + _STEP_WORDS * stream._next
        if w[step] != -1 - number:
            raise ValueError(
                "row %d of input %s comes too early: first feed row %d of input %s"
                % (
                    row,
                    net.name(stream._blob(number)),
                    stream._rows[-1 - w[step]],
                    net.name(stream._blob(-1 - w[step])),
                )
            )
        place = stream._places + _PLACE_WORDS * stream._blob(number)
        target = stream._base[0] + w[place] + (row + w[place + 2]) % w[place + 1] * w[r + _B_RSTEP]
        if prepared:
            stream._preprocessing.apply_row(net, stream._blob(number), stream.arena, target, data, at)
        elif net.native:
            net.native.copy(stream.arena.buffer, target, data, at, size)
        else:
            buffer = stream.arena.buffer
            for i in range(size):
                buffer[target + i] = data[at + i] & 255
        if row + 1 == w[step + 1] + w[step + 2]:
            stream._next += 1
    # A row that no step takes is one that no output depends on.
    stream._rows[number] = row + 1


def feed_all(stream, name, data, elements=False):
    """All rows of an input that is fed, in whatever form `Blob.assign` takes; `elements`: as `Blob.assign_bytes`."""
    net = stream.net
    number = stream._number(name)
    if stream._rows[number] or stream._stage > _RUNNING:
        stream._refuse("input")
    blob = stream._blob(number)
    r = net.blobs_at + blob * _BLOB_WORDS
    in_rows = net.words[r] >> 16 or net.words[r + _B_C] == 1
    if not (_is_bytes(data) and in_rows):
        whole = Blob(net, blob, load("elements").Memory(net.words[r + _B_BYTES]))
        if elements:
            whole.assign_bytes(data)
        else:
            whole.assign(data)
        data, elements = whole.view(), True
    feed(stream, name, data, elements)
    if stream._rows[number] < net.words[r + _B_H]:
        raise ValueError(
            "input %s has %d rows, %d were given: use feed() for some of them"
            % (net.name(blob), net.words[r + _B_H], stream._rows[number])
        )


def _is_bytes(data):
    return isinstance(data, _BYTES_LIKE) and getattr(data, "itemsize", 1) == 1


def _is_preprocessed(stream, blob):
    if stream._preprocessing is None:
        stream._preprocessing = load("preprocessing")
    return stream._preprocessing.has(stream.net, blob)
