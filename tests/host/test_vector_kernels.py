"""The layers on whole rows, through numpy held to what ulab has: against onnxruntime, by rows and in place."""

from __future__ import annotations

import time
from importlib import import_module

import numpy as np
import pytest

from tests.host.kernel_call import Bench, words
from tests.host.layer_cases import Case, agrees, all_cases, result_by_rows
from tests.ulab.kernels import LAYERS, MODULES, vector

IN_PLACE = ("activation", "scale", "binary_op", "softmax", "normalization", "unary")
BY_ROWS = ("convolution", "pooling", "activation", "scale", "binary_op", "concat", "slice", "unary")


def on_numpy(op: str):
    """As applications on a host have it."""
    return import_module(f"nnmicro.vector.{op}")


def reference(op: str):
    return import_module(f"nnmicro.reference.{op}")


def cases(ops) -> list:
    return [pytest.param(case, id=case.name) for case in all_cases() if case.op in ops]


def bench(case: Case, interleaved: bool = False, in_place: bool = False, tail: int = 8) -> Bench:
    layouts = case.layouts(interleaved)
    params = words(case.params_for(layouts), reference(case.op))
    return Bench(case.inputs, case.expected.shape, params, layouts, in_place, checked=False, tail=tail)


@pytest.mark.parametrize("op", LAYERS)
def test_parameters_and_in_place_are_those_of_the_reference(op: str):
    ours, theirs = vars(on_numpy(op)), vars(reference(op))
    named = {name: value for name, value in ours.items() if name.startswith("_P_") or name == "_IN_PLACE"}
    assert named == {name: theirs[name] for name in named}
    assert ours.get("_IN_PLACE") == theirs.get("_IN_PLACE")


@pytest.mark.parametrize("interleaved", [False, True], ids=["planar", "interleaved"])
@pytest.mark.parametrize("case", cases(LAYERS))
def test_equals_onnxruntime(case: Case, interleaved: bool):
    b = bench(case, interleaved)
    vector(case.op)(b.call)
    assert agrees(b.result(), case.expected)
    assert b.guards_untouched()


@pytest.mark.parametrize("case", cases(LAYERS))
def test_through_numpy_without_a_warning(case: Case):
    b = bench(case)
    with np.errstate(all="raise", under="ignore"):
        on_numpy(case.op).run(b.call)
    assert agrees(b.result(), case.expected)


@pytest.mark.parametrize("case", cases(LAYERS))
def test_an_output_at_the_end_of_its_buffer_is_not_overrun(case: Case):
    b = bench(case, tail=0)
    vector(case.op)(b.call)
    assert agrees(b.result(), case.expected)
    assert b.guards_untouched()


@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize("case", cases(BY_ROWS))
def test_rows_in_rings_equal_all_at_once(case: Case, at_once: int):
    params = words(case.params, reference(case.op))
    result, guards_untouched = result_by_rows(case, vector(case.op), params, at_once, checked=False)
    assert agrees(result, case.expected)
    assert guards_untouched


@pytest.mark.parametrize(
    "case", [p for p in cases(IN_PLACE) if p.values[0].inputs[0].shape == p.values[0].expected.shape]
)
def test_in_place_equals_not_in_place(case: Case):
    apart, in_place = bench(case), bench(case, in_place=True)
    vector(case.op)(apart.call)
    vector(case.op)(in_place.call)
    assert np.array_equal(apart.result(), in_place.result(), equal_nan=True)
    assert in_place.guards_untouched()


def test_planar_layers_do_not_fall_back_to_the_reference(monkeypatch):
    """What the vector backend is for must not quietly run element by element."""

    def refuse(call):
        raise AssertionError("ran in the reference")

    for op in LAYERS:
        monkeypatch.setattr(reference(op), "run", refuse)
    for case in all_cases():
        expected_there = (
            case.op not in LAYERS
            or (case.op in ("scale", "softmax", "normalization") and case.params["axis"] == 1)
            or (case.op == "unary" and case.params["kind"] not in MODULES["unary"]._FUNCTIONS)
            or (case.op == "convolution" and case.params["pad_value"])
            or case.op == "pooling"
        )
        if not expected_there:
            vector(case.op)(bench(case).call)


@pytest.mark.slow
def test_layers_of_mobilenet_v2_take_under_ten_seconds():
    """The convolutions of MobileNetV2 at 224 x 224 (Sandler et al. 2018, table 2)."""
    rng = np.random.default_rng(0)
    layers = [(3, 32, 224, 2, 3, 1)]
    channels, size = 32, 112
    for expansion, out, repeats, stride in [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]:
        for i in range(repeats):
            step, wide = stride if i == 0 else 1, channels * expansion
            if expansion > 1:
                layers.append((channels, wide, size, 1, 1, 1))
            layers.append((wide, wide, size, step, 3, wide))
            size //= step
            layers.append((wide, out, size, 1, 1, 1))
            channels = out
    layers.append((320, 1280, 7, 1, 1, 1))
    started = time.perf_counter()
    macs = 0
    for ci, co, size, stride, kernel, group in layers:
        params = {
            "kernel_h": kernel,
            "kernel_w": kernel,
            "stride_h": stride,
            "stride_w": stride,
            "pad_value": 0.0,
        }
        params |= {
            "pad_top": kernel // 2,
            "pad_left": kernel // 2,
            "dilation_h": 1,
            "dilation_w": 1,
            "group": group,
        }
        params |= {"activation": 3, "activation_a": 0.0, "activation_b": 6.0}
        x = rng.standard_normal((ci, size, size), dtype=np.float32)
        weight = rng.standard_normal((1, 1, co * ci // group * kernel * kernel), dtype=np.float32)
        row = words(params, reference("convolution"))
        made = Bench([x, weight], (co, size // stride, size // stride), row, checked=False)
        vector("convolution")(made.call)
        macs += co * ci // group * kernel**2 * (size // stride) ** 2
    assert 290e6 < macs < 310e6
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    "op, constants, params",
    [
        ("convolution", [12, 4], {"kernel_h": 1, "kernel_w": 1, "stride_h": 1, "stride_w": 1, "group": 1}),
        ("activation", [], {}),
        ("scale", [3, 3], {"axis": 0}),
        ("softmax", [], {"axis": 0}),
    ],
)
def test_blocks_of_rows_equal_the_reference(op: str, constants: list[int], params: dict):
    """Maps so wide that a step takes several rows, but not all of them."""
    rng = np.random.default_rng(3)
    shape = (3, 23, 31)
    inputs = [rng.standard_normal(size, dtype=np.float32) for size in [shape, *((1, 1, n) for n in constants)]]
    if op == "convolution":
        params = params | {"dilation_h": 1, "dilation_w": 1, "pad_top": 0, "pad_left": 0, "pad_value": 0.0}
    if op != "softmax":
        params = params | {"activation": 1, "activation_a": 0.0, "activation_b": 0.0}
    output = (4, 23, 31) if op == "convolution" else shape
    row = words(params, reference(op))
    ours, theirs = Bench(inputs, output, row, checked=False), Bench(inputs, output, row, checked=False)
    vector(op)(ours.call)
    reference(op).run(theirs.call)
    assert agrees(ours.result(), theirs.result())
    assert ours.guards_untouched()


def test_a_pointwise_kernel_over_rows_below_the_input_gives_the_bias():
    x = np.ones((2, 4, 5), np.float32)
    weight, bias = np.full((1, 1, 6), 0.5, np.float32), np.array([[[1, 2, 3]]], np.float32)
    params = dict.fromkeys(("kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w", "group"), 1)
    params |= {
        "pad_top": 0,
        "pad_left": 0,
        "pad_value": 0.0,
        "activation": 0,
        "activation_a": 0.0,
        "activation_b": 0.0,
    }
    made = Bench([x, weight, bias], (3, 6, 5), words(params, reference("convolution")), checked=False)
    vector("convolution")(made.call)
    expected = np.concatenate([np.full((3, 4, 5), 1.0), np.zeros((3, 2, 5))], axis=1) + bias.reshape(3, 1, 1)
    assert np.array_equal(made.result(), expected)
