"""From what an application has, bytes of a camera, to an input's elements: real = (byte - mean) * scale.

Imported only for a file that has a section of this kind (`FORMAT.md`). For an integer blob the converter has worked out
the element for each of the 256 bytes, so that nothing here touches the heap.
"""

from .errors import ModelError
from .port import ITEM_BYTES, const

_F32 = const(1)
_I8 = const(2)
_U8 = const(3)
_PREPROCESSING_WORDS = const(4)
_R_BLOB = const(0)
_R_KIND = const(1)
_R_FACTORS = const(2)
_R_VALUES = const(3)
_TABLE_WORDS = const(64)
_KIND_BYTES = const(1)
_INPUT = const(1)
_B_FLAGS = const(1)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_CSTEP = const(6)
_B_RSTEP = const(7)
_B_PSTEP = const(8)

_BYTES_LIKE = (bytes, bytearray, memoryview)
_UNSIGNED = ("uint8", "66", "dtype('uint8')")  # numpy's name of the type, and ulab's two


def check(net):
    """Raises ModelError for a section that would leave its bounds or the blobs'."""
    w = net.words
    at, words = net.preprocessing_at, net.preprocessing_words
    if not words or not 0 < w[at] <= net.n_inputs or 1 + _PREPROCESSING_WORDS * w[at] > words:
        raise ModelError("section preprocessing has %d words, too few for its records" % words)
    for i in range(w[at]):
        r = at + 1 + i * _PREPROCESSING_WORDS
        blob, count, first = w[r + _R_BLOB], w[r + _R_FACTORS], w[r + _R_VALUES]
        if not 0 <= blob < net.n_blobs or not w[net.record(blob) + _B_FLAGS] & _INPUT or _find(net, blob) != r:
            raise ModelError("preprocessing %d is for blob %d, which is no input or has two" % (i, blob))
        if w[r + _R_KIND] != _KIND_BYTES:
            raise ModelError(
                "preprocessing %d takes data of kind %d, which this engine does not know" % (i, w[r + _R_KIND])
            )
        record = net.record(blob)
        dtype = w[record] & 0xFF
        need = 2 * count if dtype == _F32 else (2 + _TABLE_WORDS) * count
        fits = dtype in (_F32, _I8, _U8) and (count == 1 or count == w[record + _B_C])
        if not fits or not 0 <= first <= words - need:
            raise ModelError("preprocessing %d: its %d factors do not fit blob %d or the section" % (i, count, blob))
        for k in range(at + first, at + first + 2 * count):
            value = net.view(_F32)[k]
            if not -1e30 < value < 1e30 or (k >= at + first + count and value == 0):
                raise ModelError("preprocessing %d has %s as a mean or scale" % (i, value))


def _find(net, blob):
    """Word index of the first record for a blob, or -1."""
    w = net.words
    r = net.preprocessing_at + 1
    for _ in range(w[r - 1]):
        if w[r + _R_BLOB] == blob:
            return r
        r += _PREPROCESSING_WORDS
    return -1


def apply(blob, data):
    """Fill `blob` from an application's bytes; False, and nothing done, where `data` is something else.

    `data` is bytes-like, one byte for each element in the source's order, or an ndarray of unsigned bytes of the blob's
    shape.
    """
    net = blob._net
    r = _find(net, blob.index)
    if r < 0:
        return False
    if hasattr(data, "dtype"):
        if str(data.dtype) not in _UNSIGNED:
            return False
        blob.flat(data)  # says where the shape does not fit
        data = data.reshape((len(blob),)).tobytes()
    elif not isinstance(data, _BYTES_LIKE) or getattr(data, "itemsize", 1) != 1:
        return False
    if len(data) != len(blob) or not isinstance(data[0], int):
        return False
    w = net.words
    e = net.record(blob.index)
    dtype = w[e] & 0xFF
    values = net.preprocessing_at + w[r + _R_VALUES]
    count = w[r + _R_FACTORS]
    if dtype != _F32 and count == 1 and blob.is_one_run():
        _look_up(blob._memory.view(dtype), blob._base, 1, net.view(dtype), 4 * values + 8, data, 0, 1, len(data))
        return True
    pixel = w[e + _B_C] if w[e] >> 16 else 1
    for y in range(w[e + _B_H]):
        target = blob._base + y * w[e + _B_RSTEP]
        apply_row(net, blob.index, blob._memory, target, data, y * w[e + _B_W] * pixel, w[e + _B_H])
    return True


def has(net, blob):
    """Whether an input takes an application's bytes."""
    return _find(net, blob) >= 0


def apply_row(net, blob, memory, target, data, source, height=1):
    """One row of `blob`, at byte `target` of a memory, from an application's bytes from `source` on: its pixels'
    channels side by side where the source's order is h, w, c, else a line of each channel, `height` lines apart."""
    w = net.words
    r = _find(net, blob)
    e = net.record(blob)
    dtype = w[e] & 0xFF
    item = ITEM_BYTES[dtype]
    elements = memory.view(dtype)
    values = net.preprocessing_at + w[r + _R_VALUES]
    count = w[r + _R_FACTORS]
    width = w[e + _B_W]
    hwc = w[e] >> 16
    for c in range(w[e + _B_C]):
        k = c if count > 1 else 0
        at = (target + c * w[e + _B_CSTEP]) // item
        first = source + (c if hwc else c * width * height)
        stride = w[e + _B_C] if hwc else 1
        step = w[e + _B_PSTEP] // item
        if dtype == _F32:
            floats = net.view(_F32)
            _compute(elements, at, step, floats[values + k], floats[values + k + count], data, first, stride, width)
        else:
            table = 4 * (values + 2 * count + k * _TABLE_WORDS)
            _look_up(elements, at, step, net.view(dtype), table, data, first, stride, width)


# A range with a step that is no constant would be an object on the heap, hence the counters. A view of signed bytes
# gives negative numbers; an application's bytes are unsigned, hence the masks.


def _look_up(target, at, step, table, start, data, source, stride, count):
    for _ in range(count):
        target[at] = table[start + (data[source] & 255)]
        source += stride
        at += step


def _compute(target, at, step, mean, scale, data, source, stride, count):
    for _ in range(count):
        target[at] = ((data[source] & 255) - mean) * scale
        source += stride
        at += step
