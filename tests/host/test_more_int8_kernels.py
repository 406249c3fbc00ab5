"""The less common operators, int8 and float32, imported from TFLite and run beside LiteRT: int8 to the byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnmicro.errors import ModelError
from tests.host import litert
from tests.host.graph_oracle import TOLERANCE
from tests.host.int8_call import TypedBench
from tests.host.kernel_call import CheckedData, element_indices, words

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert, the oracle of these layers, is not installed")
pytest.importorskip("tflite", reason="tflite, the schema that the models are built with, is not installed")

from tests.host.hostile_calls import (  # noqa: E402
    one_hostile_parameter,
    one_wrong_size,
    several_hostile_words,
)
from tests.host.int8_cases import Case  # noqa: E402
from tests.host.more_layer_calls import (  # noqa: E402
    LAYERS,
    bench,
    cases_of,
    graph_of,
    imported,
    kernel,
    refused_or_contained,
    run,
)
from tests.host.more_layers import OPERATORS, RECURRENT, MoreLayers  # noqa: E402
from tests.host.test_int8_kernels import same_bytes  # noqa: E402

DTYPES = ("INT8", "FLOAT32")
IN_PLACE = {"l2_normalize", "l2_normalize_int8", "log_softmax", "log_softmax_int8", "prelu", "prelu_int8"}
SPATIAL = ("deconvolution", "deconvolution_int8", "interp_int8", "l2_normalize_int8", "log_softmax_int8", "matmul",
           "matmul_int8", "prelu", "prelu_int8")  # fmt: skip


def assert_equal(found: np.ndarray, expected: np.ndarray, what: str) -> None:
    if expected.dtype == np.int64:  # of ARG_MAX; the engine has no wider type than int32
        expected = expected.astype(np.int32)
    assert found.shape == expected.shape and found.dtype == expected.dtype, what
    if expected.dtype == np.float32:
        largest = np.abs(expected).max()
        assert np.abs(found - expected).max() <= TOLERANCE * largest, what
    else:
        wrong = np.flatnonzero(found.ravel() != expected.ravel())
        assert not wrong.size, f"{what}: {wrong.size} of {expected.size} elements differ, the first at {wrong[0]}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operator", OPERATORS)
def test_equals_litert(operator: str, dtype: str) -> None:
    graph, content, layers = graph_of(operator, dtype)
    (expected,) = litert.run_all(content, [layers.inputs], layers.outputs)
    (found,) = run(graph, {f"t{t}": x for t, x in layers.inputs.items()})
    for tensor in layers.outputs:
        assert_equal(found[f"t{tensor}"], expected[tensor], f"t{tensor}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operator", RECURRENT)
def test_what_is_remembered_equals_litert(operator: str, dtype: str) -> None:
    graph, content, layers = graph_of(operator, dtype)
    assert graph.states
    steps = [layers.inputs, *(layers.more_inputs() for _ in range(5))]
    expected = litert.run_all(content, steps, layers.outputs)
    found = run(graph, *({f"t{t}": x for t, x in step.items()} for step in steps))
    for i in range(len(steps)):
        for tensor in layers.outputs:
            assert_equal(found[i][f"t{tensor}"], expected[i][tensor], f"t{tensor} in inference {i}")


@pytest.mark.parametrize("op", LAYERS)
def test_parameters_are_numbered_without_gaps(op: str) -> None:
    numbers = [value for name, value in vars(kernel(op)).items() if name.startswith("_P_")]
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("op", LAYERS)
def test_a_layer_touches_its_operands_only(op: str) -> None:
    for case in cases_of(op)[:12]:
        b = bench(case)
        kernel(op).check(b.call)
        kernel(op).run(b.call)
        assert same_bytes(b.result(), case.expected) and b.guards_untouched()


@pytest.mark.parametrize("op", LAYERS)
def test_in_place_gives_the_same(op: str) -> None:
    assert bool(getattr(kernel(op), "_IN_PLACE", 0)) == (op in IN_PLACE)
    for case in cases_of(op)[:12] if op in IN_PLACE else ():
        b = bench(case, in_place=True)
        kernel(op).run(b.call)
        assert same_bytes(b.result(), case.expected) and b.guards_untouched()


class _Noting:
    """An operand's data that notes which elements were read."""

    def __init__(self, data: CheckedData):
        self.data, self.read = data, set[int]()

    def __getitem__(self, i: int) -> float:
        self.read.add(i)
        return self.data[i]


def rows_read(case: Case, rows: range) -> list[list[int]]:
    """The rows of each input that these rows of the output are made of."""
    b = bench(case)
    noting = [_Noting(b.call.input(i).data) for i in range(len(case.inputs))]
    for i, data in enumerate(noting):
        b.call.input(i).data = data
    b.call.y0, b.call.y1 = rows.start, rows.stop
    kernel(case.op).run(b.call)
    places = [element_indices(b.call.input(i)) for i in range(len(case.inputs))]
    return [sorted(set(np.argwhere(np.isin(p, list(n.read)))[:, 1])) for p, n in zip(places, noting, strict=True)]


@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize("op", SPATIAL)
def test_rows_in_rings_give_the_same(op: str, at_once: int) -> None:
    tall = [case for case in cases_of(op) if case.expected.shape[1] > 1][:12]
    assert len(tall) >= 4
    for case in tall:
        height, blobs = case.expected.shape[1], len(case.inputs) - case.constants
        calls = [range(max(y, 0), min(y + at_once, height)) for y in range(1 - at_once, height, at_once)]
        read = [rows_read(case, ys) for ys in calls]
        layouts = case.layouts()
        for i in range(blobs):
            layouts[i].rows = max([1] + [int(rows[i][-1] - rows[i][0] + 1) for rows in read if rows[i]])
        layouts[-1].rows = min(at_once + 1, height)
        b = TypedBench(case.inputs, case.expected, words(case.params, kernel(op)), layouts)
        for n, ys in enumerate(calls):
            for i in range(blobs):
                for row in read[n][i]:
                    b.feed(i, row)
            b.call.y0, b.call.y1 = ys.start, ys.stop
            kernel(op).run(b.call)
            for y in ys:
                assert same_bytes(b.result()[:, y % layouts[-1].rows], case.expected[:, y])
        assert b.guards_untouched()


@pytest.mark.parametrize("op", LAYERS)
def test_too_few_and_too_many_of_anything_are_refused(op: str) -> None:
    for what, by in [("n_params", 1), ("n_params", -1), ("n_out", 1), ("n_out", -1), ("n_in", -1), ("n_in", 3)]:
        b = bench(cases_of(op)[0])
        setattr(b.call, what, getattr(b.call, what) + by)
        with pytest.raises(ModelError):
            kernel(op).check(b.call)


@pytest.mark.parametrize("op", LAYERS)
def test_another_type_is_refused(op: str) -> None:
    for i in range(len(cases_of(op)[0].inputs) + 1):
        b = bench(cases_of(op)[0])
        b.call._pool[i].dtype = 77
        with pytest.raises(ModelError, match="expected"):
            kernel(op).check(b.call)


def small(op: str) -> list[Case]:
    """The six smallest calls of a layer that are not trivial."""
    return sorted((c for c in cases_of(op) if c.expected.size > 1), key=lambda case: case.expected.size)[4:10]


@pytest.mark.parametrize("op", LAYERS)
def test_one_hostile_parameter_is_refused_or_stays_inside_the_operands(op: str) -> None:
    rng = np.random.default_rng(0)
    for case in small(op):
        params = words(case.params, kernel(op))
        for hostile in one_hostile_parameter(params):
            refused_or_contained(case, case.layouts(), hostile, rng)


@pytest.mark.parametrize("op", LAYERS)
def test_one_wrong_size_is_refused_or_stays_inside_the_operands(op: str) -> None:
    rng = np.random.default_rng(0)
    for case in small(op):
        params = words(case.params, kernel(op))
        for layouts in one_wrong_size(case):
            refused_or_contained(case, layouts, params, rng)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_several_hostile_parameters_and_sizes_are_refused_or_stay_inside_the_operands(data: st.DataObject) -> None:
    op = data.draw(st.sampled_from(sorted(LAYERS)))
    case = data.draw(st.sampled_from(small(op)))
    layouts, params = several_hostile_words(data, case, words(case.params, kernel(op)))
    refused_or_contained(case, layouts, params, np.random.default_rng(data.draw(st.integers(0, 99))))


def test_ties_of_a_transposed_convolution_go_up_in_blocks_of_eight_channels() -> None:
    # -36 / 8 is -4.5 in every channel.
    layers, outputs = MoreLayers(0, "INT8"), 21
    x = layers.given((1, 1, 1, 4), 0.5, 7)
    layers.inputs[x][...] = 7
    constants = [layers.ints(1, 1, 1, outputs), layers.constant((outputs, 1, 1, 4), np.full(outputs, 0.5))]
    bias = layers.model.tensor((outputs,), "INT32", np.full(outputs, 0.25), data=np.full(outputs, -36, np.int32))
    y = layers.result((1, 1, 1, outputs), 2.0, 0)
    options = {"Padding": 1, "StrideH": 1, "StrideW": 1}
    layers.model.operator("TRANSPOSE_CONV", [*constants, x, bias], [y], "TransposeConvOptions", **options)
    content = layers.build()
    (expected,) = litert.run_all(content, [layers.inputs], [y])
    assert expected[y].ravel().tolist() == [-4] * 16 + [-5] * 5
    (found,) = run(imported(content), {f"t{x}": layers.inputs[x]})
    assert_equal(found[f"t{y}"], expected[y], "ties")


def test_resizing_stays_inside_where_litert_reads_what_lies_behind() -> None:
    # The scale is 1/55, rounded up to 19/1024: the last column's coordinate is 1.002, in an axis of one element.
    layers = MoreLayers(0, "INT8")
    x, y = layers.given((1, 2, 1, 1), 0.5, 7), layers.result((1, 2, 55, 1), 0.5, 7)
    layers.inputs[x] = np.array([10, 100], np.int8).reshape(1, 2, 1, 1)
    layers.model.operator("RESIZE_BILINEAR", [x, layers.ints(2, 55)], [y], "ResizeBilinearOptions")
    content = layers.build()
    (expected,) = litert.run_all(content, [layers.inputs], [y])
    (found,) = run(imported(content), {f"t{x}": layers.inputs[x]})
    assert same_bytes(found[f"t{y}"][:, :, :54], expected[y][:, :, :54])
    assert expected[y][0, 0, 54, 0] == 100, "LiteRT takes the next row's element"
    assert found[f"t{y}"][0, :, 54, 0].tolist() == [10, 100]


@pytest.mark.parametrize("where", ["feature", "output"])
def test_ties_of_an_svdf_go_away_from_zero(where: str) -> None:
    # -36 / 8 is -4.5, in the new element of the state or in the output.
    layers, outputs = MoreLayers(0, "INT8"), 21
    state_scale, out_scale = (2.0, 2.0) if where == "feature" else (0.5, 4.0)
    x = layers.given((1, 20), 0.5, 0)
    layers.inputs[x] = np.array([[-36 if where == "feature" else 0, *[0] * 19]], np.int8)
    feature = layers.model.tensor((outputs, 20), "INT8", 0.5, data=np.ones((outputs, 20), np.int8))
    time = layers.model.tensor((outputs, 3), "INT16", 1.0, data=np.ones((outputs, 3), np.int16))
    data = np.full(outputs, 0 if where == "feature" else -36, np.int32)
    bias = layers.model.tensor((outputs,), "INT32", state_scale, data=data)
    state = layers.variable((1, outputs * 3), "INT16", state_scale)
    y = layers.result((1, outputs), out_scale, 0)
    options = {"Rank": 1, "FusedActivationFunction": 1}
    layers.model.operator("SVDF", [x, feature, time, bias, state], [y], "SVDFOptions", **options)
    content = layers.build()
    (expected,) = litert.run_all(content, [layers.inputs], [y])
    assert expected[y].ravel().tolist() == [-5] * outputs
    (found,) = run(imported(content), {f"t{x}": layers.inputs[x]})
    assert_equal(found[f"t{y}"], expected[y], "ties")


CASTS = [(a, b) for a in ("float32", "int8", "uint8", "int16", "int32") for b in ("float32", "int8", "int16", "int32")]


@pytest.mark.parametrize("source, target", [pair for pair in CASTS if pair[0] != pair[1]])
def test_a_cast_takes_numbers_as_they_are_stored(source: str, target: str) -> None:
    shape = (1, 3, 5, 7)
    layers = MoreLayers(0, "FLOAT32")
    x = layers.model.tensor(shape, source.upper(), 0.5 if source == "int8" else None, 0)
    if source == "float32":  # LiteRT's result for what does not fit is undefined
        layers.inputs[x] = layers.rng.uniform(-127.9, 127.9, shape).astype(source)
    else:
        bounds = np.iinfo(source)
        layers.inputs[x] = layers.rng.integers(bounds.min, bounds.max, shape, endpoint=True, dtype=source)
    y = layers.model.tensor(shape, target.upper(), 0.25 if target == "int8" else None, 0)
    layers.model.operator("CAST", [x], [y], "CastOptions")
    layers.outputs.append(y)
    content = layers.build()
    (expected,) = litert.run_all(content, [layers.inputs], [y])
    (found,) = run(imported(content), {f"t{x}": layers.inputs[x]})
    np.testing.assert_array_equal(found[f"t{y}"], expected[y])
    assert found[f"t{y}"].dtype == target


@pytest.mark.parametrize("op", ["svdf", "svdf_int8", "lstm", "lstm_int8"])
def test_the_states_are_named_as_what_a_layer_writes(op: str) -> None:
    case = cases_of(op)[0]
    b = bench(case)
    states = getattr(kernel(op), "_STATES", ())
    before = [bytes(b._memories[i].raw) for i in range(len(case.inputs))]
    kernel(op).run(b.call)
    after = [bytes(b._memories[i].raw) for i in range(len(case.inputs))]
    assert [i for i in range(len(before)) if before[i] != after[i]] == list(states)
