"""A model file whose words are changed by a test, with its checksums made right again."""

import struct
from binascii import crc32

import nnmicro
from nnmicro import ModelError

try:
    import format as f  # on a device, where conftest.py puts it: in a firmware the engine has only the version
except ImportError:
    from nnmicro import format as f


class Words:
    """`words[i]` of a file in memory."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = bytearray(file.read())

    def __getitem__(self, i):
        return struct.unpack_from("<i", self.data, 4 * i)[0]

    def __setitem__(self, i, value):
        if isinstance(value, float):
            struct.pack_into("<f", self.data, 4 * i, value)
        else:
            struct.pack_into("<I", self.data, 4 * i, value & 0xFFFFFFFF)

    def entries(self):
        """Where each section's entry in the table starts."""
        # A test may have made the count anything.
        count = max(0, min(self[f.H_SECTIONS], len(self.data) // 16 - f.HEADER_WORDS // f.SECTION_WORDS))
        return range(f.HEADER_WORDS, f.HEADER_WORDS + count * f.SECTION_WORDS, f.SECTION_WORDS)

    def entry(self, kind):
        for e in self.entries():
            if self[e] & f.KIND_MASK == kind:
                return e
        raise AssertionError("no such section: " + str(kind))

    def section(self, kind):
        """The word with which a section begins."""
        return self[self.entry(kind) + f.S_OFFSET] // 4

    def count(self, kind):
        """How many words a section has."""
        return self[self.entry(kind) + f.S_BYTES] // 4

    def seal(self, option=None):
        """Make all checksums right, and load the file."""
        for e in self.entries():
            start, size = self[e + f.S_OFFSET], self[e + f.S_BYTES]
            if 0 <= start <= len(self.data) and 0 <= size <= len(self.data) - start:
                self[e + f.S_CRC] = crc32(bytes(self.data[start : start + size]))
        table = 4 * f.HEADER_WORDS
        end = table + 4 * f.SECTION_WORDS * len(self.entries())
        self[f.H_CRC] = crc32(bytes(self.data[table:end]), crc32(bytes(self.data[: 4 * f.H_CRC])))
        return nnmicro.Net(self.data, option)

    def refused(self):
        """The text with which the sealed file is refused at load."""
        try:
            self.seal()
        except ModelError as error:
            return str(error)
        raise AssertionError("a hostile file was loaded")
