"""Memory that a firmware keeps outside the heap: the net that comes first has it, and it comes back."""

import gc

from expect import SkipTest

import nnmicro
from nnmicro.arena import frame_memory

FILES = ("digits.nnm",)
DEVICE_ONLY = (
    "test_a_nets_frame_takes_nothing_of_the_heap",
    "test_one_net_at_a_time_has_it_and_the_next_one_is_on_the_heap",
    "test_it_is_free_again_when_its_net_is_gone",
    "test_more_than_there_is_comes_from_the_heap",
    "test_it_is_aligned_and_can_be_written",
)


def require_arena():
    try:
        from _nnmicro import arena  # noqa: F401
    except ImportError:
        raise SkipTest("this firmware keeps no memory outside the heap")


def address(buffer):
    import uctypes

    return uctypes.addressof(buffer)


def frame(net):
    """Where a net's frame lies; the extractor is closed again."""
    with net.extractor() as ex:
        return address(ex.arena.buffer)


def static_address():
    """Where the memory lies; it is free again afterwards."""
    memory = frame_memory(16)
    assert not isinstance(memory, int)
    where = address(memory)
    memory.__del__()
    return where


def test_a_nets_frame_takes_nothing_of_the_heap():
    require_arena()
    net = nnmicro.Net("digits.nnm")
    assert net.arena_size > 4096
    # All code that an extractor needs is loaded by one with memory of its own.
    net.extractor(arena=nnmicro.Arena(net.arena_size)).close()
    gc.collect()
    before = gc.mem_alloc()
    with net.extractor() as ex:
        gc.collect()
        assert gc.mem_alloc() - before < net.arena_size
        assert ex.arena.size == net.arena_size


def test_one_net_at_a_time_has_it_and_the_next_one_is_on_the_heap():
    require_arena()
    where = static_address()
    first = nnmicro.Net("digits.nnm")
    second = nnmicro.Net("digits.nnm")
    assert frame(first) == where
    assert frame(second) != where
    assert frame(first) == where


def use(name):
    return frame(nnmicro.Net(name))


def test_it_is_free_again_when_its_net_is_gone():
    require_arena()
    where = static_address()
    found = [use("digits.nnm") for _ in range(4)]
    # The collector may take an old word on the stack for a reference, once.
    assert found[0] == where and found.count(where) >= 3


def test_more_than_there_is_comes_from_the_heap():
    require_arena()
    assert frame_memory(1 << 29) == 1 << 29
    assert frame_memory(0) == 0


def test_it_is_aligned_and_can_be_written():
    require_arena()
    memory = frame_memory(100)
    view = memoryview(memory)
    assert len(view) == 112 and address(view) % 16 == 0
    view[0] = 7
    view[111] = 9
    assert view[0] == 7 and view[111] == 9
    assert frame_memory(16) == 16
