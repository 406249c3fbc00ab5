"""The arena by itself: placement, counts, failures, alignment, threads, and no use of the heap."""

from time import sleep

from expect import raises, start_thread

from nnmicro import Arena, ArenaFull

DEVICE_ONLY = ("test_alloc_retain_and_release_never_touch_the_heap",)  # CPython has no heap to lock


def test_blocks_are_aligned_and_counted():
    arena = Arena(1024)
    blocks = [arena.alloc(n) for n in (1, 16, 17, 100)]
    assert [arena.nbytes(b) for b in blocks] == [16, 16, 32, 112]
    assert [arena.offset(b) for b in blocks] == [0, 16, 32, 64]
    assert arena.used == arena.live_peak == 176 and arena.live == 4
    for block in blocks:
        arena.release(block)
    assert arena.used == arena.live == 0 and arena.live_peak == 176
    assert arena.largest_free == 1024
    arena.reset_peak()
    assert arena.live_peak == 0


def test_a_hint_is_taken_only_where_the_range_is_free():
    arena = Arena(256)
    a = arena.alloc(64, hint=64)
    assert arena.offset(a) == 64
    b = arena.alloc(64, hint=96)  # overlaps a
    assert arena.offset(b) == 0
    c = arena.alloc(64, hint=224)  # reaches beyond the end
    assert arena.offset(c) == 128
    d = arena.alloc(64, hint=8)  # not aligned, and nothing else is left but the end
    assert arena.offset(d) == 192


def test_high_takes_the_upper_end():
    arena = Arena(256)
    assert arena.offset(arena.alloc(64, high=True)) == 192
    assert arena.offset(arena.alloc(32, high=True)) == 160
    assert arena.offset(arena.alloc(32)) == 0


def test_a_block_is_free_after_as_many_releases_as_references():
    arena = Arena(64)
    block = arena.alloc(64)
    arena.retain(block)
    arena.retain(block)
    for left in (2, 1):
        arena.release(block)
        assert arena.refs(block) == left
        raises(ArenaFull, arena.alloc, 16)
    arena.release(block)
    assert arena.refs(block) == 0 and arena.used == 0
    raises(ValueError, arena.release, block)
    raises(ValueError, arena.retain, block)
    raises(ValueError, arena.release, -1)


def test_a_failed_alloc_changes_nothing_and_says_why():
    arena = Arena(256)
    a = arena.alloc(64)
    arena.alloc(64)
    arena.release(a)
    before = bytes(arena.table)
    text = raises(ArenaFull, arena.alloc, 200)
    assert "208 bytes asked" in text and "192 of 256 free" in text and "128" in text
    assert bytes(arena.table) == before
    raises(ValueError, arena.alloc, -1)
    assert bytes(arena.table) == before


def test_the_number_of_blocks_is_limited_and_said():
    arena = Arena(1024, blocks=2)
    arena.alloc(16)
    arena.alloc(16)
    assert "2 blocks" in raises(ArenaFull, arena.alloc, 16)


def test_a_buffer_must_be_aligned():
    memory = bytearray(256)
    view = memoryview(memory)
    good = Arena(128)
    assert Arena(good.buffer).size == 128
    bad = 0
    for start in range(16):
        try:
            Arena(view[start : start + 64])
        except ValueError as error:
            assert "aligned" in str(error)
            bad += 1
    assert bad == 15


def test_an_arena_at_an_address_is_that_memory():
    from nnmicro.port import address

    whole = Arena(256)
    part = Arena.at(address(whole.buffer) + 64, 64)
    part.buffer[part.offset(part.alloc(16))] = 7
    assert whole.buffer[64] == 7


def test_memory_is_zero_sized_or_not_at_all():
    assert Arena(0).largest_free == 0
    raises(ValueError, Arena, -16)


def test_slots_change_together_with_the_table():
    from array import array

    arena = Arena(256)
    slots = array("h", (-1, -1, -1))
    a = arena.alloc(16, -1, False, slots, 1)
    assert list(slots) == [-1, a, -1]
    arena.retain(a, slots, 2)
    assert list(slots) == [-1, a, a] and arena.refs(a) == 2
    arena.release(a, slots, 1)
    arena.release(a, slots, 2)
    assert list(slots) == [-1, -1, -1] and arena.used == 0


def test_alloc_retain_and_release_never_touch_the_heap():
    from micropython import heap_lock, heap_unlock

    arena = Arena(1024)
    arena.release(arena.alloc(16))
    heap_lock()
    try:
        a = arena.alloc(100)
        b = arena.alloc(100, 512)
        c = arena.alloc(100, -1, True)
        arena.retain(b)
        arena.release(a)
        arena.release(b)
        arena.release(b)
        arena.release(c)
    finally:
        heap_unlock()
    assert arena.used == 0


def test_counts_stay_exact_under_two_threads():
    arena = Arena(1024)
    shared = arena.alloc(16)
    done = []

    def worker(rounds):
        for _ in range(rounds):
            arena.retain(shared)
            own = arena.alloc(32)
            arena.release(shared)
            arena.release(own)
        done.append(rounds)

    for _ in range(2):
        start_thread(worker, 50000)
    while len(done) < 2:
        sleep(0.05)
    assert arena.refs(shared) == 1 and arena.live == 1 and arena.used == 16
    arena.release(shared)
    assert arena.used == 0 and arena.largest_free == 1024
