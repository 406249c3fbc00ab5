"""Weights that stay in the file: the same bytes as with the whole file in memory, whatever the window's size."""

from array import array

from expect import raises

import nnmicro
from nnmicro import ModelError, Option

FILES = (
    "wide.nnm",
    "digits.nnm",
    "branches.nnm",
    "residual.nnm",
    "padded.nnm",
    "memory.nnm",
    "camera_each.nnm",
    "golden.nnm",
)
DEVICE_ONLY = ("test_a_second_inference_uses_no_heap",)


def inputs_of(net):
    made = []
    for name in net.inputs:
        count = 1
        for d in net.shape(name):
            count *= d
        made.append((name, bytes((i * 7 + 3) % 17 for i in range(count))))
    return made


def run(ex):
    for name, data in inputs_of(ex.net):
        try:
            ex.input(name, data)
        except ValueError:  # an input of floats, and no preprocessing
            ex.input(name, list(data))
    return [bytes(ex.extract(name).tobytes()) for name in ex.net.outputs]


def exact():
    """The best backend here that sums in the same order however many channels there are: numpy does not."""
    for name, why in nnmicro.backends():
        if not why and name != "vector":
            return name


def windowed(file, window=0, **named):
    net = nnmicro.Net(file, Option(weights="window", window=window, **named))
    assert net.weights_from == "window"
    return net


def least_window(file):
    """What the engine says that a model needs."""
    text = raises(ValueError, windowed, file, 1)
    return int(text.split()[-1])


def whole(file, **named):
    net = nnmicro.Net(file, Option(weights="memory", **named))
    assert net.weights_from == "memory"
    with net.extractor() as ex:
        return run(ex)


def copy(file, name, change=None):
    with open(file, "rb") as source:
        data = bytearray(source.read())
    if change:
        change(data)
    with open(name, "wb") as target:
        target.write(data)
    return name


def test_the_same_bytes_with_lightmode_and_without():
    for file in FILES:
        expected = whole(file)
        for lightmode in (True, False):
            net = windowed(file, lightmode=lightmode)
            with net.extractor() as ex:
                assert run(ex) == expected
                ex.reset()
                assert run(ex) == expected
            net.close()


def test_the_same_bytes_some_channels_at_a_time():
    for backend in {exact(), "reference"}:
        expected = whole("wide.nnm", backend=backend)
        least = least_window("wide.nnm")
        cut = 0
        for window in (least, least + 16, 3 * least, 8 * least):
            net = windowed("wide.nnm", window, backend=backend)
            assert net.window.size <= window
            cut += sum(1 for channels in net.window.channels if channels)
            with net.extractor() as ex:
                assert run(ex) == expected
                assert ex.placement == "plan"
            net.close()
        assert cut >= 4


class Refusing:
    """Stands for native code that leaves every other call to Python."""

    def __init__(self, native):
        self.native = native
        self.refused = 0
        self.calls = 0

    def call(self, record, buffers):
        self.calls += 1
        if self.calls % 2:
            self.refused += 1
            raise ValueError
        self.native.call(record, buffers)


def test_some_channels_in_native_code_and_some_in_python():
    net = windowed("wide.nnm", least_window("wide.nnm"))
    if net.backend != "_nnmicro":
        from expect import SkipTest

        raise SkipTest("there is no native code here")
    with net.extractor() as ex:
        expected = run(ex)
        calls = net.window._calls
        calls._native = refusing = Refusing(calls._native)
        ex.reset()
        # Floats, which Python adds up in another order.
        for got, reference in zip(run(ex), expected):
            numbers, expected_numbers = array("f", got), array("f", reference)
            allowed = 1e-6 * max(abs(x) for x in expected_numbers)
            assert all(abs(x - y) <= allowed for x, y in zip(numbers, expected_numbers))
        assert 1 < refusing.refused < refusing.calls
    net.close()


def test_a_window_below_what_the_model_needs_is_refused_with_the_size_it_needs():
    least = least_window("wide.nnm")
    text = raises(ValueError, windowed, "wide.nnm", least - 1)
    assert str(least) in text
    windowed("wide.nnm", least).close()


def test_two_extractors_share_one_window():
    net = windowed("wide.nnm", least_window("wide.nnm"), backend=exact())
    expected = whole("wide.nnm", backend=exact())
    output = net.outputs[0]
    with net.extractor() as one, net.extractor(arena=nnmicro.Arena(net.arena_size)) as two:
        for ex in (one, two):
            for name, data in inputs_of(net):
                ex.input(name, list(data))
        while one.step(output) | two.step(output):
            pass
        assert bytes(one.extract(output).tobytes()) == bytes(two.extract(output).tobytes()) == expected[0]
    net.close()


def test_intermediates_and_kept_blobs():
    net = windowed("branches.nnm")
    with net.extractor(keep=("m",)) as ex:
        ex.input("left", [1] * 64)
        ex.input("right", [5] * 64)
        assert ex.extract("A")[0] == 12 and ex.extract("m")[0] == 3
    net.close()


def test_the_weights_checksum_is_taken_through_the_window():
    net = windowed("digits.nnm")
    net.check_weights()
    with net.extractor() as ex:
        assert run(ex) == whole("digits.nnm")
    at = net.window._weights_at
    net.close()

    def flip(data):
        data[at + 100] ^= 1

    net = windowed(copy("digits.nnm", "flipped.nnm", flip))
    assert "weights" in raises(ModelError, net.check_weights)
    net.close()


def test_golden_vectors_stay_in_the_file():
    net = windowed("golden.nnm")
    assert net.selftest() == 2
    net.close()


def open_files_keep_their_content():
    """Whether the filesystem goes on giving an open file what it had: littlefs does, as long as its blocks are free."""
    copy("digits.nnm", "probe.nnm")
    with open("probe.nnm", "rb") as file:
        with open("probe.nnm", "wb"):
            pass
        file.seek(5000)
        return len(file.read(1)) == 1


def test_a_file_that_is_cut_off_while_it_is_open():
    expected = whole("digits.nnm")
    kept = open_files_keep_their_content()
    net = windowed(copy("digits.nnm", "cut.nnm"))
    with net.extractor() as ex:
        assert run(ex) == expected
        ex.reset()
        with open("cut.nnm", "wb"):
            pass
        if kept:
            assert run(ex) == expected
        else:
            assert "cut.nnm" in raises(ModelError, run, ex)
            assert "reset()" in raises(nnmicro.StateError, ex.extract, net.outputs[0])
        copy("digits.nnm", "cut.nnm")
        ex.reset()
        assert run(ex) == expected
    net.close()


def test_a_file_into_which_another_model_is_written():
    kept = open_files_keep_their_content()
    net = windowed(copy("digits.nnm", "other.nnm"))

    def change(data):
        data[124] ^= 1  # of the header's checksum, which covers those of all sections

    with net.extractor() as ex:
        expected = run(ex)
        ex.reset()
        copy("digits.nnm", "other.nnm", change)
        if kept:
            assert run(ex) == expected
        else:
            assert "has changed" in raises(ModelError, run, ex)
        copy("digits.nnm", "other.nnm")
        ex.reset()
        assert run(ex) == expected
    net.close()


def test_a_closed_file_is_an_error_with_a_sentence():
    net = windowed("digits.nnm")
    net.close()
    with net.extractor() as ex:
        assert "cannot be read" in raises(ModelError, run, ex)


def test_damaged_tables_are_refused():
    def flip(data):
        data[at] ^= 4

    net = windowed("digits.nnm")
    tables = net.window._tables
    net.close()
    for at in range(0, tables - 16, 61):
        name = copy("digits.nnm", "damaged.nnm", flip)
        try:
            net = windowed(name)
        except ModelError:
            continue
        # Only what fills up a section to a multiple of 16 bytes.
        with net.extractor() as ex:
            assert run(ex) == whole("digits.nnm")
        net.close()


def test_options_that_contradict_each_other():
    for named in ({"weights": "flash"}, {"weights": "memory", "window": 512}, {"window": -1}):
        raises(ValueError, Option, **named)


def test_a_second_inference_uses_no_heap():
    import micropython

    for window in (0, least_window("wide.nnm")):
        net = windowed("wide.nnm", window)
        if net.backend != "_nnmicro":
            from expect import SkipTest

            raise SkipTest("the plain kernels may use the heap")
        output = net.outputs[0]
        with net.extractor() as ex:
            run(ex)
            ex.reset()
            for name, data in inputs_of(net):
                ex.input(name, list(data))
            micropython.heap_lock()
            try:
                ex.extract(output)
            finally:
                micropython.heap_unlock()
        net.close()
