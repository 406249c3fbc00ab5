"""The header: its checksum, and counts that the other parts rely on."""

from ..port import const, crc32
from . import fail

_HEADER_WORDS = const(32)
_VERSION = const(1)
_ALIGNMENT = const(16)
_H_SECTIONS = const(4)
_SECTION_WORDS = const(4)
_H_CRC = const(31)
_H_ALIGNMENT = const(3)
_H_BLOBS = const(5)
_H_MAX_BLOCKS = const(16)
_H_PLAN_FLAGS = const(17)
_H_CONSTANTS = const(6)
_H_LAYERS = const(7)
_H_INPUTS = const(8)
_H_OUTPUTS = const(9)
_H_MAX_OPERANDS = const(15)
_H_ARENA_BYTES = const(11)
_MAGIC = b"NNM\x1a"

_MOST = const((1 << 30) - 1)  # of sizes and offsets


def check(model):
    data = model.data
    if len(data) < 4 * _HEADER_WORDS:
        fail("the file has %d bytes: too short for a model", len(data))
    if bytes(data[:4]) != _MAGIC:
        fail("this is not an nnmicro model: it starts with %r", bytes(data[:4]))
    # The version is read byte by byte: a file of another version may have any length.
    version = int.from_bytes(data[4:8], "little")
    if version != _VERSION:
        fail("the file has format version %d, this engine reads version %d: convert the model again", version, _VERSION)
    size = int.from_bytes(data[8:12], "little")
    if size != model.size:
        fail("the header says %d bytes, the file has %d: it was cut off or damaged", size, model.size)
    if size % _ALIGNMENT or size > _MOST:
        fail("%d bytes is no size of a model file", size)
    w = model.words
    sections = w[_H_SECTIONS]
    table = 4 * _HEADER_WORDS
    end = table + 4 * _SECTION_WORDS * sections
    if not 0 < sections <= 64 or end > size:
        fail("a section table of %d entries", sections)
    if crc32(data[table:end], crc32(data[: 4 * _H_CRC])) != w[_H_CRC] & 0xFFFFFFFF:
        fail("the header is damaged: its checksum does not match")
    if w[_H_ALIGNMENT] != _ALIGNMENT:
        fail("the file asks for an alignment of %d bytes", w[_H_ALIGNMENT])
    for field in range(_H_BLOBS, _H_CRC):
        if not 0 <= w[field] <= (_MOST if field <= _H_PLAN_FLAGS else 0):
            fail("header word %d is %d", field, w[field])
    model.n_blobs = w[_H_BLOBS]
    model.n_records = w[_H_BLOBS] + w[_H_CONSTANTS]
    model.n_layers = w[_H_LAYERS]
    model.n_inputs = w[_H_INPUTS]
    model.n_outputs = w[_H_OUTPUTS]
    model.max_operands = w[_H_MAX_OPERANDS]
    model.max_blocks = w[_H_MAX_BLOCKS]
    model.arena_size = w[_H_ARENA_BYTES]
    if model.n_blobs >= 1 << 15 or model.n_layers >= 1 << 15:
        fail("%d blobs and %d layers: an engine takes fewer than 32,768", model.n_blobs, model.n_layers)
    if not model.n_inputs or not model.n_outputs or model.n_inputs + model.n_outputs > 2 * model.n_blobs:
        fail("%d inputs and %d outputs among %d blobs", model.n_inputs, model.n_outputs, model.n_blobs)
    if model.max_blocks > model.n_blobs + model.n_layers or model.max_operands > 4096:
        fail("%d blocks at a time, %d operands a layer", model.max_blocks, model.max_operands)
