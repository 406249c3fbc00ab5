"""Sections of text are looked at in pieces, and what is UTF-8 as a whole is what is UTF-8 piece by piece."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nnmicro import ModelError
from nnmicro.check import check_text

BEFORE = 5  # bytes of another section


class File:
    def __init__(self, text: bytes) -> None:
        self.data = memoryview(b"\xff" * BEFORE + text + b"\xff")


# Characters of one to four bytes, which lie across the ends of pieces wherever those are; and bytes that are none.
texts = st.lists(st.sampled_from(["a", "\0", "é", "€", "𝄞"]), max_size=400).map(lambda parts: "".join(parts).encode())
strays = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from([b"\x80", b"\xbf", b"\xc3", b"\xe2", b"\xf0", b"\xff"])), max_size=2
)


@given(texts, strays)
@example("é".encode() * 300, [])
@example(("a" + "é" * 300).encode(), [])
@example(b"\x80" * 600, [])
@example(b"a" * 255 + b"\xe2\x82", [])
@example(b"", [])
def test_what_is_utf_8_as_a_whole_is_so_in_pieces(text: bytes, stray: list[tuple[float, bytes]]) -> None:
    for where, byte in stray:
        at = int(where * len(text))
        text = text[:at] + byte + text[at:]
    try:
        text.decode()
        expected = True
    except UnicodeDecodeError:
        expected = False
    if expected:
        check_text(File(text), BEFORE, len(text), "names")
    else:
        with pytest.raises(ModelError, match="section names is not UTF-8"):
            check_text(File(text), BEFORE, len(text), "names")
