"""The int8 layers in plain Python against LiteRT, byte for byte; by rows, in place, and with what does not fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from importlib import import_module

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools import quantised
from nnmicro.errors import ModelError
from nnmicro.port import U8
from nnmicro.reference import fixed_point
from tests.host import litert
from tests.host.int8_call import TypedBench
from tests.host.kernel_call import Layout, words

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert, the oracle of the int8 layers, is not installed")
pytest.importorskip("tflite", reason="tflite, the schema that the int8 tests build models with, is not installed")

from tests.host.hostile_calls import (  # noqa: E402
    one_hostile_parameter,
    one_wrong_size,
    several_hostile_words,
)
from tests.host.int8_cases import Case, cases  # noqa: E402
from tests.models import int8_layers  # noqa: E402
from tests.models.shared import shared  # noqa: E402
from tests.models.tflite_builder import TFLiteModel  # noqa: E402

LAYERS = (
    "binary_int8",
    "convolution_int8",
    "depthwise_int8",
    "dequantize",
    "inner_product_int8",
    "mean_int8",
    "pooling_int8",
    "quantize",
    "softmax_int8",
    "table_int8",
)
IN_PLACE = {"binary_int8", "softmax_int8", "table_int8"}
SPATIAL = ("binary_int8", "convolution_int8", "depthwise_int8", "dequantize", "pooling_int8", "quantize", "table_int8")

Add = Callable[[int8_layers.Layers], None]

OPERATORS: dict[str, Add] = {
    "convolution": lambda layers: int8_layers.convolution(layers, "full"),
    "pointwise": lambda layers: int8_layers.convolution(layers, "pointwise"),
    "depthwise": lambda layers: int8_layers.convolution(layers, "depthwise"),
    "fully_connected": int8_layers.fully_connected,
    "softmax": int8_layers.softmax,
    "conversion": int8_layers.conversion,
    **{n: lambda layers, n=n: int8_layers.pooling(layers, n) for n in ("AVERAGE_POOL_2D", "MAX_POOL_2D")},
    **{n: lambda layers, n=n: int8_layers.binary(layers, n) for n in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")},
    **{n: lambda layers, n=n: int8_layers.reduction(layers, n) for n in ("MEAN", "SUM")},
    **{n: lambda layers, n=n: int8_layers.unary(layers, n) for n in quantised.TABLES},
}


def kernel(op: str):
    return import_module(f"nnmicro.reference.{op}")


@cache
def layers_of(operator: str, count: int) -> list[Case]:
    """`count` random layers of one operator, with LiteRT's results."""
    layers = int8_layers.Layers(sum(operator.encode()))
    for _ in range(count):
        OPERATORS[operator](layers)
    content = layers.build()
    return cases(content, litert.run_all(content, [layers.inputs])[0])


@cache
def some_layers(op: str) -> list[Case]:
    """A few random cases of each operator that the layer `op` computes."""
    layers = int8_layers.Layers(7)
    for _ in range(6):
        for name, add in OPERATORS.items():
            if name not in quantised.TABLES or name in ("QUANTIZE", "LOGISTIC"):
                add(layers)
    content = layers.build()
    found: dict[str, list[Case]] = {}
    for case in cases(content, litert.run_all(content, [layers.inputs])[0]):
        found.setdefault(case.op, []).append(case)
    # Those of several rows first, as some tests need rows.
    return sorted(found[op], key=lambda case: case.expected.shape[1] == 1)[:24]


def bench(case: Case, in_place: bool = False) -> TypedBench:
    return TypedBench(case.inputs, case.expected, words(case.params, kernel(case.op)), case.layouts(), in_place)


def same_bytes(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def assert_equals_litert(case: Case) -> None:
    b = bench(case)
    kernel(case.op).check(b.call)
    kernel(case.op).run(b.call)
    assert same_bytes(b.result(), case.expected), (case.name, case.params)
    assert b.guards_untouched()


@pytest.mark.parametrize("operator", [name for name in OPERATORS if name != "ADD"])
def test_equals_litert(operator: str):
    for case in layers_of(operator, 80):
        assert_equals_litert(case)


def test_add_equals_litert_but_where_its_vector_code_rounds_once_instead_of_twice():
    # LiteRT's ADD on x86 has vector code that rounds a rescaled input once, and for a single element as one operand
    # downwards; everywhere else, and on other machines, it rounds twice, as here. That is one unit in 2**20 of the
    # larger input's step, which only shows where a sum lies that close to a half.
    different = values = 0
    for case in layers_of("ADD", 400):
        b = bench(case)
        kernel(case.op).check(b.call)
        kernel(case.op).run(b.call)
        off = b.result() != case.expected
        exact = exact_sum(case)
        assert np.abs(b.result().astype(int) - case.expected)[off].max(initial=0) <= 1
        assert np.abs(exact - np.floor(exact) - 0.5)[off].max(initial=0) <= 3 * 2.0 ** case.params["output_shift"]
        different += int(off.sum())
        values += off.size
    assert different <= values / 2000


def exact_sum(case: Case) -> np.ndarray:
    """What an ADD rounds in the end, in double precision."""
    p = case.params
    terms = [
        (x.astype(np.float64) - p[name + "_zero"])
        * 2.0 ** p["left_shift"]
        * p[name + "_multiplier"]
        * 2.0 ** (p[name + "_shift"] - 31)
        for name, x in zip("ab", case.inputs, strict=True)
    ]
    return (terms[0] + terms[1]) * p["output_multiplier"] * 2.0 ** (p["output_shift"] - 31)


@pytest.mark.parametrize(
    "path",
    [
        "emlearn/mnist_cnn_int8",
        "mlperf_tiny/ad_int8",
        "mlperf_tiny/ic_int8",
        "mlperf_tiny/kws_int8",
        "mlperf_tiny/vww_int8",
        "tflm/hello_world_int8",
        "tflm/micro_speech_quantized",
    ],
)
def test_every_operator_of_a_real_model_equals_litert(path: str):
    content = shared(f"models/{path}.tflite").read_bytes()
    rng = np.random.default_rng(1)
    inputs = {}
    for tensor, shape in litert.inputs_of(content).items():
        inputs[tensor] = rng.integers(-128, 128, shape).astype(np.int8)
    found = cases(content, litert.run_all(content, [inputs])[0])
    assert len(found) >= 3
    for case in found:
        assert_equals_litert(case)


def step(multiplier: int, shift: int, result: int) -> int:
    """The smallest sum that gives `result`."""
    low, high = -(2**31), 2**31 - 1
    while low < high:
        middle = (low + high) // 2
        if fixed_point.multiply_up(middle, multiplier, shift) >= result:
            high = middle
        else:
            low = middle + 1
    return low


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "FULLY_CONNECTED by channel"])
def test_multipliers_are_right_to_the_last_bit(kind: str):
    # With x at its zero point the bias alone is multiplied; biases of millions, just where the result steps.
    rng = np.random.default_rng(3)
    layers = int8_layers.Layers(0)
    outputs = 160
    for _ in range(20):
        in_scale = np.float32(2.0 ** rng.uniform(-9, 0))
        scales = (2.0 ** rng.uniform(-12, -8, 1 if kind == "FULLY_CONNECTED" else outputs)).astype(np.float32)
        out_scale = np.float32(in_scale * scales.min() * 2.0 ** rng.uniform(18, 22))
        out_zero = int(rng.integers(-60, 60))
        derive = quantised.inner_product_parameters if "FULLY" in kind else quantised.conv_parameters
        multipliers, shifts, *_ = derive(in_scale, 7, scales, out_scale, out_zero, "NONE", outputs)
        reached = [
            step(int(m), int(s), int(rng.integers(-127, 128)) - out_zero)
            for m, s in zip(multipliers, shifts, strict=True)
        ]
        bias = np.clip(np.array(reached) - rng.integers(0, 2, outputs), -(2**31), 2**31 - 1).astype(np.int32)
        _constant_layer(layers, kind.split()[0], in_scale, scales, out_scale, out_zero, bias)
    content = layers.build()
    for case in cases(content, litert.run_all(content, [layers.inputs])[0]):
        assert_equals_litert(case)


def _constant_layer(layers, name, in_scale, scales, out_scale, out_zero, bias):
    """A layer with weights whose input is 7, its zero point, everywhere."""
    outputs = len(bias)
    channels = outputs if name == "DEPTHWISE_CONV_2D" else 4
    shapes = {
        "CONV_2D": ((1, 1, 1, 4), (outputs, 1, 1, 4), (1, 1, 1, outputs)),
        "DEPTHWISE_CONV_2D": ((1, 1, 1, channels), (1, 1, 1, outputs), (1, 1, 1, outputs)),
        "FULLY_CONNECTED": ((1, 4), (outputs, 4), (1, outputs)),
    }
    x_shape, weight_shape, y_shape = shapes[name]
    x = layers.input(x_shape, in_scale, 7)
    layers.inputs[x][...] = 7
    weights = layers.integers(weight_shape)
    axis = 3 if name == "DEPTHWISE_CONV_2D" else 0
    constants = [
        layers.model.tensor(weight_shape, "INT8", scales, axis=axis, data=weights),
        layers.model.tensor((outputs,), "INT32", in_scale * scales, data=bias),
    ]
    options = {} if name == "FULLY_CONNECTED" else {"Padding": 1, "StrideH": 1, "StrideW": 1}
    if name == "DEPTHWISE_CONV_2D":
        options["DepthMultiplier"] = 1
    table = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions"}
    y = layers.output(y_shape, out_scale, out_zero)
    layers.model.operator(name, [x, *constants], [y], table.get(name, "FullyConnectedOptions"), **options)


def test_ties_of_a_depthwise_layer_go_up_in_blocks_of_eight_channels():
    # -36 / 8 is -4.5 in every channel.
    layers = int8_layers.Layers(0)
    outputs, scales = 21, np.full(21, 0.5, np.float32)
    _constant_layer(layers, "DEPTHWISE_CONV_2D", np.float32(0.5), scales, 2.0, 0, np.full(outputs, -36, np.int32))
    content = layers.build()
    values = litert.run_all(content, [layers.inputs])[0]
    assert values[layers.outputs[0]].ravel().tolist() == [-4] * 16 + [-5] * 5
    assert_equals_litert(cases(content, values)[0])


def test_the_softmax_of_512_equal_elements_rounds_one_half_away_from_zero():
    model = TFLiteModel()
    x, y = model.tensor((1, 512), "INT8", 0.1), model.tensor((1, 512), "INT8", 1 / 256, -128)
    model.operator("SOFTMAX", [x], [y], "SoftmaxOptions", Beta=1.0)
    content = model.build([x], [y])
    values = litert.run_all(content, [{x: np.zeros((1, 512), np.int8)}])[0]
    assert (values[y] == -127).all()
    assert_equals_litert(cases(content, values)[0])


@pytest.mark.parametrize("op", LAYERS)
def test_parameters_are_numbered_without_gaps(op: str):
    numbers = [value for name, value in vars(kernel(op)).items() if name.startswith("_P_")]
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("op", LAYERS)
def test_in_place_is_declared_where_it_is_allowed(op: str):
    assert bool(getattr(kernel(op), "_IN_PLACE", 0)) == (op in IN_PLACE)


@pytest.mark.parametrize("op", sorted(IN_PLACE))
def test_in_place_equals_litert(op: str):
    ran = 0
    for case in some_layers(op):
        if case.inputs[0].shape == case.expected.shape:
            b = bench(case, in_place=True)
            kernel(op).check(b.call)
            kernel(op).run(b.call)
            assert same_bytes(b.result(), case.expected)
            assert b.guards_untouched()
            ran += 1
    assert ran >= 4


def rows_read(case: Case, i: int, y: int) -> range:
    """The rows of input `i` that output row `y` reads."""
    height = case.inputs[i].shape[1]
    if i >= len(case.inputs) - case.constants or height == 1:
        return range(height)
    extent, stride, top = case.window
    return range(max(0, y * stride - top), max(0, min(height, y * stride - top + extent)))


def result_by_rows(case: Case, at_once: int) -> np.ndarray:
    """The output computed `at_once` rows a call, from rings that hold no more rows than a call reads."""
    height = case.expected.shape[1]
    # From a first short call on, the rows of a call lie across the end of their ring.
    calls = [range(max(y, 0), min(y + at_once, height)) for y in range(1 - at_once, height, at_once)]
    read = [
        [sorted({row for y in ys for row in rows_read(case, i, y)}) for ys in calls] for i in range(len(case.inputs))
    ]
    layouts = case.layouts()
    for layout, rows_of_calls in zip(layouts, read, strict=False):
        layout.rows = max(1, max(rows[-1] - rows[0] + 1 if rows else 0 for rows in rows_of_calls))
    layouts[-1].rows = min(at_once + 1, height)
    b = TypedBench(case.inputs, case.expected, words(case.params, kernel(case.op)), layouts)
    result = np.empty_like(case.expected)
    for n, ys in enumerate(calls):
        for i in range(len(case.inputs)):
            for row in read[i][n]:
                b.feed(i, row)
        b.call.y0, b.call.y1 = ys.start, ys.stop
        kernel(case.op).run(b.call)
        for y in ys:
            result[:, y] = b.result()[:, y % layouts[-1].rows]
    assert b.guards_untouched()
    return result


@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize("op", SPATIAL)
def test_rows_in_rings_equal_litert(op: str, at_once: int):
    tall = [case for case in some_layers(op) if case.expected.shape[1] > 1]
    assert len(tall) >= 4
    for case in tall:
        assert same_bytes(result_by_rows(case, at_once), case.expected)


@pytest.mark.parametrize("op", ["inner_product_int8", "mean_int8", "softmax_int8"])
def test_a_layer_that_needs_whole_tensors_refuses_rows(op: str):
    case = next(c for c in some_layers(op) if c.params.get("per_row") != 1)
    if op == "softmax_int8":
        case = Case("", op, case.inputs, case.interleaved, case.expected, case.params | {"axis": 1}, 1)
    b = bench(case)
    b.call.y0 = b.call.y1 = 1
    with pytest.raises(ValueError, match="whole tensors"):
        kernel(op).run(b.call)


@pytest.mark.parametrize(
    "op, parameter, value, words_of_the_message",
    [
        ("convolution_int8", "group", 0, "group is 0"),
        ("convolution_int8", "stride_h", 0, "stride_h is 0"),
        ("convolution_int8", "kernel_w", 100, "weight"),
        ("convolution_int8", "pad_left", -1, "pad_left is -1"),
        ("convolution_int8", "input_zero", 128, "input_zero is 128"),
        ("convolution_int8", "activation_max", 128, "activation_max is 128"),
        ("depthwise_int8", "depth_multiplier", 9, "depth_multiplier of 9"),
        ("depthwise_int8", "half_up", -1, "half_up is -1"),
        ("inner_product_int8", "per_row", 2, "per_row is 2"),
        ("inner_product_int8", "weight_zero", 1000, "weight_zero is 1000"),
        ("pooling_int8", "kind", 2, "kind is 2"),
        ("pooling_int8", "kernel_h", 0, "kernel_h is 0"),
        ("binary_int8", "kind", 5, "kind is 5"),
        ("binary_int8", "left_shift", 23, "left_shift is 23"),
        ("binary_int8", "output_shift", 32, "output_shift is 32"),
        ("binary_int8", "a_multiplier", -1, "a_multiplier is -1"),
        ("softmax_int8", "axis", 3, "axis is 3"),
        ("softmax_int8", "output_scale", 0.0, "output_scale is 0.0"),
        ("softmax_int8", "output_scale", math.inf, "output_scale is inf"),
        ("mean_int8", "kind", 2, "kind is 2"),
        ("mean_int8", "over_w", -1, "over_w is -1"),
        ("quantize", "scale", math.nan, "scale is nan"),
        ("quantize", "zero_point", -32769, "zero_point is -32769"),
        ("dequantize", "in_blocks", -1, "in_blocks is -1"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_by_name(op, parameter, value, words_of_the_message):
    case = some_layers(op)[0]
    params = words(case.params | {parameter: value}, kernel(op))
    b = TypedBench(case.inputs, case.expected, params, case.layouts())
    with pytest.raises(ModelError, match=words_of_the_message) as refused:
        kernel(op).check(b.call)
    assert str(refused.value).startswith(op)


@pytest.mark.parametrize("op", LAYERS)
def test_too_few_and_too_many_of_anything_are_refused(op: str):
    for what, by in [("n_params", 1), ("n_params", -1), ("n_out", 1), ("n_out", -1), ("n_in", -1), ("n_in", 1)]:
        b = bench(some_layers(op)[0])
        setattr(b.call, what, getattr(b.call, what) + by)
        with pytest.raises(ModelError):
            kernel(op).check(b.call)


@pytest.mark.parametrize("op", LAYERS)
def test_another_type_is_refused(op: str):
    for i in range(len(some_layers(op)[0].inputs) + 1):
        b = bench(some_layers(op)[0])
        operand = b.call._pool[i]
        operand.dtype = 77 if op in ("quantize", "dequantize") else U8
        with pytest.raises(ModelError, match="expected"):
            kernel(op).check(b.call)


def refused_or_contained(case: Case, layouts: list[Layout], params: list[int], rng: np.random.Generator) -> bool:
    """Whether `check` lets the call through; if so, `run` must keep inside its operands and raise nothing.

    Constants come from the file like parameters, so they are anything as well.
    """
    inputs = []
    for layout, x in zip(layouts, case.inputs, strict=False):
        anything = np.frombuffer(rng.bytes(math.prod(layout.shape) * x.itemsize), x.dtype)
        inputs.append(anything.reshape(layout.shape))
    like = np.zeros(layouts[-1].shape, case.expected.dtype)
    b = TypedBench(inputs, like, params, layouts)
    try:
        kernel(case.op).check(b.call)
    except ModelError:
        return False
    kernel(case.op).run(b.call)
    assert b.guards_untouched()
    return True


@pytest.mark.parametrize("op", LAYERS)
def test_one_hostile_parameter_is_refused_or_stays_inside_the_operands(op: str):
    ran, rng = 0, np.random.default_rng(0)
    for case in some_layers(op)[:3]:
        params = words(case.params, kernel(op))
        for hostile in one_hostile_parameter(params):
            ran += refused_or_contained(case, case.layouts(), hostile, rng)
    assert ran > 0 or op == "table_int8"


@pytest.mark.parametrize("op", LAYERS)
def test_one_wrong_size_is_refused_or_stays_inside_the_operands(op: str):
    rng = np.random.default_rng(0)
    for case in some_layers(op)[:6]:
        params = words(case.params, kernel(op))
        for layouts in one_wrong_size(case):
            refused_or_contained(case, layouts, params, rng)


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_several_hostile_parameters_and_sizes_are_refused_or_stay_inside_the_operands(data):
    op = data.draw(st.sampled_from(LAYERS))
    case = data.draw(st.sampled_from(some_layers(op)))
    layouts, params = several_hostile_words(data, case, words(case.params, kernel(op)))
    refused_or_contained(case, layouts, params, np.random.default_rng(data.draw(st.integers(0, 99))))


@pytest.mark.parametrize("in_blocks", [0, 8])
def test_numbers_that_are_none_quantise_to_the_bounds(in_blocks: int):
    x = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e6, -1e6, 0.0], np.float32).reshape(1, 1, -1)
    params = words({"scale": 1e-30, "zero_point": -5, "in_blocks": in_blocks}, kernel("quantize"))
    b = TypedBench([x], np.zeros((1, 1, 8), np.int8), params, [Layout(x.shape), Layout(x.shape)])
    kernel("quantize").run(b.call)
    assert b.result().ravel().tolist() == [-128, 127, -128, 127, -128, 127, -128, -5]


def test_a_softmax_whose_table_is_damaged_raises_nothing():
    for entry in (0.0, np.nan, np.inf, -np.inf, 1e-45, 3e38):
        inputs = [np.zeros((1, 1, 4), np.int8), np.full((1, 1, 256), entry, np.float32)]
        params = words({"axis": 2, "output_scale": 1 / 256, "output_zero": -128}, kernel("softmax_int8"))
        layouts = [Layout((1, 1, 4)), Layout((1, 1, 256)), Layout((1, 1, 4))]
        b = TypedBench(inputs, np.zeros((1, 1, 4), np.int8), params, layouts)
        kernel("softmax_int8").run(b.call)


@pytest.mark.parametrize(
    "value, multiplier, shift, up, away",
    [
        (-36, 2**30, -2, -4, -5),  # -36 / 8
        (36, 2**30, -2, 5, 5),
        (-3, 2**30, 0, -1, -1),  # the first step sends halves up in both
        (100, 3 * 2**29, 3, 600, 600),
        (-1, 0, 0, 0, 0),
    ],
)
def test_the_two_roundings_of_a_quantised_multiplier(value, multiplier, shift, up, away):
    assert fixed_point.multiply_up(value, multiplier, shift) == up
    assert fixed_point.multiply_away(value, multiplier, shift) == away


@given(st.floats(0.0, 1e6))
def test_a_quantised_multiplier_is_within_half_a_unit(real: float):
    multiplier, shift = quantised.quantised_multiplier(real)
    assert multiplier == 0 or 2**30 <= multiplier < 2**31
    assert abs(multiplier / 2**31 * 2.0**shift - real) <= max(real * 2.0**-31, 2.0**-32)


@given(st.floats(width=32, allow_nan=False), st.floats(2.0**-100, 2.0**100, width=32))
def test_a_quotient_is_rounded_exactly(value: float, scale: float):
    got = fixed_point.round_quotient(value, scale, -32768, 32767)
    if math.isinf(value):
        assert got == (32767 if value > 0 else -32768)
        return
    exact = abs(Fraction(value) / Fraction(scale))
    nearest = int(exact + Fraction(1, 2))
    assert got == min(max(nearest if value > 0 else -nearest, -32768), 32767)


@pytest.mark.parametrize(
    "call, words_of_the_message",
    [
        (lambda: quantised.quantised_multiplier(-1.0), "multiplier of -1.0"),
        (lambda: quantised.quantised_multiplier(math.inf), "multiplier of inf"),
        (lambda: quantised.activation_bounds(0.1, 0, "TANH"), "TANH has no int8 form"),
        (lambda: quantised.table("SIN", 0.1, 0, 0.1, 0), "no int8 table for SIN"),
        (lambda: quantised.table("NEG", 0.1, 3, 0.1, 3), "zero points of 0"),
        (lambda: quantised.table("HARD_SWISH", 1.0, 0, 0.001, 0), "more than 1/128"),
        (lambda: quantised.extremum_parameters("mean"), "mean is no extremum"),
        (lambda: quantised.conv_parameters(1, 0, [1, 1], 1, 0, "NONE", 3), "2 weight scales for 3 outputs"),
    ],
)
def test_what_cannot_be_derived_is_refused(call, words_of_the_message):
    with pytest.raises(ValueError, match=words_of_the_message):
        call()
