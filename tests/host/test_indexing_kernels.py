"""Layers that take or give indices, and recurrent ones: against onnxruntime, and with calls that do not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnmicro.errors import ModelError
from tests.host.hostile_calls import one_hostile_parameter, one_wrong_size, several_hostile_words
from tests.host.indexing_cases import COUNT, MAKERS
from tests.host.int8_cases import Case
from tests.host.kernel_call import words
from tests.host.layer_cases import agrees
from tests.host.more_layer_calls import bench, kernel, refused_or_contained

OPS = sorted(MAKERS)


def some(op: str, count: int = COUNT) -> list[Case]:
    return [MAKERS[op](seed) for seed in range(count)]


@pytest.mark.parametrize("op", OPS)
def test_equals_onnxruntime(op: str) -> None:
    for case in some(op):
        b = bench(case)
        kernel(op).check(b.call)
        kernel(op).run(b.call)
        if case.expected.dtype == np.float32:
            assert agrees(b.result(), case.expected), case.name
        else:
            np.testing.assert_array_equal(b.result(), case.expected, case.name)
        assert b.guards_untouched()


def test_the_cells_of_an_lstm_come_with_its_outputs() -> None:
    """Which is what the next step's cells begin with."""
    case = next(case for case in some("recurrent") if case.params["kind"] == 3 and case.expected.shape[1] > 1)
    batch, steps, cells = case.expected.shape
    both = Case("both", "recurrent", case.inputs, case.interleaved, np.zeros((batch, steps, 2 * cells), np.float32),
                {**case.params, "with_cell": 1})  # fmt: skip
    b = bench(both)
    kernel("recurrent").check(b.call)
    kernel("recurrent").run(b.call)
    assert agrees(b.result()[:, :, :cells], case.expected)
    reverse = case.params["reverse"]
    done, rest = (slice(-1, None), slice(0, -1)) if reverse else (slice(0, 1), slice(1, None))
    operands = [case.inputs[0][:, rest], b.result()[:, done, :cells], *case.inputs[2:6], b.result()[:, done, cells:]]
    later = bench(Case("later", "recurrent", operands, case.interleaved, case.expected[:, rest], case.params))
    kernel("recurrent").run(later.call)
    assert agrees(later.result(), case.expected[:, rest])


@pytest.mark.parametrize("index", [-(2**31), -100, 100, 2**31 - 1])
def test_an_index_outside_names_the_nearest_element(index: int) -> None:
    x = np.arange(5, dtype=np.float32).reshape(1, 5, 1)
    b = bench(Case("far", "gather", [x, np.full((1, 1, 1), index, np.int32)], [False] * 3, x[:, :1], {}))
    kernel("gather").run(b.call)
    assert b.result().item() == (0.0 if index < 0 else 4.0)


def test_what_is_no_number_comes_last() -> None:
    x = np.array([np.nan, 1.0, -np.inf, np.nan, np.inf], np.float32).reshape(1, 1, 5)
    for smallest, expected in ((0, [4, 1, 2, 0, 3]), (1, [2, 1, 4, 0, 3])):
        like = np.zeros((1, 1, 5), np.int32)
        b = bench(Case("nan", "top_k", [x], [False] * 2, like, {"axis": 2, "smallest": smallest}))
        kernel("top_k").run(b.call)
        assert b.result().ravel().tolist() == expected


@pytest.mark.parametrize(
    ("op", "change", "message"),
    [
        ("recurrent", {"kind": 4}, "kind is 4"),
        ("recurrent", {"with_cell": 1}, "with_cell is 1"),
        ("top_k", {"axis": 3}, "axis is 3"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_by_name(op: str, change: dict[str, int], message: str) -> None:
    case = some(op, 1)[0]
    case.params = case.params | change
    with pytest.raises(ModelError, match=message):
        kernel(op).check(bench(case).call)


@pytest.mark.parametrize("op", OPS)
def test_one_hostile_parameter_is_refused_or_stays_inside_the_operands(op: str) -> None:
    rng = np.random.default_rng(0)
    for case in some(op, 4):
        for hostile in one_hostile_parameter(words(case.params, kernel(op))):
            refused_or_contained(case, case.layouts(), hostile, rng)


@pytest.mark.parametrize("op", OPS)
def test_one_wrong_size_is_refused_or_stays_inside_the_operands(op: str) -> None:
    rng = np.random.default_rng(0)
    for case in some(op, 4):
        for layouts in one_wrong_size(case):
            refused_or_contained(case, layouts, words(case.params, kernel(op)), rng)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_several_hostile_parameters_and_sizes_are_refused_or_stay_inside_the_operands(data: st.DataObject) -> None:
    op = data.draw(st.sampled_from(OPS))
    case = MAKERS[op](data.draw(st.integers(0, COUNT)))
    layouts, params = several_hostile_words(data, case, words(case.params, kernel(op)))
    refused_or_contained(case, layouts, params, np.random.default_rng(data.draw(st.integers(0, 99))))
