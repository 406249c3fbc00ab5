"""The plain Python layers against onnxruntime, by rows, in place, and with parameters that do not fit."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nnmicro.reference
from nnmicro.errors import ModelError
from nnmicro.port import I8
from tests.host import indexing_cases, more_layer_calls
from tests.host.kernel_call import Bench, Layout, words
from tests.host.layer_cases import UNARY, Case, agrees, all_cases, onnx_result, result_by_rows, unary_result

LAYERS = sorted({case.op for case in all_cases()})
IN_PLACE = {"activation", "scale", "binary_op", "softmax", "unary", "normalization"}
SPATIAL = {
    "convolution",
    "pooling",
    "activation",
    "scale",
    "binary_op",
    "concat",
    "slice",
    "padding",
    "interp",
    "unary",
    "compare",
    "where",
}


def kernel(op: str):
    return import_module(f"nnmicro.reference.{op}")


def bench(case: Case, interleaved: bool = False, in_place: bool = False) -> Bench:
    layouts = case.layouts(interleaved)
    params = words(case.params_for(layouts), kernel(case.op))
    return Bench(case.inputs, case.expected.shape, params, layouts, in_place)


def cases(*ops: str) -> list:
    return [pytest.param(case, id=case.name) for case in all_cases() if not ops or case.op in ops]


def test_every_layer_module_is_covered():
    """Others have tests of their own: test_int8_kernels.py, test_more_int8_kernels.py, test_indexing_kernels.py."""
    modules = {m.name for m in pkgutil.iter_modules(nnmicro.reference.__path__)}
    floats = {name for name in modules if hasattr(kernel(name), "run") and not name.endswith("_int8")}
    assert floats - {"quantize", "dequantize"} == set(LAYERS) | {
        name for name in [*more_layer_calls.LAYERS, *indexing_cases.MAKERS] if not name.endswith("_int8")
    }


@pytest.mark.parametrize("op", LAYERS)
def test_parameters_are_numbered_without_gaps(op: str):
    numbers = [value for name, value in vars(kernel(op)).items() if name.startswith("_P_")]
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("op", LAYERS)
def test_in_place_is_declared_where_it_is_allowed(op: str):
    assert bool(getattr(kernel(op), "_IN_PLACE", 0)) == (op in IN_PLACE)


@pytest.mark.parametrize("interleaved", [False, True], ids=["planar", "interleaved"])
@pytest.mark.parametrize("case", cases())
def test_equals_onnxruntime(case: Case, interleaved: bool):
    b = bench(case, interleaved)
    kernel(case.op).check(b.call)
    kernel(case.op).run(b.call)
    assert agrees(b.result(), case.expected)
    assert b.guards_untouched()


@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize("case", cases(*SPATIAL))
def test_rows_in_rings_equal_all_at_once(case: Case, at_once: int):
    params = words(case.params, kernel(case.op))
    result, guards_untouched = result_by_rows(case, kernel(case.op).run, params, at_once)
    assert agrees(result, case.expected)
    assert guards_untouched


@pytest.mark.parametrize(
    "case", [p for p in cases(*IN_PLACE) if p.values[0].inputs[0].shape == p.values[0].expected.shape]
)
def test_in_place_equals_not_in_place(case: Case):
    apart, in_place = bench(case), bench(case, in_place=True)
    kernel(case.op).run(apart.call)
    kernel(case.op).check(in_place.call)
    kernel(case.op).run(in_place.call)
    assert np.array_equal(apart.result(), in_place.result(), equal_nan=True)
    assert in_place.guards_untouched()


@pytest.mark.parametrize("op", ["inner_product", "copy", "permute", "softmax"])
def test_a_layer_that_needs_whole_tensors_refuses_rows(op: str):
    case = next(c for c in all_cases() if c.op == op and c.inputs[0].shape[1] > 1 and c.name != "softmax-0-0")
    case = next(c for c in all_cases() if c.name == "softmax-1-1") if op == "softmax" else case
    b = bench(case)
    b.call.y0 = 1
    b.call.y1 = 1
    with pytest.raises(ValueError, match="whole tensors"):
        kernel(op).run(b.call)


@pytest.mark.parametrize("case", cases())
def test_nan_and_infinity_raise_nothing(case: Case):
    rng = np.random.default_rng(1)
    strange = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, -3e38, 1e-45], np.float32)
    inputs = [rng.choice(strange, x.shape) for x in case.inputs]
    layouts = case.layouts(False)
    b = Bench(inputs, case.expected.shape, words(case.params_for(layouts), kernel(case.op)), layouts)
    kernel(case.op).run(b.call)


STRANGE_PAIRS = [
    (a, b)
    for a in (0.0, -0.0, 1.0, -1.0, -8.0, 3e38, -3e38, np.inf, -np.inf, np.nan, 0.5)
    for b in (0.0, -0.0, 1.0, -1.0, 2.0, 3.0, -3.0, 0.5, -0.5, np.inf, -np.inf, np.nan)
]


@pytest.mark.parametrize("kind, op", [(3, "Div"), (4, "Max"), (5, "Min"), (6, "Pow")])
def test_operations_outside_the_reals_follow_ieee_754(kind: int, op: str):
    a = np.array([pair[0] for pair in STRANGE_PAIRS], np.float32).reshape(1, 1, -1)
    b = np.array([pair[1] for pair in STRANGE_PAIRS], np.float32).reshape(1, 1, -1)
    params = {"kind": kind, "activation": 0, "activation_a": 0.0, "activation_b": 0.0}
    case = Case(op, "binary_op", [a, b], onnx_result(op, [a, b]), params)
    made = bench(case)
    kernel("binary_op").run(made.call)
    finite = np.isfinite(case.expected)
    assert np.array_equal(made.result()[~finite], case.expected[~finite], equal_nan=True)
    assert np.allclose(made.result()[finite], case.expected[finite], rtol=1e-6)


STRANGE_NUMBERS = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 90.0, -90.0, 3e38, -3e38, np.inf, -np.inf, np.nan, 1e-40], np.float32
)
# onnxruntime: no number for -infinity, and its own limit is 0.
LIMITS = {"Mish", "Gelu", "HardSwish"}


@pytest.mark.parametrize("kind", range(len(UNARY)))
def test_functions_outside_the_reals_follow_ieee_754(kind: int):
    x = STRANGE_NUMBERS.reshape(1, 1, -1)
    expected = unary_result(kind, x)
    params = {"kind": kind, "a": UNARY[kind][1], "b": UNARY[kind][2]}
    made = bench(Case("strange", "unary", [x], expected, params))
    kernel("unary").run(made.call)
    result = made.result()
    if UNARY[kind][0] in LIMITS or kind == 35:
        assert result[x == -np.inf] == 0
        expected = np.where(x == -np.inf, 0, expected)
    finite = np.isfinite(expected)
    assert np.array_equal(np.where(finite, 0, result), np.where(finite, 0, expected), equal_nan=True), (
        result,
        expected,
    )
    assert np.allclose(result[finite], expected[finite], rtol=1e-5, atol=1e-6), (result, expected)


@pytest.mark.parametrize(
    "name, parameter, value, words_of_the_message",
    [
        ("convolution-full-0", "group", 0, "group is 0"),
        ("convolution-full-0", "group", 7, "do not divide"),
        ("convolution-full-0", "stride_h", 0, "stride_h is 0"),
        ("convolution-full-0", "kernel_w", -1, "kernel_w is -1"),
        ("convolution-full-0", "kernel_w", 100, "weight"),
        ("convolution-full-0", "pad_left", -2147483648, "pad_left"),
        ("convolution-full-0", "activation", 5, "activation 5 is unknown"),
        ("inner_product-0", "per_row", 2, "per_row is 2"),
        ("pooling-max-0", "kind", 2, "kind is 2"),
        ("pooling-average-1", "dilation_h", 2, "dilation_h is 2"),
        ("scale-c-0", "axis", -1, "axis is -1"),
        ("binary_op-0-0", "kind", 9, "kind is 9"),
        ("concat-0-0", "axis", 3, "axis is 3"),
        ("slice-0", "start_w", 2147483647, "reach beyond"),
        ("slice-0", "step_c", 0, "step_c is 0"),
        ("padding-0-0", "top", 100, "do not fit"),
        ("interp-1", "scale_h", float("nan"), "a scale of nan"),
        ("interp-1", "scale_h", 0.0, "a scale of 0.0"),
        ("permute-0", "stride1", 1000, "last is"),
        ("permute-0", "stride1", -1, "stride1 is -1"),
        ("softmax-0-0", "axis", 3, "axis is 3"),
        ("unary-0-0", "kind", 40, "kind is 40"),
        ("unary-0-0", "b", float("nan"), "parameter b is nan"),
        ("unary-28-28", "a", 0.0, "a is 0"),
        ("reduce-Sum-c-0", "kind", 10, "kind is 10"),
        ("reduce-Sum-c-0", "axis", -1, "axis is -1"),
        ("normalization-c-0", "epsilon", 0.0, "an epsilon of 0.0"),
        ("normalization-c-0", "centred", 2, "centred is 2"),
        ("compare-0-0", "kind", 3, "kind is 3"),
        ("cumsum-c-0", "axis", 3, "axis is 3"),
        ("cumsum-c-0", "reverse", 2, "reverse is 2"),
        ("top_k-c-0", "smallest", -1, "smallest is -1"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_by_name(name, parameter, value, words_of_the_message):
    case = next(c for c in all_cases() if c.name == name)
    layouts = case.layouts(False)
    params = dict(case.params_for(layouts))
    if case.op == "permute":
        params["size1"] = case.inputs[0].size
        params["size2"] = params["size3"] = 1
    params[parameter] = value
    b = Bench(case.inputs, case.expected.shape, words(params, kernel(case.op)), layouts)
    with pytest.raises(ModelError, match=words_of_the_message) as refused:
        kernel(case.op).check(b.call)
    assert str(refused.value).startswith(case.op)


@pytest.mark.parametrize("case", [p for i, p in enumerate(cases()) if i % 7 == 0])
def test_too_few_and_too_many_of_anything_are_refused(case: Case):
    for what, by in [
        ("n_params", 1),
        ("n_params", -1),
        ("n_out", 1),
        ("n_out", -1),
        ("n_in", -len(case.inputs)),
    ]:
        b = bench(case)
        setattr(b.call, what, getattr(b.call, what) + by)
        with pytest.raises(ModelError):
            kernel(case.op).check(b.call)


def refused_or_contained(case: Case, layouts: list[Layout], params: list[int]) -> bool:
    """Whether `check` lets the call through; if so, `run` must keep inside its operands and raise nothing."""
    inputs = [np.full(layout.shape, 0.5, np.float32) for layout in layouts[:-1]]
    # Hostile strides of a permute can only reach gaps: they are memory of the operand's own block.
    b = Bench(inputs, layouts[-1].shape, params, layouts, read_gaps=case.op == "permute")
    try:
        kernel(case.op).check(b.call)
    except ModelError:
        return False
    kernel(case.op).run(b.call)
    assert b.guards_untouched()
    return True


def some_cases(op: str) -> list[Case]:
    of_op = [c for c in all_cases() if c.op == op]
    return of_op[:6] + of_op[-4:]


EXTREME_WORDS = (-(2**31), -65536, -2, -1, 0, 1, 2, 3, 4, 7, 65536, 2**30, 2**31 - 1)
FLOAT_BITS = (0x7FC00000, 0x7F800000, -0x800000, 0x3F800000, 0x00000001, 0x7F7FFFFF)


@pytest.mark.parametrize("op", LAYERS)
def test_one_hostile_parameter_is_refused_or_stays_inside_the_operands(op: str):
    ran = 0
    for case in some_cases(op):
        layouts = case.layouts(False)
        params = words(case.params_for(layouts), kernel(op))
        for i in range(len(params)):
            for word in (*EXTREME_WORDS, *FLOAT_BITS, params[i] + 1, params[i] - 1):
                ran += refused_or_contained(case, layouts, [*params[:i], word, *params[i + 1 :]])
    assert ran > 0 or op in ("copy", "where")  # which have no parameters


@pytest.mark.parametrize("op", LAYERS)
def test_one_wrong_size_is_refused_or_stays_inside_the_operands(op: str):
    for case in some_cases(op):
        layouts = case.layouts(False)
        params = words(case.params_for(layouts), kernel(op))
        for i, layout in enumerate(layouts):
            for axis in range(3):
                for size in {
                    1,
                    2,
                    3,
                    4,
                    layout.shape[axis] - 1,
                    layout.shape[axis] + 1,
                    layout.shape[axis] * 2,
                } - {0}:
                    shape = list(layout.shape)
                    shape[axis] = size
                    wrong = Layout(tuple(shape), dense=layout.dense)
                    refused_or_contained(case, [*layouts[:i], wrong, *layouts[i + 1 :]], params)


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_several_hostile_parameters_and_sizes_are_refused_or_stay_inside_the_operands(data):
    # Random layers would nearly all be refused: start from layers that fit, and change a few things.
    op = data.draw(st.sampled_from(LAYERS))
    case = data.draw(st.sampled_from([c for c in all_cases() if c.op == op]))
    layouts = case.layouts(data.draw(st.booleans()))
    params = words(case.params_for(layouts), kernel(op))
    word = st.one_of(st.integers(-3, 9), st.sampled_from(EXTREME_WORDS + FLOAT_BITS), st.integers(-(2**31), 2**31 - 1))
    for _ in range(data.draw(st.integers(0, 3)) if params else 0):
        params[data.draw(st.integers(0, len(params) - 1))] = data.draw(word)
    for _ in range(data.draw(st.integers(0, 2))):
        i, axis = data.draw(st.integers(0, len(layouts) - 1)), data.draw(st.integers(0, 2))
        shape = list(layouts[i].shape)
        shape[axis] = data.draw(st.integers(1, 9))
        layouts[i] = Layout(tuple(shape), layouts[i].interleaved, layouts[i].dense)
    refused_or_contained(case, layouts, params)


def flat(*shape: int) -> Layout:
    return Layout(shape, dense=True)


@pytest.mark.parametrize(
    "op, shapes, params, words_of_the_message",
    [
        ("binary_op", [(1, 2, 2), (1, 2, 1), (3, 2, 2)], [0, 0, 0, 0], "do not broadcast"),
        ("binary_op", [(2, 2, 2), (3, 2, 2), (3, 2, 2)], [0, 0, 0, 0], "do not broadcast"),
        (
            "scale",
            [(2, 3, 4), (1, 1, 2), (1, 1, 3), (2, 3, 4)],
            [0, 0, 0, 0],
            r"term \(input 2\) has 3 elements",
        ),
        ("activation", [(2, 3, 4), (2, 4, 3)], [0, 0, 0], "output is 2 x 4 x 3"),
        ("softmax", [(2, 3, 4), (2, 3, 3)], [0], "output is 2 x 3 x 3"),
        ("copy", [(2, 3, 4), (1, 1, 23)], [], "24 elements cannot become 23"),
        ("inner_product", [(2, 3, 4), (1, 1, 48), (2, 1, 1)], [0, 0, 0, 0], "expected one row"),
        ("inner_product", [(2, 3, 4), (1, 1, 8), (2, 4, 2)], [1, 0, 0, 0], "cannot become 2 x 4"),
        ("interp", [(2, 3, 4), (3, 6, 8)], [0, 0, 0, 0x40000000, 0x40000000], "2 channels cannot become 3"),
        (
            "pooling",
            [(2, 3, 4), (1, 1, 2)],
            [0, 2, 4, 1, 1, 0, 0, 0, 0, 0, 1, 1],
            "or global pooling",
        ),
        ("concat", [(2, 3, 4), (2, 3, 5), (4, 3, 4)], [0], "input 1 is 2 x 3 x 5"),
        ("concat", [(2, 3, 4), (2, 3, 4), (5, 3, 4)], [0], "inputs have 4 along axis 0, the output 5"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(op, shapes, params, words_of_the_message):
    layouts = [flat(*shape) for shape in shapes]
    b = Bench([np.zeros(shape, np.float32) for shape in shapes[:-1]], shapes[-1], params, layouts)
    with pytest.raises(ModelError, match=words_of_the_message):
        kernel(op).check(b.call)


def test_another_type_is_refused():
    b = bench(next(c for c in all_cases() if c.op == "activation"))
    b.call.input(0).dtype = I8
    with pytest.raises(ModelError, match="input 0 is int8, expected float32"):
        kernel("activation").check(b.call)
