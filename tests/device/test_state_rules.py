"""What an extractor does in which state: inputs, results, resets, and what it never does (return something stale)."""

from expect import given, raises, values

import nnmicro

FILES = ("branches.nnm", "stripped.nnm", "residual.nnm")


def branches():
    return nnmicro.Net("branches.nnm")


def test_the_second_input_before_an_extract_replaces_the_first():
    with branches().extractor() as ex:
        ex.input("left", given(100))
        ex.input("left", given(1))
        ex.input("right", given(0))
        assert values(ex.extract("A")) == 12


def test_an_input_after_an_extract_is_refused_until_reset():
    with branches().extractor() as ex:
        ex.input("left", given(1))
        ex.input("right", given(5))
        assert values(ex.extract("A")) == 12
        assert "reset()" in raises(nnmicro.StateError, ex.input, "left", given(2))
        assert values(ex.extract("A")) == 12
        assert values(ex.extract("B")) == 7
        ex.reset()
        ex.input("left", given(2))
        ex.input("right", given(5))
        assert values(ex.extract("A")) == 20
        assert values(ex.extract("B")) == 9


def test_the_same_name_twice_is_the_same_result_and_runs_nothing_again():
    net = nnmicro.Net("branches.nnm", nnmicro.Option(backend="reference"))
    with net.extractor() as ex:
        ex.input("left", given(1))
        ex.input("right", given(5))
        first = ex.extract("A")
        kernels, net.kernels = net.kernels, [None] * len(net.kernels)
        assert ex.extract("A") is first
        net.kernels = kernels
        assert values(first) == 12


def test_an_output_runs_without_the_inputs_it_does_not_need():
    with branches().extractor() as ex:
        ex.input("left", given(1))
        assert values(ex.extract("A")) == 12


def test_a_missing_input_is_named():
    with branches().extractor() as ex:
        ex.input("left", given(1))
        text = raises(ValueError, ex.extract, "B")
        assert "right" in text and "left" not in text
        ex.input("right", given(3))  # nothing was run, so it may still be given
        assert values(ex.extract("B")) == 5


def test_a_result_of_an_inference_that_has_ended_cannot_be_used():
    net = branches()
    ex = net.extractor()
    ex.input("left", given(1))
    scores = ex.extract("A")
    ex.reset()
    for use in (scores.view, scores.argmax, scores.tolist, scores.tobytes, scores.copy, scores.hold):
        assert "ended" in raises(nnmicro.StateError, use)
    ex.input("left", given(1))
    scores = ex.extract("A")
    ex.close()
    raises(nnmicro.StateError, scores.view)


def test_a_closed_extractor_refuses_everything_and_closes_twice():
    ex = branches().extractor()
    ex.close()
    ex.close()
    raises(nnmicro.StateError, ex.input, "left", given(1))
    raises(nnmicro.StateError, ex.extract, "A")
    raises(nnmicro.StateError, ex.reset)


def test_a_held_result_outlives_its_inference():
    net = branches()
    with net.extractor(arena=nnmicro.Arena(4096)) as ex:
        ex.input("left", given(1))
        kept = ex.extract("A").hold()
        ex.reset()
        ex.input("left", given(2))
        assert values(ex.extract("A")) == 20
        assert values(kept) == 12
        arena = ex.arena
    assert values(kept) == 12
    assert arena.used == 256
    kept.release()
    assert arena.used == 0
    raises(nnmicro.StateError, kept.view)
    raises(nnmicro.StateError, kept.release)


def test_a_copy_is_independent():
    net = branches()
    with net.extractor() as ex:
        ex.input("left", given(1))
        copy = ex.extract("A").copy()
    with net.extractor() as ex:
        ex.input("left", given(2))
        ex.extract("A")
        assert values(copy) == 12


def test_reset_gives_back_everything():
    with branches().extractor() as ex:
        ex.input("left", given(1))
        ex.input("right", given(1))
        ex.extract("A")
        ex.reset()
        assert ex.arena.used == 0 and ex.arena.live == 0


def test_a_closed_extractor_and_its_memory_are_used_again():
    net = branches()
    ex = net.extractor()
    arena = ex.arena
    ex.close()
    again = net.extractor()
    assert again is ex and again.arena is arena
    again.input("left", given(3))
    assert values(again.extract("A")) == 28
    again.close()


def test_a_second_extractor_at_the_same_time_needs_memory_of_its_own():
    net = branches()
    with net.extractor() as one:
        assert "arena=" in raises(nnmicro.StateError, net.extractor)
        with net.extractor(arena=nnmicro.Arena(net.arena_size)) as other:
            for ex, value in ((one, 1), (other, 2)):
                ex.input("left", given(value))
                ex.input("right", given(0))
            assert values(other.extract("A")) == 20
            assert values(one.extract("A")) == 12
            assert one.placement == other.placement == "plan"


def test_two_extractors_can_share_one_arena():
    net = branches()
    arena = nnmicro.Arena(2 * net.arena_size + 256)
    with net.extractor(arena=arena) as one, net.extractor(arena=arena) as other:
        one.input("left", given(1))
        other.input("left", given(2))
        assert values(one.extract("A")) == 12
        assert values(other.extract("A")) == 20
        assert values(one.extract("A")) == 12
    assert arena.used == 0


def test_blobs_of_a_stripped_file_are_known_by_index():
    net = nnmicro.Net("stripped.nnm")
    left, right = net.inputs
    with net.extractor() as ex:
        ex.input(left, given(1))
        ex.input(right, given(5))
        assert [values(ex.extract(i)) for i in net.outputs] == [12, 7]
    assert "stripped" in raises(KeyError, net.index, "A")
    raises(KeyError, net.index, 99)


def test_labels_and_shapes_are_the_sources():
    net = branches()
    assert net.labels == ("zero", "one", "two")
    assert net.inputs == ("left", "right") and net.outputs == ("A", "B")
    assert net.shape("A") == (1, 4, 4, 4)


def test_step_runs_one_layer_at_a_time():
    with branches().extractor() as ex:
        ex.input("left", given(1))
        ex.input("right", given(5))
        steps = 1
        while ex.step("A"):
            steps += 1
        assert steps == 3
        assert values(ex.extract("A")) == 12
        assert values(ex.extract("B")) == 7


def test_a_refused_extract_between_two_steps_does_no_harm():
    for lightmode in (True, False):
        with branches().extractor(lightmode=lightmode) as ex:
            ex.input("left", given(1))
            assert ex.step("A")
            assert "right" in raises(ValueError, ex.extract, "B")
            assert values(ex.extract("A")) == 12


def test_an_input_can_be_written_in_place():
    with branches().extractor() as ex:
        blob = ex.input_view("left")
        for i in range(len(blob)):
            blob[i] = 1
        assert values(ex.extract("A")) == 12


def test_only_the_outputs_that_will_be_asked_for_hold_memory():
    net = branches()
    with net.extractor(outputs=("A",)) as ex:
        ex.input("left", given(1))
        assert values(ex.extract("A")) == 12
        assert ex.arena.live == 1  # A; m was given back although B, which nobody asked for, reads it too
        raises(nnmicro.RecycledError, ex.extract, "m")
