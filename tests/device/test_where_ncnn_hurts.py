"""The situations in which ncnn's users get stale, empty or crashing results; here each gives an answer or an error."""

from array import array

from expect import given, raises, values

import nnmicro
from nnmicro import ArenaFull, ModelError, RecycledError

FILES = ("branches.nnm", "residual.nnm", "deep.nnm", "fused.nnm")
LONG = ("test_a_deep_graph_needs_no_deep_stack",)


def test_two_outputs_that_share_a_middle_blob_are_both_right():
    net = nnmicro.Net("branches.nnm")
    for order in (("A", "B"), ("B", "A")):
        with net.extractor() as ex:
            ex.input("left", given(1))
            ex.input("right", given(5))
            results = {name: values(ex.extract(name)) for name in order}
            assert results == {"A": 12, "B": 7}


def test_both_results_stay_valid_together():
    net = nnmicro.Net("branches.nnm")
    with net.extractor() as ex:
        ex.input("left", given(1))
        ex.input("right", given(5))
        a, b = ex.extract("A"), ex.extract("B")
        assert values(a) == 12 and values(b) == 7


def test_a_recycled_blob_is_named_with_the_ways_out():
    with nnmicro.Net("branches.nnm").extractor() as ex:
        ex.input("left", given(1))
        ex.input("right", given(5))
        ex.extract("A")
        text = raises(RecycledError, ex.extract, "p")
        for part in ("p ", "earlier", "keep", "lightmode"):
            assert part in text
        assert values(ex.extract("B")) == 7


def test_a_recycled_blob_can_be_had_in_each_of_the_ways():
    net = nnmicro.Net("branches.nnm")
    with net.extractor(arena=nnmicro.Arena(4096)) as ex:  # earlier
        ex.input("left", given(1))
        p = ex.extract("p")
        assert values(ex.extract("A")) == 12
        assert values(p) == 9
    with net.extractor(keep=("p",)) as ex:
        ex.input("left", given(1))
        assert values(ex.extract("A")) == 12
        assert values(ex.extract("p")) == 9
    with net.extractor(lightmode=False) as ex:
        ex.input("left", given(1))
        assert values(ex.extract("A")) == 12
        assert [values(ex.extract(name)) for name in ("p", "m", "left")] == [9, 3, 1]


def test_a_blob_that_was_fused_away_is_named_with_its_successor():
    net = nnmicro.Net("fused.nnm")
    with net.extractor() as ex:
        ex.input("x", given(1))
        text = raises(RecycledError, ex.extract, "pre")
        assert "'y'" in text and "fuse" in text
        assert values(ex.extract("y")) == 0


def test_a_wrong_name_is_answered_with_near_ones():
    net = nnmicro.Net("residual.nnm")
    with net.extractor() as ex:
        text = raises(KeyError, ex.extract, "a3")
        assert "a3" in text and "a1" in text
        assert "inputs are x" in raises(KeyError, ex.input, "y", given(1))


def test_a_wrong_size_says_what_was_given_and_what_is_expected():
    with nnmicro.Net("residual.nnm").extractor() as ex:
        text = raises(ValueError, ex.input, "x", [0] * 63)
        assert "'x'" in text or "x " in text
        assert "64" in text and "63" in text
        raises(ValueError, ex.input, "x", b"\0" * 255)
        raises(ValueError, ex.input, "x", [])
        ex.input("x", given(1))
        assert values(ex.extract("y")) == 14


def test_the_callers_memory_is_never_written_to():
    net = nnmicro.Net("residual.nnm")
    data = array("f", given(1))
    raw = bytearray(256)
    with net.extractor() as ex:
        ex.input("x", data)
        ex.extract("y")
        ex.reset()
        ex.input("x", raw)
        ex.extract("y")
    assert list(data) == given(1) and raw == bytearray(256)


def test_a_full_arena_says_who_asked_and_who_holds_and_leaves_the_extractor_usable():
    net = nnmicro.Net("residual.nnm")
    arena = nnmicro.Arena(512)
    blocker = arena.alloc(256)
    with net.extractor(arena=arena) as ex:
        ex.input("x", given(1))
        text = raises(ArenaFull, ex.extract, "y")
        for part in ("256 bytes asked", "free", "largest", "peak", "in memory"):
            assert part in text
        assert isinstance(ArenaFull(""), MemoryError)
        assert "reset()" in raises(nnmicro.StateError, ex.extract, "y")
        arena.release(blocker)
        ex.reset()
        assert arena.used == 0
        ex.input("x", given(1))
        assert values(ex.extract("y")) == 14
    assert arena.used == 0


def test_a_result_outlives_the_extractor_and_the_net_only_when_held():
    def make():
        net = nnmicro.Net("residual.nnm")
        ex = net.extractor()
        ex.input("x", given(1))
        y = ex.extract("y")
        return y.hold(), ex

    import gc

    y, ex = make()
    ex.close()
    del ex
    gc.collect()
    assert values(y) == 14
    y.release()


def test_a_deep_graph_needs_no_deep_stack():
    net = nnmicro.Net("deep.nnm")
    for lightmode in (True, False):
        with net.extractor(lightmode=lightmode) as ex:
            ex.input("x", [0, 1, 2, 3])
            assert ex.extract("y").tolist() == [[[[600, 601, 602, 603]]]]
    with net.extractor(arena=nnmicro.Arena(64)) as ex:
        ex.input("x", [0, 1, 2, 3])
        assert ex.extract("t298")[0] == 299
        assert ex.extract("y")[0] == 600


def test_what_is_no_model_is_refused():
    for data in (b"", b"NNM\x1a", b"7767517\n75 83\n" * 30):
        raises(ModelError, nnmicro.Net, data)
    raises(OSError, nnmicro.Net, "no such file.nnm")
