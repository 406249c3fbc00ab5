"""Blobs as arrays of numpy's or ulab's, and arrays as inputs: the same memory, no copies."""

from array import array

from expect import SkipTest, raises

import nnmicro
from nnmicro import StateError
from nnmicro.arrays import IS_ULAB, np

FILES = ("gathered.nnm", "camera.nnm", "camera_plain.nnm", "camera_planar.nnm", "integers.nnm", "large.nnm")
ARRAYS = (
    "test_an_array_is_the_blobs_memory",
    "test_channels_with_gaps_between_them_are_one_array",
    "test_pixels_are_the_first_dimension_where_the_source_has_them_so",
    "test_an_array_of_a_blob_that_lies_in_another_has_only_its_own_elements",
    "test_a_copys_array_lasts",
    "test_elements_that_the_library_lacks_are_refused",
    "test_an_array_of_the_blobs_type_is_its_elements",
    "test_an_array_with_gaps_is_an_input_too",
    "test_an_array_of_another_type_is_real_values",
    "test_an_array_of_unsigned_bytes_is_what_a_camera_gives",
    "test_a_shape_that_does_not_fit_is_refused",
    "test_an_array_as_an_input_takes_no_copy",
)
DEVICE_ONLY = ("test_without_a_library_it_is_said_what_to_do", "test_an_array_as_an_input_takes_no_copy")

COUNT = 48


def floats(values, shape):
    flat = np.frombuffer(array("f", values), dtype=np.float if IS_ULAB else np.float32)
    return flat.reshape(shape)


def planar():
    """A float input of 3 channels of 3 x 3, which lie 12 apart; an extractor that has it."""
    return nnmicro.Net("camera_planar.nnm").extractor()


def test_without_a_library_it_is_said_what_to_do():
    if np is not None:
        raise SkipTest("this device has ulab")
    with planar() as ex:
        ex.input("image", [0] * 27)
        assert "ulab" in raises(ImportError, ex.extract("same").ndarray)


def test_an_array_is_the_blobs_memory():
    with nnmicro.Net("gathered.nnm").extractor() as ex:
        ex.input("x", list(range(64)))
        blob = ex.extract("y")
        values = [blob[i] for i in range(len(blob))]
        found = blob.ndarray()
        assert found.shape == ((6, 16) if IS_ULAB else (1, 6, 4, 4))
        assert list(found.reshape((96,))) == values
        blob[17] = 1234.5
        assert found.reshape((96,))[17] == 1234.5
        found.reshape((96,))[20] = -3.0
        assert blob[20] == -3
        ex.reset()
        assert "ended" in raises(StateError, blob.ndarray)


def test_channels_with_gaps_between_them_are_one_array():
    with planar() as ex:
        ex.input("image", [float(i) for i in range(27)])
        blob = ex.extract("same")
        assert blob.cstep == 12
        found = blob.ndarray()
        assert found.shape == ((3, 9) if IS_ULAB else (1, 3, 3, 3))
        assert list(found.flatten()) == list(range(27))
        found += 0.5
        assert blob[26] == 26.5 and blob[9] == 9.5


def test_pixels_are_the_first_dimension_where_the_source_has_them_so():
    with nnmicro.Net("camera_plain.nnm").extractor() as ex:
        ex.input("image", bytes(range(COUNT)))
        found = ex.extract("same").ndarray()
        assert found.shape == ((16, 3) if IS_ULAB else (1, 4, 4, 3))
        assert list(found.flatten()) == list(range(COUNT)) and found.itemsize == 1
        found[0] = -5
        blob = ex.extract("same")
        assert blob[0] == -5 and blob[2] == -5


def test_an_array_of_a_blob_that_lies_in_another_has_only_its_own_elements():
    with nnmicro.Net("gathered.nnm").extractor(lightmode=False, arena=nnmicro.Arena(4096)) as ex:
        ex.input("x", list(range(64)))
        for name in ("a", "b", "c", "d", "e", "left", "right"):
            blob = ex.extract(name)
            assert list(blob.ndarray().flatten()) == [blob[i] for i in range(len(blob))]


def test_a_copys_array_lasts():
    with planar() as ex:
        ex.input("image", [float(i) for i in range(27)])
        found = ex.extract("same").copy().ndarray()
    assert list(found.flatten()) == list(range(27))


def test_elements_that_the_library_lacks_are_refused():
    with nnmicro.Net("integers.nnm").extractor() as ex:
        ex.input("numbers", [1, 70000, -3])
        blob = ex.extract("same")
        if IS_ULAB:
            assert "int32" in raises(TypeError, blob.ndarray)
        else:
            assert list(blob.ndarray()) == [1, 70000, -3]


def test_an_array_of_the_blobs_type_is_its_elements():
    values = [0.25 * i - 3 for i in range(27)]
    with planar() as ex:
        for shape in ((27,), (3, 9)) if IS_ULAB else ((27,), (3, 9), (3, 3, 3), (1, 3, 3, 3)):
            ex.input("image", floats(values, shape))
            blob = ex.input_view("image")
            assert [blob[i] for i in range(27)] == values
    signed = np.frombuffer(bytes(range(100, 100 + COUNT)), dtype=np.int8)
    with nnmicro.Net("camera_plain.nnm").extractor() as ex:
        ex.input("image", signed)
        assert ex.extract("same")[30] == 130 - 256  # no scale: these are elements


def test_an_array_with_gaps_is_an_input_too():
    wide = floats(range(54), (3, 18))
    with planar() as ex:
        ex.input("image", wide[:, ::2])
        assert [int(v) for v in ex.extract("same").ndarray().flatten()] == list(range(0, 54, 2))
    bytes_of = np.frombuffer(bytes(range(2 * COUNT)), dtype=np.uint8).reshape((16, 6))
    with nnmicro.Net("camera.nnm").extractor() as ex:
        ex.input("image", bytes_of[:, :3])
        given = ex.extract("same").tobytes()
        ex.reset()
        ex.input("image", bytes(bytes_of[:, :3].flatten().tobytes()))
        assert given == ex.extract("same").tobytes()


def test_an_array_of_another_type_is_real_values():
    # Elements are 0.5 * (q + 3).
    with nnmicro.Net("camera_plain.nnm").extractor() as ex:
        ex.input("image", floats([0.5 * i for i in range(COUNT)], (16, 3)))
        assert list(ex.extract("same").ndarray().flatten()) == [i - 3 for i in range(COUNT)]
        ex.reset()
        ex.input("image", np.frombuffer(array("h", range(COUNT)), dtype=np.int16))
        assert ex.extract("same")[5] == 7


def test_an_array_of_unsigned_bytes_is_what_a_camera_gives():
    data = bytes((7 * i + 11) % 256 for i in range(COUNT))
    with nnmicro.Net("camera.nnm").extractor() as ex:
        ex.input("image", data)
        wanted = ex.extract("same").tobytes()
        ex.reset()
        ex.input("image", np.frombuffer(data, dtype=np.uint8).reshape((16, 3)))
        assert ex.extract("same").tobytes() == wanted


def test_a_shape_that_does_not_fit_is_refused():
    with planar() as ex:
        for shape in ((9, 3), (26,), (1, 27)):
            text = raises(ValueError, ex.input, "image", floats(range(shape[0] * (shape + (1,))[1]), shape))
            assert "(1, 3, 3, 3)" in text and str(shape) in text


def test_an_array_as_an_input_takes_no_copy():
    import gc

    values = floats([0] * 4096, (64, 64))
    with nnmicro.Net("large.nnm").extractor() as ex:
        ex.input("image", values)  # loads what it takes
        gc.collect()
        before = gc.mem_alloc()
        ex.input("image", values)
        assert gc.mem_alloc() - before < 2048  # of 16 KB
