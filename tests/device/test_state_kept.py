"""What a model remembers from one inference to the next: it survives `reset()` and goes with `reset_state()`."""

from expect import given, values

import nnmicro

FILES = ("memory.nnm",)


def run(ex, value):
    ex.input("x", given(value))
    return values(ex.extract("y"))


def test_state_survives_reset_and_goes_with_reset_state():
    net = nnmicro.Net("memory.nnm")
    for lightmode in (True, False):
        ex = net.extractor(lightmode=lightmode)
        assert run(ex, 1) == 2
        state = ex.extract("s")
        for i in range(64):
            state[i] = 40
        ex.reset()
        assert run(ex, 1) == 42
        ex.reset()
        assert run(ex, 2) == 43
        assert ex.arena.live_peak == (net.live_peak if lightmode else net.lightmode_off_size)
        assert ex.placement == ("plan" if lightmode else "online")
        ex.reset_state()
        assert ex.arena.used == 0
        assert run(ex, 2) == 3
        ex.close()
        assert ex.arena.used == 0


def test_a_new_extractor_remembers_nothing():
    net = nnmicro.Net("memory.nnm")
    with net.extractor() as ex:
        run(ex, 1)
        ex.extract("s")[0] = 9
    with net.extractor() as ex:
        assert run(ex, 1) == 2


def test_state_is_never_overwritten_by_a_layer_that_could_work_in_place():
    net = nnmicro.Net("memory.nnm")
    with net.extractor() as ex:
        run(ex, 1)
        ex.reset()
        run(ex, 5)
        assert values(ex.extract("s")) == 0
