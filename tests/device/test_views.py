"""Blobs that lie in others: the same results in every order, what they hold is theirs, and hostile files are refused.

In `gathered.nnm` x has 4 channels, a = x + 1 and b = 2 a lie in c, that and d = 3 x in e (12 channels), of which left
and right are the halves, and y = left + right.
"""

from expect import raises
from words import Words, f

import nnmicro
from nnmicro import RecycledError

FILES = ("gathered.nnm", "beside.nnm")
_CHANNEL = 16  # elements of one

X = [(i * 5 + 2) % 23 for i in range(4 * _CHANNEL)]
A = [v + 1 for v in X]
B = [2 * v for v in A]
D = [3 * v for v in X]
E = A + B + D
VALUES = {"a": A, "b": B, "c": A + B, "d": D, "e": E, "left": E[: 6 * _CHANNEL], "right": E[6 * _CHANNEL :]}
VALUES["y"] = [VALUES["left"][i] + VALUES["right"][i] for i in range(6 * _CHANNEL)]
NAMES = ("a", "b", "c", "d", "e", "left", "right", "y")


def holds(blob, name):
    """Whether a blob has the elements of that name, and is no larger."""
    wanted = VALUES[name]
    return len(blob) == len(wanted) and all(blob[i] == wanted[i] for i in range(len(wanted)))


def owner(net, name):
    at = net.words[net.record(net.index(name)) + f.B_OWNER] - 1
    return net.name(at) if at >= 0 else None


def test_the_file_has_them():
    net = nnmicro.Net("gathered.nnm")
    assert [owner(net, name) for name in NAMES] == ["e", "e", "e", "e", None, "e", "e", None]


def test_e_is_made_of_its_inputs_in_the_memory_of_e():
    net = nnmicro.Net("gathered.nnm")
    with net.extractor() as ex:
        ex.input("x", X)
        assert holds(ex.extract("y"), "y")
        # x and e; then e and y
        assert ex.arena.live_peak == net.live_peak == (12 + 6) * 4 * _CHANNEL
        assert net.lightmode_off_size == (4 + 4 + 4 + 8 + 4 + 12 + 6 + 6 + 6) * 4 * _CHANNEL


def test_every_blob_may_be_asked_for_first():
    net = nnmicro.Net("gathered.nnm")
    for lightmode in (True, False):
        for first in NAMES:
            with net.extractor(lightmode=lightmode, arena=nnmicro.Arena(4096)) as ex:
                ex.input("x", X)
                blob = ex.extract(first)
                assert holds(blob, first), (lightmode, first)
                assert holds(ex.extract("y"), "y"), (lightmode, first)
                assert holds(blob, first), (lightmode, first)
                assert ex.arena.used <= net.lightmode_off_size
            assert ex.arena.used == 0


def test_without_lightmode_all_are_there_in_any_order():
    net = nnmicro.Net("gathered.nnm")
    for turn in range(len(NAMES)):
        names = NAMES[turn:] + NAMES[:turn]
        with net.extractor(lightmode=False) as ex:
            ex.input("x", X)
            for name in names:
                assert holds(ex.extract(name), name)
            for name in names:
                assert holds(ex.extract(name), name)


def test_a_blob_that_is_kept_is_not_written_over():
    net = nnmicro.Net("gathered.nnm")
    for name in NAMES:
        with net.extractor(keep=(name,)) as ex:
            ex.input("x", X)
            assert holds(ex.extract("y"), "y")
            assert holds(ex.extract(name), name)


def test_one_that_is_held_outlives_the_inference():
    net = nnmicro.Net("gathered.nnm")
    for name in ("a", "d", "e", "right"):
        arena = nnmicro.Arena(8192)
        ex = net.extractor(arena=arena)
        ex.input("x", X)
        blob = ex.extract(name).hold()
        ex.reset()
        ex.input("x", [0] * len(X))
        ex.extract("y")
        assert holds(blob, name)
        ex.close()
        assert holds(blob, name)
        blob.release()
        assert arena.used == 0


def test_what_nobody_reads_any_more_is_recycled_in_the_memory_of_another_too():
    net = nnmicro.Net("gathered.nnm")
    with net.extractor() as ex:
        ex.input("x", X)
        ex.extract("y")
        for name in NAMES[:-1]:
            assert name in raises(RecycledError, ex.extract, name)


def test_alone_a_gathered_blob_holds_no_memory_when_it_is_done():
    """Nobody will read e: its memory goes with the last blob in it."""
    net = nnmicro.Net("gathered.nnm")
    with net.extractor(outputs=("b",), arena=nnmicro.Arena(4096)) as ex:
        ex.input("x", X)
        blob = ex.extract("b")
        assert holds(blob, "b")
        assert ex.arena.live == 1
        ex.reset()
        assert ex.arena.used == 0


def test_int8_blobs_beside_each_other_in_the_pixels_of_one():
    """Every backend that there is gives what the layers give that copy."""
    for backend, missing in nnmicro.backends():
        if missing is None:
            net = nnmicro.Net("beside.nnm", nnmicro.Option(backend=backend))
            gaps = [i for i in range(net.n_blobs) if net.words[net.record(i) + f.B_OWNER]]
            assert len(gaps) >= 4
            assert net.selftest() == 1, backend


def changed(blob, *changes):
    """The text with which a file is refused whose record of a blob has other words."""
    file = Words("gathered.nnm")
    net = nnmicro.Net("gathered.nnm")
    for field, value in changes:
        file[file.section(f.BLOBS) + net.index(blob) * f.BLOB_WORDS + field] = value
    return file.refused()


def test_an_owner_is_another_blob_with_a_block_of_its_own():
    net = nnmicro.Net("gathered.nnm")
    for value in (-1, net.n_blobs + 1, 1 << 29, net.index("a") + 1, net.index("c") + 1):
        assert "no block of its own" in changed("a", (f.B_OWNER, value))
    assert "no block of its own" in changed("e", (f.B_OWNER, net.index("y") + 1), (f.B_PLACE, 0))
    assert "nor it an input" in changed("x", (f.B_OWNER, net.index("e") + 1), (f.B_PLACE, 0))
    changed("a", (f.B_TYPE, 2 | 4 << 8))


def test_a_view_lies_inside_its_owner_where_a_layer_has_it_lie():
    net = nnmicro.Net("gathered.nnm")
    for blob in ("a", "left"):
        for value in (-64, 2, 12 * 64 - 192, 12 * 64, 1 << 29):
            assert "bytes at" in changed(blob, (f.B_PLACE, value))
    assert "its input 0 lies in its output, but elsewhere" in changed("a", (f.B_PLACE, 64))
    assert "its output does not lie where its input has it" in changed("left", (f.B_PLACE, 64))
    assert "does not lie as its flags 0x1 say" in changed("right", (f.B_OWNER, 0))
    for owner in ("e", "x"):
        changed("b", (f.B_OWNER, net.index(owner) + 1), (f.B_PLACE, 0))
    text = changed("y", (f.B_OWNER, net.index("e") + 1), (f.B_PLACE, 0))
    assert "which does not gather it" in text


def test_a_layer_cannot_work_in_place_inside_another_blob():
    file = Words("gathered.nnm")
    file[file.section(f.LAYERS) + f.L_FLAGS] = 2
    assert "would work in place inside another blob" in file.refused()
