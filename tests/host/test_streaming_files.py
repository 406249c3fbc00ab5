"""Damaged sections of steps: refused, or run without touching anything outside the arena."""

from __future__ import annotations

import shutil
from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from words import Words

import nnmicro
from firmware.native import host
from nnmicro import format as f
from tests.host.test_hostile_files import GUARD, INTERESTING, guarded
from tests.host.test_streaming_engine import Native
from tests.models import model_file

FILES = ("rows.nnm", "rows_fed.nnm", "rows_camera.nnm", "rows_planar.nnm")


_IN_C = pytest.param(True, marks=pytest.mark.skipif(not shutil.which("gcc"), reason="compiling the kernels needs gcc"))


@pytest.mark.parametrize("in_c", [False, _IN_C])
@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(FILES),
    changes=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.one_of(st.sampled_from(INTERESTING), st.integers(-20, 300), st.integers(0, 30).map(lambda i: 16 * i)),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_changed_steps_are_refused_or_harmless(in_c: bool, name: str, changes: list[tuple[float, int]]) -> None:
    file = Words(model_file(name))
    first, count = file.section(f.STEPS), file.count(f.STEPS)
    for where, value in changes:
        file[first + int(where * count)] = value
    try:
        net = file.seal(nnmicro.Option(backend="reference"))
    except nnmicro.ModelError:
        return
    if net.arena_size > 1 << 20:
        return  # a board would answer with MemoryError
    if in_c:
        library = host.sanitized()
        net.native_kernels = array("h", [library.kernel(op) for op in net.op_names])
        net.native = Native(library, net.native_kernels)
    arena, whole = guarded(net.arena_size)
    before = bytes(file.data)
    ex = net.extractor(arena=arena)
    try:
        for blob in net.inputs:
            ex.input(blob, np.ones(net.shape(blob), np.float32))
        for blob in net.outputs:
            ex.extract(blob)
    except (nnmicro.StateError, nnmicro.ArenaFull, ValueError):
        pass
    finally:
        ex.close()
    assert arena.used == 0
    assert bytes(file.data) == before, "the model itself was written to"
    assert set(whole[:GUARD]) == {0xA5} and set(whole[GUARD + net.arena_size :]) == {0xA5}


class Steps(Words):
    """The section's parts by name, of the net that the file is."""

    def __init__(self, name: str) -> None:
        super().__init__(model_file(name))
        self.net = nnmicro.Net(bytes(self.data))
        self.at = self.section(f.STEPS)
        self.states = self.at + f.STEPS_HEADER_WORDS + f.PLACE_WORDS * self.net.n_blobs
        self.steps = self.states + f.STATE_WORDS * self.net.n_layers

    def place(self, blob: str) -> int:
        return self.at + f.STEPS_HEADER_WORDS + f.PLACE_WORDS * self.net.index(blob)

    def layer_with_state(self) -> int:
        return next(at for at in range(self.states, self.steps, f.STATE_WORDS) if self[at + 1])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda s: s.__setitem__(s.at + f.T_FRAME, 8), "streamed frame of 8 bytes"),
        (lambda s: s.__setitem__(s.at + f.T_FRAME, s[s.at] - 16), "outside the"),
        (lambda s: s.__setitem__(s.at + f.T_STEPS, s[s.at + f.T_STEPS] + 1), "words, which do not fit its steps"),
        (lambda s: s.__setitem__(s.at + f.T_FED, 2), "are fed, of 1"),
        (lambda s: s.__setitem__(s.at + f.T_FED, 0), "which is not fed"),
        (lambda s: s.__setitem__(s.place("image"), 8), "outside the"),
        (lambda s: s.__setitem__(s.place("image"), -16), "outside the"),
        (lambda s: s.__setitem__(s.place("image") + 1, 25), "25 of 24 rows"),
        (lambda s: s.__setitem__(s.place("image") + 1, 0), "0 of 24 rows"),
        (lambda s: s.__setitem__(s.place("image") + 2, 24), "phase 24"),
        (lambda s: s.__setitem__(s.place("image") + 2, -1), "phase -1"),
        (lambda s: s.__setitem__(s.layer_with_state(), -16), "its state"),
        (lambda s: s.__setitem__(s.layer_with_state() + 1, 1 << 29), "its state"),
        (lambda s: s.__setitem__(s.layer_with_state() + 1, 16), "workspace"),
        (lambda s: s.__setitem__(s.steps, s.net.n_layers), "has no work"),
        (lambda s: s.__setitem__(s.steps, -2), "takes rows of input 1"),
        (lambda s: s.__setitem__(s.steps + 1, 1), "after 0 of 24"),
        (lambda s: s.__setitem__(s.steps + 2, 25), "25 rows from 0"),
        (lambda s: s.__setitem__(s.steps + 2, 0), "0 rows from 0"),
        (lambda s: s.__setitem__(s.steps + 3 * (s[s.at + f.T_STEPS] - 1), 0), "after"),
    ],
)
def test_what_a_reader_checks(change, text: str) -> None:  # type: ignore[no-untyped-def]
    steps = Steps("rows_fed.nnm")
    change(steps)
    assert text in steps.refused()


def test_a_file_of_another_length_is_refused() -> None:
    steps = Steps("rows_fed.nnm")
    steps[steps.entry(f.STEPS) + f.S_BYTES] = 4 * 8
    assert "has 8 words, which do not fit its steps and this model" in steps.refused()


def test_an_engine_that_does_not_know_steps_refuses_the_file() -> None:
    steps = Steps("rows_fed.nnm")
    assert not steps[steps.entry(f.STEPS)] & f.OPTIONAL


@pytest.mark.skipif(not shutil.which("gcc"), reason="compiling the kernels needs gcc")
@pytest.mark.parametrize("place", [-16, 1 << 29])
def test_a_constant_that_has_moved_out_of_the_model_is_not_read(place: int) -> None:
    file = Words(model_file(FILES[0]))
    net = file.seal(nnmicro.Option(backend="reference"))
    library = host.sanitized()
    net.native_kernels = array("h", [library.kernel(op) for op in net.op_names])
    net.native = Native(library, net.native_kernels)
    ex = net.extractor()
    for _ in range(2):  # in the second its constants are known
        for blob in net.inputs:
            ex.input(blob, np.ones(net.shape(blob), np.float32))
        ex.extract(net.outputs[0])
        ex.reset()
    for constant in range(net.n_blobs, net.n_blobs + net.words[f.H_CONSTANTS]):
        file[net.blobs_at + constant * f.BLOB_WORDS + f.B_PLACE] = place
    for blob in net.inputs:
        ex.input(blob, np.ones(net.shape(blob), np.float32))
    with_constants = {
        layer
        for layer in range(net.n_layers)
        for at in [net.at[1] + layer * f.LAYER_WORDS]
        if any(
            net.words[net.at[2] + net.words[at + f.L_OPERANDS] + i] >= net.n_blobs
            for i in range(net.words[at + f.L_INPUTS])
        )
    }
    first = next(step for step in range(1000) if net.words[ex._steps + f.STEP_WORDS * step] in with_constants)
    assert net.native.steps(ex._context, 0, first + 1) == first
