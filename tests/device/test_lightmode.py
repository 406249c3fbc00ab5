"""Memory: what lightmode gives back and when, that the plan is followed, and that every failure leaves order."""

import nnmicro
from nnmicro import ArenaFull

FILES = ("branches.nnm", "residual.nnm", "digits.nnm", "padded.nnm", "gathered.nnm")
LONG = ("test_each_single_allocation_may_fail_and_nothing_is_lost", "test_lightmode_on_and_off_give_the_same_bytes")


def inputs_of(net):
    """Reproducible numbers for every input."""
    made = {}
    for name in net.inputs:
        count = 1
        for d in net.shape(name):
            count *= d
        made[name] = [(i * 7 + 3) % 17 for i in range(count)]
    return made


def run(ex, inputs):
    for name in inputs:
        ex.input(name, inputs[name])
    return [ex.extract(name).tobytes() for name in ex.net.outputs]


def test_lightmode_on_and_off_give_the_same_bytes():
    for file in FILES:
        net = nnmicro.Net(file)
        inputs = inputs_of(net)
        with net.extractor() as ex:
            light = run(ex, inputs)
        with net.extractor(lightmode=False) as ex:
            assert run(ex, inputs) == light


def test_argmax_is_the_first_of_the_largest_elements_in_the_sources_order():
    for file in FILES:
        net = nnmicro.Net(file)
        with net.extractor(lightmode=False) as ex:
            run(ex, inputs_of(net))
            for index in range(net.n_blobs):
                blob = ex.extract(index)
                elements = [blob[i] for i in range(len(blob))]
                assert blob.argmax() == elements.index(max(elements)), (file, index)


def test_the_live_peak_is_the_planned_one_in_both_modes():
    for file in FILES:
        net = nnmicro.Net(file)
        off = net.lightmode_off_size
        if file == "gathered.nnm":  # which counts blobs as if none lay in another: x, e and y have blocks
            off = (4 + 12 + 6) * 64
            assert off < net.lightmode_off_size
        for lightmode, planned in ((True, net.live_peak), (False, off)):
            with net.extractor(lightmode=lightmode) as ex:
                run(ex, inputs_of(net))
                assert ex.arena.live_peak == planned, (file, lightmode, ex.arena.live_peak, planned)
                assert ex.placement == ("plan" if lightmode else "online")


def test_an_arena_of_exactly_the_planned_size_is_enough_and_16_bytes_less_is_not():
    for file in FILES:
        net = nnmicro.Net(file)
        inputs = inputs_of(net)
        arena = nnmicro.Arena(net.arena_size)
        with net.extractor(arena=arena) as ex:
            right = run(ex, inputs)
        assert arena.used == 0
        arena = nnmicro.Arena(net.arena_size - 16)
        with net.extractor(arena=arena) as ex:
            try:
                run(ex, inputs)
            except ArenaFull:
                pass
            else:
                raise AssertionError("%s ran in 16 bytes less than planned" % file)
        assert arena.used == 0
        with net.extractor(lightmode=False, arena=nnmicro.Arena(net.lightmode_off_size)) as ex:
            assert run(ex, inputs) == right


class Failing(nnmicro.Arena):
    """An arena whose `alloc` number `fail` (from 0) fails."""

    fail = -1
    calls = 0

    def alloc(self, *args):
        self.calls += 1
        if self.calls - 1 == self.fail:
            raise ArenaFull("made to fail")
        return super().alloc(*args)


def test_each_single_allocation_may_fail_and_nothing_is_lost():
    for file in FILES:
        # The native loop places blocks itself, and hands over to Python where it cannot: only there is `alloc` called.
        net = nnmicro.Net(file, nnmicro.Option(backend="reference"))
        inputs = inputs_of(net)
        for lightmode, size in ((True, net.arena_size), (False, net.lightmode_off_size)):
            arena = Failing(size)
            ex = net.extractor(lightmode=lightmode, arena=arena)
            right = run(ex, inputs)
            count = arena.calls
            assert count > 1
            for fail in range(count):
                ex.reset()
                assert arena.used == 0
                arena.calls, arena.fail = 0, fail
                try:
                    run(ex, inputs)
                except ArenaFull:
                    pass
                else:
                    raise AssertionError("allocation %d of %s did not fail" % (fail, file))
                arena.fail = -1
                ex.reset()
                assert run(ex, inputs) == right
            ex.close()
            assert arena.used == 0 and arena.live == 0


def test_a_split_is_a_count_and_no_copy():
    net = nnmicro.Net("residual.nnm")
    with net.extractor(lightmode=False) as ex:
        ex.input("x", [1] * 64)
        ex.extract("y")
        blobs = [ex.extract(name) for name in ("a", "a1", "a2")]
        for blob in blobs:
            blob[0] = 42
            for other in blobs:
                assert other[0] == 42
            blob[0] = 2
        assert ex.arena.live == 5  # x, a with a1 and a2, b, c, y


def test_a_blob_is_given_back_the_moment_its_last_reader_has_run():
    net = nnmicro.Net("residual.nnm")
    with net.extractor(arena=nnmicro.Arena(4096)) as ex:
        ex.input("x", [1] * 64)
        live = [ex.arena.live]
        while ex.step("y"):
            live.append(ex.arena.live)
        # a takes x's place; two shares; b beside a; c takes b's place; y takes c's, and a goes.
        assert live == [1, 1, 1, 1, 2, 2], live
        assert ex.arena.live == 1


def test_an_in_place_layer_leaves_a_shared_block_alone():
    net = nnmicro.Net("residual.nnm")
    with net.extractor(arena=nnmicro.Arena(4096)) as ex:
        ex.input("x", [1] * 64)
        a = ex.extract("a").hold()
        assert ex.extract("y")[0] == 14
        assert a[0] == 2
        a.release()


def test_a_held_result_in_the_way_of_the_plan_is_never_overwritten():
    net = nnmicro.Net("digits.nnm")
    inputs = inputs_of(net)
    arena = nnmicro.Arena(2 * net.arena_size)
    with net.extractor(arena=arena) as ex:
        right = run(ex, inputs)
        held = ex.extract(net.outputs[0]).hold()
        ex.reset()
        assert run(ex, inputs) == right
        assert held.tobytes() == right[0]
        held.release()


def test_flattening_a_padded_blob_compacts_it():
    net = nnmicro.Net("padded.nnm")
    with net.extractor(lightmode=False) as ex:
        ex.input("x", list(range(18)))
        assert ex.extract("y").tolist() == [[2 * (i + 1) for i in range(18)]]
        assert ex.extract("s").cstep == 12  # 9 elements, 48 bytes: the next channel is aligned to 16
        assert ex.extract("s").tolist()[0][1][0] == [10, 11, 12]
