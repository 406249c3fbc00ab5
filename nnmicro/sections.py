"""Sections of a checked model file: where they are, and texts in them. Loaded when one is asked for."""

from .port import const

_HEADER_WORDS = const(32)
_H_SECTIONS = const(4)
_SECTION_WORDS = const(4)
_S_OFFSET = const(1)
_S_BYTES = const(2)
_KIND_MASK = const(0xFF)


def section(words, kind):
    """(first byte, bytes) of a section; (0, 0) where the file has none."""
    for e in range(_HEADER_WORDS, _HEADER_WORDS + words[_H_SECTIONS] * _SECTION_WORDS, _SECTION_WORDS):
        if words[e] & _KIND_MASK == kind:
            return words[e + _S_OFFSET], words[e + _S_BYTES]
    return 0, 0


def texts(data, where, name):
    """The NUL-terminated texts of a section (NULs at its end are padding), which is called `name`."""
    start, length = where
    try:
        text = str(bytes(data[start : start + length]), "utf-8")
    except (UnicodeError, ValueError):
        from .errors import ModelError

        raise ModelError("section %s is not UTF-8" % name)
    while text.endswith("\0"):
        text = text[:-1]
    return tuple(text.split("\0")) if text else ()


def text_at(model, offset):
    """The NUL-terminated text at a byte offset of the names."""
    data = model.data
    start = end = model.names_at + offset
    while data[end]:
        end += 1
    return str(bytes(data[start:end]), "utf-8")
