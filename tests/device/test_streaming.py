"""A model that runs row by row: the same results, inputs given by rows, and what its extractor refuses."""

from expect import raises

import nnmicro

FILES = ("rows.nnm", "rows_fed.nnm", "rows_camera.nnm", "rows_planar.nnm")

HEIGHT, ROW = 24, 12  # rows of the input, and bytes of one


def picture(seed):
    return bytes((i * i * 7 + i * seed) % 256 for i in range(HEIGHT * ROW))


def whole(net, data):
    """What the output is with whole tensors."""
    with net.extractor(lightmode=False) as ex:
        ex.input("image", data)
        return ex.extract("scores").tolist()


def test_the_results_are_those_of_whole_tensors_in_less_memory():
    net = nnmicro.Net("rows.nnm")
    ex = net.extractor()
    assert ex.arena.size == net.arena_size < net.words[11]
    for seed in (1, 2):
        data = picture(seed)
        ex.input("image", data)
        assert ex.extract("scores").tolist() == whole(net, data)
        assert ex.placement == "plan"
        ex.reset()
    ex.close()
    with net.extractor() as ex:  # the same one, opened again
        ex.input("image", picture(3))
        assert ex.extract("scores").tolist() == whole(net, picture(3))


def test_rows_can_be_fed_in_any_portions():
    net = nnmicro.Net("rows_fed.nnm")
    assert net.arena_size < nnmicro.Net("rows.nnm").arena_size
    data = picture(5)
    expected = whole(net, data)
    with net.extractor() as ex:
        for portion in (1, 5, HEIGHT, 7):
            at = 0
            while at < HEIGHT:
                rows = min(portion, HEIGHT - at)
                left = ex.feed("image", data[at * ROW : (at + rows) * ROW])
                at += rows
                assert left == HEIGHT - at
            assert ex.extract("scores").tolist() == expected
            ex.reset()
        assert ex.feed("image", memoryview(bytearray(data))) == 0
        assert ex.extract("scores").tolist() == expected
        ex.reset()
        ex.input("image", data)  # all at once
        assert ex.extract("scores").tolist() == expected


def test_real_values_and_bytes_of_a_camera_can_be_given_to_an_input_that_is_fed():
    net = nnmicro.Net("rows_camera.nnm")
    data = picture(6)
    expected = whole(net, data)
    with net.extractor() as ex:
        for at in range(0, len(data), 3 * ROW):
            ex.feed("image", data[at : at + 3 * ROW])
        assert ex.extract("scores").tolist() == expected
        ex.reset()
        ex.input("image", [(byte - 128.0) / 32.0 for byte in data])
        assert ex.extract("scores").tolist() == expected
        ex.reset()
        elements = bytes((byte - 128) & 255 for byte in data)  # scale 1/32, zero point 0
        ex.feed("image", elements, elements=True)
        assert ex.extract("scores").tolist() == expected


def test_planar_floats_stream_too():
    net = nnmicro.Net("rows_planar.nnm")
    values = [((7 * i) % 23) / 4.0 - 2.0 for i in range(2 * 12 * 5)]
    assert net.arena_size < net.words[11]
    with net.extractor() as ex:
        ex.input("x", values)
        streamed = ex.extract("y").tolist()
    with net.extractor(lightmode=False) as ex:
        ex.input("x", values)
        assert ex.extract("y").tolist() == streamed


def test_wrong_rows_are_refused_and_nothing_is_lost():
    net = nnmicro.Net("rows_fed.nnm")
    data = picture(7)
    expected = whole(net, data)
    with net.extractor() as ex:
        assert "whole rows of 12 bytes; 13 were given" in raises(ValueError, ex.feed, "image", data[:13])
        ex.feed("image", data[: 20 * ROW])
        assert "5 rows for input image, which takes 4 more" in raises(ValueError, ex.feed, "image", data[: 5 * ROW])
        text = raises(ValueError, ex.extract, "scores")
        assert "needs more rows of image: 20 of 24" in text and "feed('image', rows)" in text
        raises(ValueError, ex.feed, "image", [1, 2, 3])
        raises(nnmicro.StateError, ex.input, "image", data)  # after rows of this inference
        raises(ValueError, ex.input_view, "image")
        raises(KeyError, ex.feed, "scores", data)
        ex.feed("image", data[20 * ROW :])
        assert ex.extract("scores").tolist() == expected
        assert "takes 0 more" in raises(ValueError, ex.feed, "image", data[:ROW])
        ex.reset()
        assert "24 rows, 2 were given" in raises(ValueError, ex.input, "image", data[: 2 * ROW])
    raises(nnmicro.StateError, ex.feed, "image", data)


def test_an_input_that_is_whole_is_not_fed_and_has_to_be_there():
    net = nnmicro.Net("rows.nnm")
    with net.extractor() as ex:
        assert "use input()" in raises(ValueError, ex.feed, "image", picture(1))
        assert "give it with input()" in raises(ValueError, ex.extract, "scores")
        ex.input("image", picture(1))
        ex.input("image", picture(2))  # replaces the first
        assert ex.extract("scores").tolist() == whole(net, picture(2))
        assert ex.extract("scores").tolist() == whole(net, picture(2))
        raises(nnmicro.StateError, ex.input, "image", picture(1))


def test_steps_run_towards_an_output():
    net = nnmicro.Net("rows.nnm")
    data = picture(8)
    with net.extractor() as ex:
        ex.input("image", data)
        steps = 1
        while ex.step("scores"):
            steps += 1
        assert steps == net.words[net.steps_at + 2]
        assert ex.extract("scores").tolist() == whole(net, data)


def test_other_blobs_need_whole_tensors():
    net = nnmicro.Net("rows.nnm")
    data = picture(9)
    with net.extractor() as ex:
        ex.input("image", data)
        assert "row by row" in raises(nnmicro.RecycledError, ex.extract, "first")
    with net.extractor(keep=("first",)) as ex:
        ex.input("image", data)
        scores = ex.extract("scores").tolist()
        assert len(ex.extract("first")) == HEIGHT * ROW
    assert scores == whole(net, data)


def test_results_are_borrowed():
    net = nnmicro.Net("rows.nnm")
    with net.extractor() as ex:
        ex.input("image", picture(1))
        result = ex.extract("scores")
        kept = result.copy()
        ex.reset()
        raises(nnmicro.StateError, result.tolist)
        ex.input("image", picture(2))
        held = ex.extract("scores").hold()
        second = held.tolist()
        ex.reset()
        # The whole frame is one block: as long as a result of it is held there is no room for the next inference.
        raises(nnmicro.ArenaFull, ex.input, "image", picture(1))
        assert held.tolist() == second
        held.release()
        ex.reset()
        ex.input("image", picture(1))
        assert ex.extract("scores").tolist() == kept.tolist()
    assert ex.arena.used == 0


def test_two_extractors_at_once():
    net = nnmicro.Net("rows_fed.nnm")
    one, other = picture(1), picture(2)
    with net.extractor() as a, net.extractor(arena=nnmicro.Arena(net.arena_size)) as b:
        raises(nnmicro.StateError, net.extractor)
        for at in range(0, len(one), 4 * ROW):
            a.feed("image", one[at : at + 4 * ROW])
            b.feed("image", other[at : at + 4 * ROW])
        assert a.extract("scores").tolist() == whole(net, one)
        assert b.extract("scores").tolist() == whole(net, other)
