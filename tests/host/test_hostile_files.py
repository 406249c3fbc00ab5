"""Random damage to model files, with the checksums made right: refused, or run without touching anything outside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from words import Words

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import Graph
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
FILES = ("branches.nnm", "residual.nnm", "padded.nnm", "fused.nnm", "gathered.nnm", "over.nnm")


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


def test_a_layer_writes_to_no_input_that_is_not_a_state() -> None:
    """A recurrent layer writes to what it remembers; a file that names an ordinary blob there is refused."""
    plain = {"activation": 0, "activation_a": 0.0, "activation_b": 0.0}
    for states in (True, False):
        graph = Graph("memory")
        for name, shape in (("x", (1, 4)), ("memory", (1, 6)), ("y", (1, 2))):
            graph.add_tensor(name, shape)
        graph.inputs = ["x"] if states else ["x", "memory"]
        graph.states = ["memory"] if states else []
        feature = graph.add_constant("feature", np.ones((2, 4), np.float32))
        time = graph.add_constant("time", np.ones((2, 3), np.float32))
        graph.add("svdf", "svdf", ["x", "memory", feature, time], ["y"], rank=1, **plain)
        graph.outputs = ["y"]
        data = to_nnm(graph)
        if states:
            with nnmicro.Net(data).extractor() as ex:
                ex.input("x", [1, 2, 3, 4])
                assert ex.extract("y").tolist() == [[10.0, 10.0]]
                ex.reset()
                ex.input("x", [1, 2, 3, 4])
                assert ex.extract("y").tolist() == [[20.0, 20.0]]
        else:
            with pytest.raises(nnmicro.ModelError, match="no state blob"):
                nnmicro.Net(data)
