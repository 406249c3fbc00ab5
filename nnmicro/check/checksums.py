"""Checksums of sections."""

from ..port import const, crc32
from . import fail

_H_SECTIONS = const(4)
_HEADER_WORDS = const(32)
_SECTION_WORDS = const(4)
_S_KIND = const(0)
_LAZY = const(512)
_S_OFFSET = const(1)
_S_BYTES = const(2)
_S_CRC = const(3)
_KIND_MASK = const(255)
_SECTION_NAMES = (
    "", "blobs", "layers", "operands", "params", "shapes", "io", "ops", "names", "fused", "labels", "weights",
    "quantisation", "preprocessing", "golden", "steps", "source",
)  # fmt: skip


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
    return _SECTION_NAMES[kind] if 0 <= kind < len(_SECTION_NAMES) else "of kind %d" % kind
