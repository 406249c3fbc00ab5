"""The section table: exactly one of each section that is needed, all inside the file and undamaged."""

from ..port import const, crc32
from ..sections import texts
from . import check_text, fail

_HEADER_WORDS = const(32)
_SECTION_WORDS = const(4)
_H_SECTIONS = const(4)
_KIND_MASK = const(255)
_S_KIND = const(0)
_S_OFFSET = const(1)
_S_BYTES = const(2)
_S_CRC = const(3)
_ALIGNMENT = const(16)
_OPTIONAL = const(256)
_LAZY = const(512)
_WEIGHTS = const(11)
_GOLDEN = const(14)
_BLOBS = const(1)
_BLOB_WORDS = const(16)
_LAYERS = const(2)
_LAYER_WORDS = const(12)
_OPERANDS = const(3)
_PARAMS = const(4)
_SHAPES = const(5)
_IO = const(6)
_FUSED = const(9)
_QUANTISATION = const(12)
_PREPROCESSING = const(13)
_NAMES = const(8)
_OPS = const(7)
_H_OPS = const(10)
_LABELS = const(10)
_STEPS = const(15)
_LAST_KIND = const(16)
_NEEDED = (1, 2, 3, 4, 5, 6, 7, 11)
# One text: the interpreter would keep each name, of which an error needs one.
_SECTION_NAMES = (
    " blobs layers operands params shapes io ops names fused labels weights quantisation preprocessing golden steps "
    "source"
)


def check(model):
    """Find every section; exactly one of each that is needed, all inside the file and (unless lazy) undamaged."""
    w = model.words
    size = model.size
    tables_end = 4 * (_HEADER_WORDS + _SECTION_WORDS * w[_H_SECTIONS])
    found = {}
    for i in range(w[_H_SECTIONS]):
        e = _HEADER_WORDS + i * _SECTION_WORDS
        kind = w[e] & _KIND_MASK
        start, length = w[e + _S_OFFSET], w[e + _S_BYTES]
        if start % _ALIGNMENT or not tables_end <= start <= size or not 0 <= length <= size - start or length % 4:
            fail("section %s: %d bytes at %d do not lie inside the file", section_name(kind), length, start)
        if not 0 < kind <= _LAST_KIND:
            if not w[e] & _OPTIONAL:
                fail(
                    "the file has a section %s, which this engine cannot do without knowing: update nnmicro",
                    section_name(kind),
                )
            continue
        if kind in found:
            fail("two sections %s", section_name(kind))
        found[kind] = e
        if not w[e] & _LAZY:
            compare(model, e)
        elif kind != _WEIGHTS and kind != _GOLDEN:
            fail("section %s cannot be lazy", section_name(kind))
    for kind in _NEEDED:
        if kind not in found:
            fail("section %s is missing", section_name(kind))

    def at(kind):
        e = found.get(kind)
        return (w[e + _S_OFFSET], w[e + _S_BYTES]) if e is not None else (0, 0)

    def words(kind, count):
        start, length = at(kind)
        if count is not None and length != 4 * count:
            fail("section %s has %d bytes, %d are needed", section_name(kind), length, 4 * count)
        return start // 4, length // 4

    model.blobs_at, _ = words(_BLOBS, _BLOB_WORDS * model.n_records)
    model.layers_at, _ = words(_LAYERS, _LAYER_WORDS * model.n_layers)
    model.operands_at, model.n_operands = words(_OPERANDS, None)
    model.params_at, model.n_params = words(_PARAMS, None)
    model.shapes_at, model.n_shapes = words(_SHAPES, None)
    model.io_at, _ = words(_IO, model.n_inputs + model.n_outputs)
    model.fused_at, model.fused_words = words(_FUSED, None)
    model.quantisation_at, model.n_quantisation = words(_QUANTISATION, None)
    if _PREPROCESSING in found:
        model.preprocessing_at, model.preprocessing_words = words(_PREPROCESSING, None)
    if _STEPS in found:
        model.steps_at, model.steps_words = words(_STEPS, None)
    model.names_at, model.names_bytes = at(_NAMES)
    model.weights_at, model.weights_bytes = at(_WEIGHTS)
    model.op_names = texts(model.data, at(_OPS), "ops")
    if len(model.op_names) != w[_H_OPS]:
        fail("%d kinds of layers are named, the header says %d", len(model.op_names), w[_H_OPS])
    check_text(model, *at(_LABELS), "labels")


def check_lazy(net):
    """Compare the sections that `load` leaves out (weights, golden vectors) with their checksums."""
    w = net.words
    for i in range(w[_H_SECTIONS]):
        e = _HEADER_WORDS + i * _SECTION_WORDS
        if w[e + _S_KIND] & _LAZY:
            compare(net, e)


def compare(net, at):
    w = net.words
    start, size = w[at + _S_OFFSET], w[at + _S_BYTES]
    in_file = net.window and w[at] & _LAZY
    crc = net.window.crc(start, size) if in_file else crc32(net.data[start : start + size])
    if crc != w[at + _S_CRC] & 0xFFFFFFFF:
        fail("section %s is damaged: its checksum does not match", section_name(w[at] & _KIND_MASK))


def section_name(kind):
    return _SECTION_NAMES.split(" ")[kind] if 0 < kind <= _LAST_KIND else "of kind %d" % kind
