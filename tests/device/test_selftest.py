"""Golden vectors: what the original gave is what this engine gives, and a model that was changed is found out."""

from expect import raises
from words import Words, f

import nnmicro
from nnmicro import ModelError

FILES = ("golden.nnm", "camera.nnm", "camera_planar.nnm", "branches.nnm")


def test_it_says_how_many_vectors_agree():
    assert nnmicro.Net("golden.nnm").selftest() == 2


def test_elements_are_compared_as_they_are_whatever_bytes_an_application_gives():
    assert nnmicro.Net("camera.nnm").selftest() == 1
    assert nnmicro.Net("camera_planar.nnm").selftest() == 1


def test_it_can_be_run_again_and_gives_the_memory_back():
    net = nnmicro.Net("golden.nnm")
    assert net.selftest() == net.selftest() == 2
    with net.extractor() as ex:
        assert ex.arena.used == 0
        assert "in use" in raises(nnmicro.StateError, net.selftest)


def test_a_file_without_vectors_says_how_to_get_them():
    assert "--golden" in raises(ModelError, nnmicro.Net("branches.nnm").selftest)


def test_a_changed_weight_is_found_by_its_checksum_first():
    file = Words("golden.nnm")
    file[file.section(f.WEIGHTS)] = 2.125
    assert "weights is damaged" in raises(ModelError, nnmicro.Net(file.data).selftest)


def test_a_changed_weight_with_right_checksums_is_found_by_the_vectors():
    file = Words("golden.nnm")
    file[file.section(f.WEIGHTS)] = 2.125
    text = raises(ModelError, file.seal().selftest)
    assert "vector 0" in text and "output A" in text and "differs by" in text


def test_a_small_difference_of_floats_is_allowed_and_a_larger_one_is_not():
    # Vector 0's largest A is 508: 0.0508 is allowed.
    for off, agrees in ((0.03, True), (0.07, False)):
        file = Words("golden.nnm")
        at = file.section(f.GOLDEN) + 1 + 128
        assert file[at] == 0x40800000  # 4.0: A where left is 0
        file[at] = 4.0 + off
        net = file.seal()
        if agrees:
            assert net.selftest() == 2
        else:
            assert "output A" in raises(ModelError, net.selftest)


def test_a_single_step_of_an_integer_is_found():
    file = Words("camera.nnm")
    at = 4 * file.section(f.GOLDEN) + 4 + 48  # the first element of the output
    file.data[at] ^= 1
    text = raises(ModelError, file.seal().selftest)
    assert "output same" in text and "differs by 1" in text


def test_the_second_vector_is_named():
    file = Words("golden.nnm")
    each = 4 * 64
    file[file.section(f.GOLDEN) + 1 + each + 3 * 64 + 5] = 0.0
    text = raises(ModelError, file.seal().selftest)
    assert "vector 1" in text and "output B" in text


def test_a_damaged_section_is_found_when_it_is_asked_for():
    file = Words("golden.nnm")
    file.data[4 * file.section(f.GOLDEN) + 100] ^= 4
    assert "golden is damaged" in raises(ModelError, nnmicro.Net(file.data).selftest)


def test_hostile_counts_and_sizes():
    for count in (0, -1, 1, 3, 1 << 20, 0x7FFFFFFF, -(1 << 31)):
        file = Words("golden.nnm")
        file[file.section(f.GOLDEN)] = count
        assert "golden" in raises(ModelError, file.seal().selftest)
    for nbytes in (0, 4, 8, 2048, 2056):
        file = Words("golden.nnm")
        e = file.entry(f.GOLDEN)
        assert file[e + f.S_BYTES] == 4 + 2 * 4 * 256
        file[e + f.S_BYTES] = nbytes
        try:
            net = file.seal()
        except ModelError:  # it would reach beyond the file
            continue
        assert "golden" in raises(ModelError, net.selftest)


def test_expected_values_that_are_no_numbers_are_refused():
    for bits in (0x7FC00000, 0x7F800000, -8388608):  # NaN and both infinities
        file = Words("golden.nnm")
        file[file.section(f.GOLDEN) + 1 + 128 + 7] = bits
        assert "no output can be" in raises(ModelError, file.seal().selftest)


def test_two_sections_of_vectors_are_refused():
    file = Words("golden.nnm")
    file[file.entry(f.SOURCE)] = f.GOLDEN | f.OPTIONAL | f.LAZY
    assert "two sections golden" in file.refused()
