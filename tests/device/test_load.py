"""Damaged and hostile model files: every one is refused with a sentence, nothing outside the file is touched.

The file is changed word by word with its checksums made right again, so that what refuses it is the check itself.
"""

from binascii import crc32

import nnmicro
from nnmicro import ModelError
from nnmicro import format as f

FILES = ("branches.nnm", "residual.nnm", "padded.nnm", "fused.nnm")


class File:
    """A model file in memory whose words can be changed."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = bytearray(file.read())

    def word(self, index, value=None):
        at = 4 * index
        if value is not None:
            value &= 0xFFFFFFFF
            for i in range(4):
                self.data[at + i] = value >> (8 * i) & 0xFF
        word = 0
        for i in range(4):
            word |= self.data[at + i] << (8 * i)
        return word - (1 << 32) if word >= 1 << 31 else word

    def section(self, kind):
        """Word index of a section's first word, and its length in words."""
        for i in range(self.word(f.H_SECTIONS)):
            e = f.HEADER_WORDS + i * f.SECTION_WORDS
            if self.word(e) & f.KIND_MASK == kind:
                return self.word(e + f.S_OFFSET) // 4, self.word(e + f.S_BYTES) // 4
        raise AssertionError("no section %d" % kind)

    def seal(self):
        """Make all checksums right."""
        table = 4 * f.HEADER_WORDS
        end = table + 4 * f.SECTION_WORDS * max(0, min(self.word(f.H_SECTIONS), 64))
        for e in range(f.HEADER_WORDS, end // 4, f.SECTION_WORDS):
            start, size = self.word(e + f.S_OFFSET), self.word(e + f.S_BYTES)
            if 0 <= start <= len(self.data) and 0 <= size <= len(self.data) - start:
                self.word(e + f.S_CRC, crc32(bytes(self.data[start : start + size])))
        self.word(f.H_CRC, crc32(bytes(self.data[table:end]), crc32(bytes(self.data[: 4 * f.H_CRC]))))
        return self

    def refused(self):
        """The text with which the sealed file is refused."""
        self.seal()
        try:
            nnmicro.Net(self.data)
        except ModelError as error:
            return str(error)
        raise AssertionError("a hostile file was loaded")


def changed(path, kind, index, value):
    """A file in which one word of a section is changed."""
    file = File(path)
    first, count = file.section(kind)
    assert index < count
    file.word(first + index, value)
    return file


def blob(path, index, field, value):
    return changed(path, f.BLOBS, index * f.BLOB_WORDS + field, value).refused()


def layer(path, index, field, value):
    return changed(path, f.LAYERS, index * f.LAYER_WORDS + field, value).refused()


def test_sealing_an_unchanged_file_leaves_it_good():
    for path in FILES:
        nnmicro.Net(File(path).seal().data)


def test_a_file_cut_off_anywhere_is_refused():
    whole = File("residual.nnm").data
    for size in list(range(0, len(whole), 97)) + [len(whole) - 1]:
        try:
            nnmicro.Net(whole[:size])
        except ModelError:
            continue
        raise AssertionError("a file of %d of %d bytes was loaded" % (size, len(whole)))


def test_a_flipped_bit_is_refused():
    file = File("residual.nnm")
    weights, _ = file.section(f.WEIGHTS)
    used = [(0, 4 * (f.HEADER_WORDS + f.SECTION_WORDS * file.word(f.H_SECTIONS)))]
    for i in range(file.word(f.H_SECTIONS)):
        e = f.HEADER_WORDS + i * f.SECTION_WORDS
        start = file.word(e + f.S_OFFSET)
        if start != 4 * weights:
            used.append((start, start + file.word(e + f.S_BYTES)))
    for start, end in used:
        for at in range(start, end, 13):
            file.data[at] ^= 1 << at % 8
            try:
                nnmicro.Net(file.data)
            except ModelError:
                pass
            else:
                raise AssertionError("bit %d of byte %d was flipped and the file loaded" % (at % 8, at))
            file.data[at] ^= 1 << at % 8
    nnmicro.Net(file.data)


def test_a_flipped_bit_in_the_weights_is_found_when_they_are_checked():
    file = File("residual.nnm")
    first, _ = file.section(f.WEIGHTS)
    nnmicro.Net(file.data).check_weights()
    file.data[4 * first] ^= 1
    net = nnmicro.Net(file.data)
    try:
        net.check_weights()
    except ModelError as error:
        assert "weights" in str(error)
    else:
        raise AssertionError("damaged weights passed")


def test_another_version_is_refused_with_both_versions():
    file = File("residual.nnm")
    file.word(f.H_VERSION, 7)
    text = file.refused()
    assert "version 7" in text and "version 1" in text


def test_an_unknown_section_is_passed_over_only_if_it_is_optional():
    file = File("fused.nnm")
    for i in range(file.word(f.H_SECTIONS)):
        e = f.HEADER_WORDS + i * f.SECTION_WORDS
        if file.word(e) & f.KIND_MASK == f.SOURCE:
            file.word(e, 99 | f.OPTIONAL)
            nnmicro.Net(file.seal().data)
            file.word(e, 99)
            assert "kind 99" in file.refused()
            return
    raise AssertionError("no source section")


def test_sections_outside_the_file_or_missing_or_twice():
    file = File("residual.nnm")
    entries = [f.HEADER_WORDS + i * f.SECTION_WORDS for i in range(file.word(f.H_SECTIONS))]
    for e in entries:
        for field, value in ((f.S_OFFSET, -16), (f.S_OFFSET, 0), (f.S_OFFSET, 1 << 29), (f.S_OFFSET, 8),
                             (f.S_BYTES, -4), (f.S_BYTES, 1 << 29), (f.S_BYTES, 3)):  # fmt: skip
            old = file.word(e + field)
            file.word(e + field, value)
            file.refused()
            file.word(e + field, old)
    kind = file.word(entries[0])
    file.word(entries[0], f.OPTIONAL | 77)
    assert "missing" in file.refused()
    file.word(entries[0], kind)
    file.word(entries[1], kind)
    assert "two sections" in file.refused()


def test_header_counts_that_do_not_match():
    for field in range(f.H_FILE_BYTES, f.H_OPS + 1):
        file = File("branches.nnm")
        if field == f.H_ALIGNMENT:
            continue
        for value in (-1, 0, file.word(field) + 1, 1 << 29, 0x7FFFFFFF):
            wrong = File("branches.nnm")
            wrong.word(field, value)
            wrong.refused()


def test_hostile_blob_records():
    path = "residual.nnm"
    constants = File(path).word(f.H_BLOBS)
    for field, values in (
        (f.B_TYPE, (0, 99, 1 | 7 << 8, 1 | 4 << 8 | 2 << 16, -1)),
        (f.B_BYTES, (0, -16, 252, 1 << 30)),
        (f.B_C, (0, -4, 8, 1 << 29)),
        (f.B_H, (0, -4, 8)),
        (f.B_W, (0, -4, 8)),
        (f.B_CSTEP, (0, -64, 2, 128, 32, 1 << 30)),
        (f.B_RSTEP, (0, -16, 2, 8, 1 << 29)),
        (f.B_PSTEP, (0, -4, 2, 1 << 29)),
        (f.B_ROWS, (0, 2, -1)),
        (f.B_PLACE, (-16, 8, 1 << 29, 0x7FFFFFF0)),
        (f.B_SHAPE, (-1, 1 << 29)),
        (f.B_PRODUCER, (-2, 99, 0x7FFFFFFF)),
        (f.B_QUANT, (0,)),
        (f.B_PACKING, (1,)),
        (f.B_NAME, (-2, 1 << 29)),
    ):
        for value in values:
            blob(path, 1, field, value)
    for field, values in ((f.B_PLACE, (-1, -16, 2, 1 << 29)), (f.B_BYTES, (0, 1 << 29)), (f.B_PRODUCER, (0,))):
        for value in values:
            blob(path, constants, field, value)


def test_hostile_layer_records():
    path = "residual.nnm"
    for field, values in (
        (f.L_OP, (-1, 99)),
        (f.L_FLAGS, (1, 4, -1)),
        (f.L_OPERANDS, (-1, 1 << 29, 0x7FFFFFFF)),
        (f.L_INPUTS, (0, -1, 2, 4, 1 << 20)),
        (f.L_OUTPUTS, (0, -1, 2)),
        (f.L_PARAMS, (-1, 1 << 29)),
        (f.L_PARAM_COUNT, (-1, 0, 99, 1 << 29)),
        (f.L_NAME, (-2, 1 << 29)),
        (f.L_WORKSPACE, (-1, 16)),
    ):
        for value in values:
            layer(path, 0, field, value)


def test_a_cycle_is_refused():
    file = File("residual.nnm")
    first, count = file.section(f.OPERANDS)
    # The first layer reads x; let it read what the last one makes.
    file.word(first, file.word(first + count - 1))
    assert "cycle" in file.refused()


def test_operands_and_outputs_outside_the_lists():
    for index in range(4):
        for value in (-1, 99, 0x7FFFFFFF):
            changed("residual.nnm", f.OPERANDS, index, value).refused()
    for index in range(2):
        for value in (-1, 99, 1):
            changed("residual.nnm", f.IO, index, value).refused()


def test_a_blob_made_twice():
    file = File("branches.nnm")
    layers, _ = file.section(f.LAYERS)
    operands, _ = file.section(f.OPERANDS)

    def output(i):
        r = layers + i * f.LAYER_WORDS
        return operands + file.word(r + f.L_OPERANDS) + file.word(r + f.L_INPUTS)

    file.word(output(1), file.word(output(0)))
    assert "makes blob" in file.refused()


def test_an_overlapping_plan_is_refused():
    path = "branches.nnm"
    file = File(path)
    blobs, _ = file.section(f.BLOBS)
    places = []
    for i in range(file.word(f.H_BLOBS)):
        places.append(blobs + i * f.BLOB_WORDS + f.B_PLACE)
    for at in places:
        file.word(at, 0)
    assert "same memory at the same time" in file.refused()


def test_names_that_do_not_end_or_are_no_text():
    file = File("residual.nnm")
    first, count = file.section(f.NAMES)
    file.word(first + count - 1, 0x41414141)
    assert "names" in file.refused()
    file = File("residual.nnm")
    file.word(first, 0x00FFFEFF)
    assert "UTF-8" in file.refused()


def test_a_layer_kind_is_the_name_of_a_kernel_and_nothing_else():
    for word, part in ((0x2E2E2E2E, "no kind of layer"), (0x007A7A7A, "does not have"), (0x005F5F5F, "no kind of layer")):
        file = File("residual.nnm")
        first, count = file.section(f.OPS)
        file.word(first, word)
        text = file.refused()
        assert part in text or "kinds of layers" in text, text


def test_parameters_that_would_leave_the_operands():
    file = File("residual.nnm")
    first, count = file.section(f.PARAMS)
    for index in range(count):
        for value in (-1, 1 << 20, -(1 << 31), 0x7FFFFFFF):
            wrong = File("residual.nnm")
            wrong.word(first + index, value)
            wrong.seal()
            try:
                net = nnmicro.Net(wrong.data)
            except ModelError:
                continue
            with net.extractor() as ex:  # a float, or a parameter for which any value is right
                ex.input("x", [1] * 64)
                assert len(ex.extract("y")) == 64
