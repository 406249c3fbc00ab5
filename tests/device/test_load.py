"""Damaged and hostile model files: every one is refused with a sentence, nothing outside the file is touched.

The file is changed word by word with its checksums made right again, so that what refuses it is the check itself.
"""

from words import Words, f

import nnmicro
from nnmicro import ModelError

FILES = ("branches.nnm", "residual.nnm", "padded.nnm", "fused.nnm")
LONG = ("test_parameters_that_would_leave_the_operands",)


def changed(path, kind, index, value):
    """A file in which one word of a section is changed."""
    file = Words(path)
    assert index < file.count(kind)
    file[file.section(kind) + index] = value
    return file


def blob(path, index, field, value):
    return changed(path, f.BLOBS, index * f.BLOB_WORDS + field, value).refused()


def layer(path, index, field, value):
    return changed(path, f.LAYERS, index * f.LAYER_WORDS + field, value).refused()


def test_sealing_an_unchanged_file_leaves_it_good():
    for path in FILES:
        Words(path).seal()


def test_a_file_cut_off_anywhere_is_refused():
    whole = Words("residual.nnm").data
    for size in list(range(0, len(whole), 97)) + [len(whole) - 1]:
        try:
            nnmicro.Net(whole[:size])
        except ModelError:
            continue
        raise AssertionError("a file of %d of %d bytes was loaded" % (size, len(whole)))


def test_a_flipped_bit_is_refused():
    file = Words("residual.nnm")
    weights = file.section(f.WEIGHTS)
    used = [(0, 4 * (f.HEADER_WORDS + f.SECTION_WORDS * file[f.H_SECTIONS]))]
    for i in range(file[f.H_SECTIONS]):
        e = f.HEADER_WORDS + i * f.SECTION_WORDS
        start = file[e + f.S_OFFSET]
        if start != 4 * weights:
            used.append((start, start + file[e + f.S_BYTES]))
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
    file = Words("residual.nnm")
    first = file.section(f.WEIGHTS)
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
    file = Words("residual.nnm")
    file[f.H_VERSION] = 7
    text = file.refused()
    assert "version 7" in text and "version 1" in text


def test_an_unknown_section_is_passed_over_only_if_it_is_optional():
    file = Words("fused.nnm")
    for i in range(file[f.H_SECTIONS]):
        e = f.HEADER_WORDS + i * f.SECTION_WORDS
        if file[e] & f.KIND_MASK == f.SOURCE:
            file[e] = 99 | f.OPTIONAL
            file.seal()
            file[e] = 99
            assert "kind 99" in file.refused()
            return
    raise AssertionError("no source section")


def test_sections_outside_the_file_or_missing_or_twice():
    file = Words("residual.nnm")
    entries = [f.HEADER_WORDS + i * f.SECTION_WORDS for i in range(file[f.H_SECTIONS])]
    for e in entries:
        for field, value in ((f.S_OFFSET, -16), (f.S_OFFSET, 0), (f.S_OFFSET, 1 << 29), (f.S_OFFSET, 8),
                             (f.S_BYTES, -4), (f.S_BYTES, 1 << 29), (f.S_BYTES, 3)):  # fmt: skip
            old = file[e + field]
            file[e + field] = value
            file.refused()
            file[e + field] = old
    kind = file[entries[0]]
    file[entries[0]] = f.OPTIONAL | 77
    assert "missing" in file.refused()
    file[entries[0]] = kind
    file[entries[1]] = kind
    assert "two sections" in file.refused()


def test_header_counts_that_do_not_match():
    for field in range(f.H_FILE_BYTES, f.H_OPS + 1):
        file = Words("branches.nnm")
        if field == f.H_ALIGNMENT:
            continue
        for value in (-1, 0, file[field] + 1, 1 << 29, 0x7FFFFFFF):
            wrong = Words("branches.nnm")
            wrong[field] = value
            wrong.refused()


def test_hostile_blob_records():
    path = "residual.nnm"
    constants = Words(path)[f.H_BLOBS]
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
    file = Words("residual.nnm")
    first, count = file.section(f.OPERANDS), file.count(f.OPERANDS)
    # The first layer reads x; let it read what the last one makes.
    file[first] = file[first + count - 1]
    assert "cycle" in file.refused()


def test_operands_and_outputs_outside_the_lists():
    for index in range(4):
        for value in (-1, 99, 0x7FFFFFFF):
            changed("residual.nnm", f.OPERANDS, index, value).refused()
    for index in range(2):
        for value in (-1, 99, 1):
            changed("residual.nnm", f.IO, index, value).refused()


def test_a_blob_made_twice():
    file = Words("branches.nnm")
    layers = file.section(f.LAYERS)
    operands = file.section(f.OPERANDS)

    def output(i):
        r = layers + i * f.LAYER_WORDS
        return operands + file[r + f.L_OPERANDS] + file[r + f.L_INPUTS]

    file[output(1)] = file[output(0)]
    assert "makes blob" in file.refused()


def test_an_overlapping_plan_is_refused():
    path = "branches.nnm"
    file = Words(path)
    blobs = file.section(f.BLOBS)
    places = []
    for i in range(file[f.H_BLOBS]):
        places.append(blobs + i * f.BLOB_WORDS + f.B_PLACE)
    for at in places:
        file[at] = 0
    assert "same memory at the same time" in file.refused()


def test_names_that_do_not_end_or_are_no_text():
    file = Words("residual.nnm")
    first, count = file.section(f.NAMES), file.count(f.NAMES)
    file[first + count - 1] = 0x41414141
    assert "names" in file.refused()
    file = Words("residual.nnm")
    file[first] = 0x00FFFEFF
    assert "UTF-8" in file.refused()


def test_a_layer_kind_is_the_name_of_a_kernel_and_nothing_else():
    for word, part in (
        (0x2E2E2E2E, "no kind of layer"),
        (0x007A7A7A, "does not have"),
        (0x005F5F5F, "no kind of layer"),
    ):
        file = Words("residual.nnm")
        file[file.section(f.OPS)] = word
        text = file.refused()
        assert part in text or "kinds of layers" in text, text


def test_parameters_that_would_leave_the_operands():
    file = Words("residual.nnm")
    first, count = file.section(f.PARAMS), file.count(f.PARAMS)
    for index in range(count):
        for value in (-1, 1 << 20, -(1 << 31), 0x7FFFFFFF):
            wrong = Words("residual.nnm")
            wrong[first + index] = value
            try:
                net = wrong.seal()
            except ModelError:
                continue
            with net.extractor() as ex:  # a float, or a parameter for which any value is right
                ex.input("x", [1] * 64)
                assert len(ex.extract("y")) == 64
