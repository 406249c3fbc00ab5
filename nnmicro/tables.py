"""Reads a model file but for its weights, and makes the window that they are read into. Loaded for that and forgotten.

What the file says of itself (its tables) lies in front of its lazy sections: weights and golden vectors.
"""

import gc
from array import array

from .arena import Arena, frame_memory
from .check import Model, checked, fail
from .modules import forget
from .port import ITEM_BYTES, const, crc32, read_into
from .window import Window

_I32 = const(5)
_HEADER_BYTES = const(128)
_HEADER_WORDS = const(32)
_H_SECTIONS = const(4)
_SECTION_WORDS = const(4)
_S_OFFSET = const(1)
_S_BYTES = const(2)
_KIND_MASK = const(255)
_LAZY = const(512)
_WEIGHTS = const(11)
_LAST_KIND = const(16)
_ALIGNMENT = const(16)
_BLOB_WORDS = const(16)
_B_BYTES = const(2)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_CSTEP = const(6)
_B_RSTEP = const(7)
_B_PSTEP = const(8)
_B_PLACE = const(10)
_L_OP = const(0)
_L_FLAGS = const(1)
_L_PARAMS = const(5)
_L_PARAM_COUNT = const(6)

_P_GROUP = const(8)  # of both kinds of convolutions
_LEAST = const(256)  # bytes of a window, whatever the model
_RESERVE = const(16384)  # of memory that is left besides the inputs': for the extractor, and code that is not there yet


def read(net, file, path):
    """The checked Model of an open file, whose tables and window become `net.data`, and its Window `net.window`.

    Raises ModelError for a file that is damaged or not made for this, ValueError for a window that is too small,
    MemoryError where tables and window do not fit.
    """
    size = file.seek(0, 2)
    end = _end_of_tables(file, size)
    model = checked(_taken(file, bytearray(end)), size)
    if model.steps_at:
        fail("a streamed model would read its weights again for every few rows: put the file into ROMFS, or into RAM")
    needs, least = _needs(model)
    asked = net.option.window if net.option is not None else 0
    bound, smallest = _bounds(asked, max(needs), max(least))
    # An application has its inputs somewhere, too.
    spare = _RESERVE
    for i in range(model.io_at, model.io_at + model.n_inputs):
        spare += model.words[model.record(model.words[i]) + _B_BYTES]
    crc = crc32(model.data)
    while True:
        # The tables twice do not fit everywhere: they are read again, in front of the window.
        model.data = model.words = None
        gc.collect()
        try:
            data = Arena(end + bound, 0).buffer
            if net.option is None or not net.option.blob_arena:
                # What the first extractor takes has to fit, too: taken now, before smaller things come in between.
                net._frame = Arena(frame_memory(model.arena_size), model.max_blocks + 8)
            if not asked:
                bytearray(spare)
            break
        except MemoryError:
            data = None
            net._frame = None
            if asked or bound <= smallest:
                raise MemoryError(
                    "%s: its tables (%d bytes), a window for weights (%d) and an inference (%d) do not fit into free "
                    "memory: put it into ROMFS, where it is used in place" % (path, end, bound, model.arena_size)
                )
            bound = max(bound // 32 * _ALIGNMENT, smallest)
    _taken(file, data[:end])
    if crc32(data[:end]) != crc:
        fail("%s changed while it was read", path)
    net.data = model.data = data
    model.words = model.view(_I32)
    places = array("i", (model.words[model.record(i) + _B_PLACE] for i in range(model.n_blobs, model.n_records)))
    channels = array("h", (_channels(model, i, needs[i + 1], bound) for i in range(model.n_layers)))
    net.window = Window(file, path, data, end, model.weights_at, places, channels)
    model.weights_at = end  # a record's place counts from the window's start from now on
    return model


def _taken(file, buffer):
    """Fill a buffer with the beginning of a file."""
    file.seek(0)
    if read_into(file, buffer, len(buffer)) != len(buffer):
        fail("the file was cut off while it was read")
    return memoryview(buffer)


def _end_of_tables(file, size):
    """Where the first lazy section begins, behind all that is needed at once."""
    from .check import header

    front = _taken(file, bytearray(min(size, _HEADER_BYTES)))
    if len(front) == _HEADER_BYTES and 0 < front[16] <= 64:
        front = _taken(file, bytearray(min(size, _HEADER_BYTES + 4 * _SECTION_WORDS * front[16])))
    model = Model(front, size)
    header.check(model)
    forget("check.header")
    w = model.words
    entries = range(_HEADER_WORDS, _HEADER_WORDS + _SECTION_WORDS * w[_H_SECTIONS], _SECTION_WORDS)
    end = size
    in_front = False
    for e in entries:
        if w[e] & _LAZY:
            end = min(end, w[e + _S_OFFSET])
            in_front = in_front or w[e] & _KIND_MASK == _WEIGHTS
    for e in entries:
        # Kinds that this engine does not know are never read.
        if not w[e] & _LAZY and w[e] & _KIND_MASK <= _LAST_KIND and w[e + _S_OFFSET] + w[e + _S_BYTES] > end:
            in_front = False
    if not in_front or end < len(front) or end % _ALIGNMENT:
        fail("weights can stay in a file only where all else lies in front of them: convert the model again")
    return end


def _bounds(asked, most, least):
    """Bytes of the window to begin with (what was asked for, but not more than the model can use), and the fewest."""
    if asked and asked < least:
        raise ValueError(
            "a window of %d bytes is too small: the least that this model can do with is %d" % (asked, least)
        )
    least = max(least, _LEAST)
    return max(min(asked // _ALIGNMENT * _ALIGNMENT or most, most), least), least


def _needs(model):
    """For each layer: bytes of all its constants in the window, and the least that it can do with."""
    needs, least = [0], [0]
    for layer in range(model.n_layers):
        w = model.words
        total = 0
        for i in range(*model.operands(layer)):
            if w[i] >= model.n_blobs:
                total += _aligned(w[model.record(w[i]) + _B_BYTES])
        needs.append(total)
        parts = _parts(model, layer)
        if parts:
            count, nbytes, _ = parts
            total += _aligned(nbytes) - _aligned(count * nbytes)
        least.append(total)
    return needs, least


def _aligned(nbytes):
    return (nbytes + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT


def _parts(model, layer):
    """What a layer can be cut into: output channels, bytes of weights for each, whether outputs lie along w; or None.

    Weights are then a run of elements channel after channel, what follows them is one element a channel.
    """
    w = model.words
    r = model.layer(layer)
    op = model.op_names[w[r + _L_OP]]
    first, end = model.operands(layer)
    along_w = op in ("inner_product", "inner_product_int8")
    if not along_w:
        count = w[r + _L_PARAM_COUNT]
        if op not in ("convolution", "convolution_int8") or count <= _P_GROUP:
            return None
        if w[model.params_at + w[r + _L_PARAMS] + _P_GROUP] != 1:
            return None
    if w[r + _L_FLAGS] or end < first + 2 or w[first] >= model.n_blobs:
        return None
    channels = w[model.record(w[end]) + (_B_W if along_w else _B_C)]
    for i in range(first + 1, end):
        count = _run(model, w[i])
        if i == first + 1:
            if not count or count % channels:
                return None
            nbytes = w[model.record(w[i]) + _B_BYTES] // channels
        elif count != channels or w[i] == w[first + 1]:
            return None
    return channels, nbytes, along_w


def _run(model, constant):
    """How many elements a constant has, if it is a run of them without gaps, else 0; and for a blob."""
    w = model.words
    if constant < model.n_blobs:
        return 0
    r = model.record(constant)
    item = ITEM_BYTES[w[r] & 0xFF]
    c, h, wide = w[r + _B_C], w[r + _B_H], w[r + _B_W]
    dense = w[r + _B_PSTEP] == item and (h == 1 or w[r + _B_RSTEP] == wide * item)
    dense = dense and (c == 1 or w[r + _B_CSTEP] == h * wide * item) and w[r + _B_BYTES] == c * h * wide * item
    return c * h * wide if dense else 0


def _channels(model, layer, needs, bound):
    """How many output channels of a layer fit into the window at a time, negative where they lie along w; 0 for all."""
    if needs <= bound:
        return 0
    channels, nbytes, along_w = _parts(model, layer)
    count = min((bound - (needs - _aligned(channels * nbytes))) // nbytes, 32767)
    return -count if along_w else count
