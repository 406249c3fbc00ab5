"""A depthwise layer whose output is written over its input: the same results whatever is asked for, the input stays
where somebody still wants it, and hostile files are refused.

In `over.nnm` (float32) and `over_int8.nnm` x (2 channels of 9 x 6) is made 12 channels wide, a depthwise convolution
makes `middle` of that, and y has 2 channels again. The golden vector is what they give apart.
"""

from words import Words, f

import nnmicro
from nnmicro import RecycledError

FILES = ("over.nnm", "over_int8.nnm")
_PIXELS = 9 * 6
NAMES = ("wide", "middle", "y")
_DEPTHWISE = 1  # the layer, and some of its parameters
_STRIDE_H = 2
_PAD_TOP = 6
_GROUP = 8


def raises_recycled(ex, name):
    try:
        ex.extract(name)
    except RecycledError:
        return True
    return False


def give(net, ex):
    blob = ex.input_view("x")
    item = 4 if blob.dtype == "float32" else 1
    data = bytearray(item * 2 * _PIXELS)
    for i in range(item - 1, len(data), item):
        data[i] = 64 * (i % 2) if item == 4 else i % 9  # float32: 0 and 2
    blob.assign_bytes(data)


def apart(name):
    """What each blob holds where all are kept."""
    net = nnmicro.Net(name)
    with net.extractor(lightmode=False) as ex:
        give(net, ex)
        ex.extract("y")
        return {blob: ex.extract(blob).tobytes() for blob in NAMES}


def test_wide_and_middle_are_a_few_rows_more_than_wide():
    for name, item, rows in (("over.nnm", 4, 2 * 6 * 4), ("over_int8.nnm", 1, 2 * 6 * 12)):
        net = nnmicro.Net(name)
        assert net.words[net.record(net.index("wide")) + f.B_OWNER] == net.index("middle") + 1
        plane = (_PIXELS * item + 15) // 16 * 16 if item == 4 else _PIXELS
        most = (rows + 15) // 16 * 16 + (12 * plane + 15) // 16 * 16 + (2 * plane + 15) // 16 * 16
        assert net.arena_size == net.live_peak <= most < 2 * 12 * plane
        with net.extractor() as ex:
            give(net, ex)
            ex.extract("y")
            assert ex.arena.live_peak == net.live_peak
            assert ex.placement == "plan"


def test_every_backend_gives_what_the_layers_give_apart():
    for name in FILES:
        for backend, missing in nnmicro.backends():
            if missing is None:
                net = nnmicro.Net(name, nnmicro.Option(backend=backend))
                assert net.selftest() == 1, (name, backend)


def test_with_a_window_too():
    for name in FILES:
        net = nnmicro.Net(name, nnmicro.Option(weights="window"))
        assert net.selftest() == 1
        net.close()


def test_what_is_asked_for_first_stays():
    for name in FILES:
        wanted = apart(name)
        net = nnmicro.Net(name)
        for lightmode in (True, False):
            for first in NAMES:
                arena = nnmicro.Arena(16384)
                with net.extractor(lightmode=lightmode, arena=arena) as ex:
                    give(net, ex)
                    blob = ex.extract(first)
                    assert blob.tobytes() == wanted[first], (name, lightmode, first)
                    assert ex.extract("y").tobytes() == wanted["y"], (name, lightmode, first)
                    assert blob.tobytes() == wanted[first], (name, lightmode, first)
                assert arena.used == arena.live == 0


def test_what_is_kept_or_held_stays():
    for name in FILES:
        wanted = apart(name)
        net = nnmicro.Net(name)
        with net.extractor(keep=("wide",)) as ex:
            give(net, ex)
            assert ex.extract("y").tobytes() == wanted["y"]
            assert ex.extract("wide").tobytes() == wanted["wide"]
            assert raises_recycled(ex, "middle")
        arena = nnmicro.Arena(16384)
        with net.extractor(arena=arena) as ex:
            give(net, ex)
            held = ex.extract("wide").hold()
            ex.reset()
            for _ in range(2):
                give(net, ex)
                assert ex.extract("y").tobytes() == wanted["y"]
                ex.reset()
            assert held.tobytes() == wanted["wide"]
            held.release()
        assert arena.used == arena.live == 0


def test_without_lightmode_both_have_memory():
    for name in FILES:
        net = nnmicro.Net(name)
        with net.extractor(lightmode=False) as ex:
            give(net, ex)
            ex.extract("y")
            assert ex.arena.live_peak == net.lightmode_off_size


def test_it_is_gone_when_middle_is_there():
    net = nnmicro.Net("over.nnm")
    with net.extractor() as ex:
        give(net, ex)
        ex.extract("middle")
        assert raises_recycled(ex, "wide")


def changed(name, kind, record, *changes):
    """The text with which a file is refused one of whose records has other words."""
    file = Words(name)
    words = f.BLOB_WORDS if kind == f.BLOBS else f.LAYER_WORDS
    for field, value in changes:
        file[file.section(kind) + record * words + field] = value
    return file.refused()


def test_the_input_lies_far_enough_behind_the_output():
    for name in FILES:
        net = nnmicro.Net(name)
        wide = net.index("wide")
        place = net.words[net.record(wide) + f.B_PLACE]
        for less in (16, place):
            assert "written over what it still reads" in changed(name, f.BLOBS, wide, (f.B_PLACE, place - less))
        # Farther than the plan has room for.
        for more in (net.arena_size, 1 << 29):
            assert "outside the" in changed(name, f.BLOBS, wide, (f.B_PLACE, more))
        for value in (-16, place + 1 if name == "over.nnm" else (1 << 30) - 4):
            assert "bytes at" in changed(name, f.BLOBS, wide, (f.B_PLACE, value))


def with_parameter(name, at, value):
    """The text with which a file is refused whose depthwise layer has another parameter."""
    file = Words(name)
    layer = file.section(f.LAYERS) + _DEPTHWISE * f.LAYER_WORDS
    file[file.section(f.PARAMS) + file[layer + f.L_PARAMS] + at] = value
    return file.refused()


def test_what_moves_the_rows_is_looked_at():
    for name in FILES:
        # A larger padding: the rows are read later.
        assert "written over what it still reads" in with_parameter(name, _PAD_TOP, 3)
        for at, value in ((_PAD_TOP, -1), (_STRIDE_H, 0), (_STRIDE_H, -1)):
            assert "cannot be written over its input" in with_parameter(name, at, value)
    assert "cannot be written over its input" in with_parameter("over.nnm", _GROUP, 4)


def test_only_a_depthwise_layer_is_written_over_the_blob_in_its_output():
    for name in FILES:
        net = nnmicro.Net(name)
        for other in (0, 2):
            assert "does not lie as its flags 0x4 say" in changed(name, f.LAYERS, other, (f.L_FLAGS, 4))
        for flags in (0, 1, 2, 5, 6, 8):
            changed(name, f.LAYERS, _DEPTHWISE, (f.L_FLAGS, flags))
        changed(name, f.BLOBS, net.index("wide"), (f.B_OWNER, 0))
        changed(name, f.BLOBS, net.index("wide"), (f.B_OWNER, net.index("y") + 1))
        # Another one in the same block.
        text = changed(name, f.BLOBS, net.index("y"), (f.B_OWNER, net.index("middle") + 1), (f.B_PLACE, 0))
        assert "lies in blob" in text
