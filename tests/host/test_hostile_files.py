"""Random damage to model files, with the checksums made right: refused, or run without touching anything outside."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from words import Words

import nnmicro
from nnmicro import format as f
from tests.models import model_file

GUARD = 64
INTERESTING = (
    -(1 << 31),
    -(1 << 30),
    -17,
    -1,
    0,
    1,
    2,
    3,
    4,
    15,
    16,
    17,
    48,
    64,
    1 << 16,
    1 << 29,
    (1 << 30) - 16,
    (1 << 31) - 1,
)
FILES = ("branches.nnm", "residual.nnm", "padded.nnm", "fused.nnm")


def guarded(nbytes: int) -> tuple[nnmicro.Arena, memoryview]:
    """An arena with a band of known bytes before and after it."""
    whole = nnmicro.Arena(nbytes + 2 * GUARD).buffer
    for i in range(len(whole)):
        whole[i] = 0xA5
    return nnmicro.Arena(whole[GUARD : GUARD + nbytes]), whole


@settings(max_examples=1500, deadline=None)
@given(
    st.sampled_from(FILES),
    st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.one_of(st.sampled_from(INTERESTING), st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-20, 300)),
        ),
        min_size=1,
        max_size=3,
    ),
)
@example("residual.nnm", [(0.0, 0)])
def test_a_file_with_changed_words_is_refused_or_harmless(name: str, changes: list[tuple[float, int]]) -> None:
    file = Words(model_file(name))
    weights = file.section(f.WEIGHTS)
    for where, value in changes:
        file[int(where * weights)] = value
    try:
        net = file.seal(nnmicro.Option(backend="reference"))
    except nnmicro.ModelError:
        return
    if net.arena_size > 1 << 20 or net.max_blocks > 1 << 16:
        return  # a board would answer with MemoryError; there is nothing to see in making that much memory here
    arena, whole = guarded(net.arena_size)
    before = bytes(file.data)
    ex = net.extractor(arena=arena)
    try:
        for blob in net.inputs:
            ex.input(blob, np.ones(net.shape(blob), np.float32))
        for blob in net.outputs:
            ex.extract(blob)
    except (nnmicro.ArenaFull, nnmicro.StateError, ValueError, KeyError, OverflowError):
        pass
    finally:
        ex.close()
    assert arena.used == 0
    assert bytes(file.data) == before, "the model itself was written to"
    assert set(whole[:GUARD]) == {0xA5} and set(whole[GUARD + net.arena_size :]) == {0xA5}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_no_model(data: bytes) -> None:
    try:
        nnmicro.Net(data)
    except nnmicro.ModelError:
        return
    raise AssertionError("random bytes were loaded")
