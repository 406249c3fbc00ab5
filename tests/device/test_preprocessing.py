"""What `input` makes of an application's bytes, of real values and of raw elements."""

from array import array

from expect import raises
from words import Words, f

import nnmicro

FILES = ("camera.nnm", "camera_plain.nnm", "camera_each.nnm", "camera_planar.nnm")
LONG = ("test_bytes_become_real_values_and_are_quantised",)
DEVICE_ONLY = ("test_bytes_for_an_integer_input_allocate_nothing",)

COUNT = 48
BYTES = bytes((7 * i + 11) % 256 for i in range(COUNT))


def elements(net, data):
    """The input's elements, in the source's order, after `data` was given."""
    with net.extractor() as ex:
        ex.input("image", data)
        blob = ex.extract("same")
        return [blob[i] for i in range(len(blob))]


def saturated(value):
    return -128 if value < -128 else 127 if value > 127 else value


def away(numerator, denominator):
    """The quotient rounded half away from zero, in integers."""
    q = (2 * abs(numerator) + denominator) // (2 * denominator)
    return q if numerator >= 0 else -q


# Elements are 0.5 * (q + 3). Real values: (byte - 128) / 32, and for the second and third channel of `each`
# byte - 128 and byte / 8.
def one(byte):
    return away(byte - 128, 16) - 3


EACH = (one, lambda byte: saturated(2 * (byte - 128) - 3), lambda byte: saturated(away(byte, 4) - 3))


def test_bytes_become_real_values_and_are_quantised():
    net = nnmicro.Net("camera.nnm")
    for start in range(0, 256, COUNT):
        data = bytes((start + i) % 256 for i in range(COUNT))
        assert elements(net, data) == [one(b) for b in data]
    assert one(136) == -2 and one(135) == -3 and one(120) == -4 and one(121) == -3  # halves go away from zero


def test_every_channel_can_have_its_own_mean_and_scale():
    net = nnmicro.Net("camera_each.nnm")
    for data in (BYTES, bytes(COUNT), bytes([255] * COUNT)):
        assert elements(net, data) == [EACH[i % 3](data[i]) for i in range(COUNT)]


def test_a_planar_input_of_floats_takes_bytes_too():
    net = nnmicro.Net("camera_planar.nnm")
    data = BYTES[:27]
    means, scales = (128, 128, 0), (1 / 32, 1, 1 / 8)
    found = elements(net, data)
    assert found == [(data[i] - means[i // 9]) * scales[i // 9] for i in range(27)]


def test_anything_bytes_like_will_do():
    net = nnmicro.Net("camera.nnm")
    right = [one(b) for b in BYTES]
    for data in (
        BYTES,
        bytearray(BYTES),
        memoryview(BYTES),
        memoryview(bytearray(b"?" + BYTES))[1:],
        memoryview(array("B", BYTES)),
    ):
        assert elements(net, data) == right
    signed = array("b", [b - 256 if b > 127 else b for b in BYTES])
    assert elements(net, memoryview(signed)) == right


def test_without_preprocessing_bytes_are_the_elements():
    net = nnmicro.Net("camera_plain.nnm")
    assert elements(net, BYTES) == [b - 256 if b > 127 else b for b in BYTES]
    floats = array("f", [i / 4 for i in range(27)])
    planar = nnmicro.Net("camera_planar.nnm")
    assert elements(planar, floats) == list(floats)
    with planar.extractor() as ex:
        ex.input("image", floats)
        raw = ex.extract("same").tobytes()
    assert len(raw) == 108 and elements(planar, raw) == list(floats)


def test_numbers_are_real_values_with_and_without_preprocessing():
    # Divided by 0.5 this is the single-precision number just below a half: adding 0.5 to it would round up.
    below = 0.25 - 1 / (1 << 26)
    infinite = float("inf")
    cases = ((0, 0), (0.25, 1), (-0.25, -1), (below, 0), (-below, 0), (0.75, 2), (-0.75, -2), (1.2, 2), (-1.3, -3),
             (65.0, 130), (64.9, 130), (65.3, 130), (1e9, 130), (-62.5, -125), (-62.4, -125), (-1e9, -125),
             (infinite, 130), (-infinite, -125), (1e38, 130))  # fmt: skip
    given = [real for real, _ in cases] + [0] * (COUNT - len(cases))
    right = [q - 3 for _, q in cases] + [-3] * (COUNT - len(cases))
    for path in ("camera.nnm", "camera_plain.nnm"):
        net = nnmicro.Net(path)
        assert elements(net, given) == right
        assert elements(net, array("f", given)) == right


def test_what_is_not_a_number_is_refused():
    net = nnmicro.Net("camera_plain.nnm")
    with net.extractor() as ex:
        assert "not a number" in raises(ValueError, ex.input, "image", [float("nan")] * COUNT)


def test_dequantize_gives_the_real_values_back():
    net = nnmicro.Net("camera_plain.nnm")
    with net.extractor() as ex:
        ex.input("image", BYTES)
        real = ex.extract("same").dequantize(array("f", [0] * COUNT))
    assert list(real) == [0.5 * ((b - 256 if b > 127 else b) + 3) for b in BYTES]


def test_another_number_of_bytes_is_refused():
    for path in FILES:
        with nnmicro.Net(path).extractor() as ex:
            for data in (b"", BYTES[:-1] + BYTES[:2], bytes(1000)):
                assert "were given" in raises(ValueError, ex.input, "image", data)


def test_the_input_can_still_be_written_in_place():
    with nnmicro.Net("camera.nnm").extractor() as ex:
        ex.input_view("image").assign_bytes(BYTES)
        same = ex.extract("same")
        assert [same[i] & 255 for i in range(COUNT)] == list(BYTES)


def test_bytes_for_an_integer_input_allocate_nothing():
    import micropython

    for path in ("camera.nnm", "camera_each.nnm", "camera_plain.nnm"):
        net = nnmicro.Net(path)
        data = bytearray(BYTES)
        with net.extractor() as ex:
            ex.input("image", data)
            ex.extract("same")
            ex.reset()
            micropython.heap_lock()
            try:
                ex.input("image", data)
            finally:
                micropython.heap_unlock()


def hostile(path, word, value):
    file = Words(path)
    at = file.section(f.PREPROCESSING)
    file[at + word] = value
    return file.refused()


def test_hostile_sections_are_refused():
    # Word 0 the number of records; 1 blob, 2 kind of data, 3 how many factors, 4 where they are; then means, scales.
    for path in ("camera.nnm", "camera_each.nnm", "camera_planar.nnm"):
        for word, values in (
            (0, (0, -1, 2, 1 << 29, 0x7FFFFFFF)),
            (1, (-1, 1, 2, 99, 0x7FFFFFFF)),
            (2, (0, 2, -1)),
            (3, (0, -1, 2, 4, 1 << 29, 0x7FFFFFFF)),
            (4, (-1, 6, 1 << 29, 0x7FFFFFFF, -0x80000000)),
        ):
            for value in values:
                assert "preprocessing" in hostile(path, word, value), (path, word, value)
        for value in (0x7FC00000, 0x7F800000, -8388608, 1e31):
            assert "preprocessing" in hostile(path, 5, value)
    for value in (0.0, 0x7FC00000, 1e31, -0x80000000):
        assert "preprocessing" in hostile("camera.nnm", 6, value)


def test_hostile_quantisation_is_refused():
    for word, values in (
        (0, (0, 1, -2)),  # by axis
        (1, (0, 2, -1, 1 << 29)),  # how many
        (2, (0, 0.0, -0.5, 0x7FC00000, 0x7F800000, 1e31)),  # the scale
        (3, (-129, 128, 1 << 29)),  # the zero point
    ):
        for value in values:
            file = Words("camera.nnm")
            file[file.section(f.QUANTISATION) + word] = value
            text = file.refused()
            assert "blob 0" in text, text


def test_a_section_cut_short_is_refused():
    for nbytes in (0, 4, 16, 24, 24 + 256):
        file = Words("camera.nnm")
        file[file.entry(f.PREPROCESSING) + f.S_BYTES] = nbytes
        assert "preprocessing" in file.refused()


def test_two_records_for_one_input_are_refused():
    file = Words("camera.nnm")
    at = file.section(f.PREPROCESSING)
    file[at] = 2
    assert "preprocessing" in file.refused()
