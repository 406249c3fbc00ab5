"""The TFLite importer: what each operator becomes, and what is refused and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from host_tools.graph import ConversionError, Graph, Layer
from host_tools.importers import load_model

pytest.importorskip("tflite", reason="the TFLite importer needs the package tflite")

from host_tools.importers.tflite.operators import TABLE
from host_tools.importers.tflite.operators.resizing import (
    _ASYMMETRIC,
    _HALF_PIXEL,
    _exact_scale,
    _interp_indices,
    _tflite_indices,
)
from tests.host.test_tflite_damage import assert_consistent
from tests.host.tflite_models import (
    CASES,
    IMAGE,
    INPUT_SCALE,
    INPUT_ZERO,
    OUTPUT_ZERO,
    conv,
    ints,
    model,
    numbers,
    shape_computation,
)
from tests.models.shared import shared
from tests.models.tflite_builder import TFLiteModel

MODELS = {
    "emlearn/mnist_cnn_fp32": ["convolution"] * 3 + ["pooling", "reshape", "inner_product", "softmax"],
    "emlearn/mnist_cnn_int8": ["convolution_int8"] * 3 + ["mean_int8", "reshape", "inner_product_int8", "softmax_int8"],
    "mlperf_tiny/ad_float32": ["inner_product"] * 10,
    "mlperf_tiny/ad_int8": ["inner_product_int8"] * 10,
    "mlperf_tiny/ic_float32": None,
    "mlperf_tiny/ic_int8": None,
    "mlperf_tiny/kws_int8": ["convolution_int8"]
    + ["depthwise_int8", "convolution_int8"] * 4
    + ["pooling_int8", "reshape", "inner_product_int8", "softmax_int8"],
    "mlperf_tiny/vww_float32": None,
    "mlperf_tiny/vww_int8": None,
    "tflm/hello_world_float": ["inner_product"] * 3,
    "tflm/hello_world_int8": ["inner_product_int8"] * 3,
    "tflm/micro_speech_quantized": [
        "reshape",
        "depthwise_int8",
        "reshape",
        "inner_product_int8",
        "softmax_int8",
    ],
}


def _load(content: bytes, folder: Path, **options) -> Graph:
    path = folder / "small.tflite"
    path.write_bytes(content)
    return load_model(path, **options)


def _only(graph: Graph, op: str) -> Layer:
    (layer,) = [layer for layer in graph.layers if layer.op == op]
    return layer


def _refusal(content: bytes, folder: Path, **options) -> str:
    with pytest.raises(ConversionError) as caught:
        _load(content, folder, **options)
    return str(caught.value)


# Graphs


@pytest.mark.parametrize("name", MODELS)
def test_a_real_model_becomes_these_layers(name):
    graph = load_model(shared(f"models/{name}.tflite"))
    assert_consistent(graph)
    assert graph.order == "hwc"
    expected = MODELS[name]
    assert expected is None or [layer.op for layer in graph.layers] == expected
    int8 = "int8" in name or "quantized" in name
    assert {tensor.dtype for tensor in graph.blobs()} == {np.dtype(np.int8 if int8 else np.float32)}
    assert all((tensor.quantisation is not None) == int8 for tensor in graph.blobs())


@pytest.mark.parametrize("name", CASES)
def test_an_operator_becomes_layers_with_its_outputs(name, tmp_path):
    graph = _load(CASES[name](), tmp_path)
    assert_consistent(graph)
    assert [layer.name for layer in graph.layers] == [layer.outputs[0] for layer in graph.layers]
    int8 = {layer.op for layer in graph.layers if layer.op.endswith("_int8")}
    for layer in graph.layers:
        if layer.op in int8:
            assert {graph.tensor(n).dtype for n in layer.outputs} == {np.dtype(np.int8)}


def test_every_operator_of_the_table_has_a_case():
    assert {name.split(",")[0].split(" ")[0] for name in CASES} == set(TABLE)


def test_an_int8_convolution_keeps_its_weights_and_has_integer_parameters(tmp_path):
    graph = _load(conv("INT8"), tmp_path)
    layer = _only(graph, "convolution_int8")
    constants = [graph.tensor(name) for name in layer.inputs[1:]]
    assert [(t.shape, t.dtype.name) for t in constants] == [
        ((8, 3, 2, 4), "int8"), ((8,), "int32"), ((8,), "int32"), ((8,), "int32"),
    ]  # fmt: skip
    # 6 rows by 3 with stride 2, 5 columns by 2 with stride 1, SAME: one more below and to the right.
    expected = {"kernel_h": 3, "kernel_w": 2, "stride_h": 2, "stride_w": 1, "pad_top": 0, "pad_left": 0}
    expected |= {"group": 1, "input_zero": INPUT_ZERO, "output_zero": OUTPUT_ZERO}
    assert expected.items() <= layer.attrs.items()
    assert (layer.attrs["activation_min"], layer.attrs["activation_max"]) == (-128, 127)


def test_float_weights_become_planar(tmp_path):
    graph = _load(conv("FLOAT32"), tmp_path)
    weight = graph.tensor(_only(graph, "convolution").inputs[1]).data
    assert weight.shape == (8, 4, 3, 2)
    assert (weight == numbers(8, 3, 2, 4, seed=1).transpose(0, 3, 1, 2)).all()
    graph = _load(CASES["DEPTHWISE_CONV_2D, float32"](), tmp_path)
    layer = _only(graph, "convolution")
    assert graph.tensor(layer.inputs[1]).shape == (8, 1, 3, 3) and layer.attrs["group"] == 4
    assert layer.attrs["activation"] == 3 and layer.attrs["activation_b"] == 6.0


def test_every_int8_blob_has_its_scale(tmp_path):
    graph = _load(CASES["CONCATENATION n, int8"](), tmp_path)
    for tensor in graph.blobs():
        assert tensor.quantisation.scales.tolist() == [np.float32(INPUT_SCALE)]
        assert tensor.quantisation.zero_points.tolist() == [INPUT_ZERO] and tensor.quantisation.axis is None


def test_padding_in_int8_is_with_the_zero_point(tmp_path):
    layer = _only(_load(CASES["PAD, int8"](), tmp_path), "padding")
    assert layer.attrs == {"front": 0, "top": 1, "left": 2, "mode": 0, "value": float(INPUT_ZERO)}


@pytest.mark.parametrize(
    ("name", "op", "attrs"),
    [
        ("CONCATENATION c, int8", "concat", {"axis": 0}),
        ("CONCATENATION h, float32", "concat", {"axis": 1}),
        ("SOFTMAX, float32", "softmax", {"axis": 2}),
        ("SOFTMAX image, float32", "softmax", {"axis": 0}),
        ("STRIDED_SLICE, int8", "slice", {"start_h": 1, "start_w": 1, "step_c": 1, "step_h": 2, "step_w": 3}),
        ("FULLY_CONNECTED rows, int8", "inner_product_int8", {"per_row": 1, "weight_zero": 0}),
        ("FULLY_CONNECTED, float32", "inner_product", {"per_row": 0, "activation": 1}),
        ("TRANSPOSE, int8", "permute", {"perm": (0, 3, 1, 2)}),
        ("QUANTIZE, float32 to int8", "quantize", {"scale": float(np.float32(INPUT_SCALE))}),
        ("MEAN, float32", "pooling", {"kind": 1, "kernel_h": 6, "kernel_w": 5}),
    ],
)  # fmt: skip
def test_attributes(name, op, attrs, tmp_path):
    assert attrs.items() <= _only(_load(CASES[name](), tmp_path), op).attrs.items()


@pytest.mark.parametrize("transform", (_HALF_PIXEL, _ASYMMETRIC))
def test_whole_factors_take_the_neighbours_that_tflite_takes(transform):
    for before in range(1, 129):
        for after in [before * factor for factor in range(1, 9)]:
            scale = np.float32(_exact_scale(transform, before, after))
            ours = _interp_indices(transform, before, after, scale)
            assert (ours == _tflite_indices(transform, before, after)).all(), (before, after)


# Values that are known while importing


def test_an_open_batch_is_one_andshape_computations_are_folded(tmp_path):
    graph = _load(shape_computation(), tmp_path)
    assert [layer.op for layer in graph.layers] == ["reshape"]
    assert [graph.tensor(name).shape for name in (*graph.inputs, *graph.outputs)] == [(1, 6, 5, 4), (1, 120)]


@pytest.mark.parametrize("dtype", ("FLOAT16", "INT8"))
def test_dequantised_weights_become_float32(dtype, tmp_path):
    made = TFLiteModel()
    x, y = made.tensor((1, 3), "FLOAT32"), made.tensor((1, 2), "FLOAT32")
    if dtype == "FLOAT16":
        w = made.tensor((2, 3), dtype, data=np.arange(6, dtype=np.float16).reshape(2, 3))
    else:
        w = made.tensor((2, 3), dtype, [0.5, 0.25], 0, 0, np.int8([[0, 2, 4], [12, 16, 20]]))
    expanded = made.tensor((2, 3), "FLOAT32")
    made.operator("DEQUANTIZE", [w], [expanded], "DequantizeOptions")
    made.operator("FULLY_CONNECTED", [x, expanded, -1], [y], "FullyConnectedOptions")
    graph = _load(made.build([x], [y]), tmp_path)
    weight = graph.tensor(_only(graph, "inner_product").inputs[1])
    assert weight.dtype == np.float32 and weight.data.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_another_input_size_changes_every_shape(tmp_path):
    graph = _load(CASES["AVERAGE_POOL_2D, float32"](), tmp_path, input_shapes={"t0": (1, 12, 9, 4)})
    assert graph.tensor("t1").shape == (1, 6, 5, 4)


# Refusals


def _two_unsupported() -> bytes:
    made = TFLiteModel()
    a, b, c, d = (made.tensor(IMAGE, "FLOAT32") for _ in range(4))
    made.operator("LOCAL_RESPONSE_NORMALIZATION", [a], [b], "LocalResponseNormalizationOptions")
    made.operator("RELU", [b], [c])
    made.operator("REVERSE_V2", [c], [d], "CumsumOptions")
    return made.build([a], [d])


def test_every_unsupported_operator_is_named_at_once(tmp_path):
    text = _refusal(_two_unsupported(), tmp_path)
    assert "2 layers are not supported" in text
    assert "LOCAL_RESPONSE_NORMALIZATION (operator 0) 't1'" in text and "REVERSE_V2 (operator 2) 't3'" in text


def test_cutting_the_graph_before_them_makes_it_supported(tmp_path):
    content = _two_unsupported()
    assert "no operator makes a blob named 't9'" in _refusal(content, tmp_path, outputs=["t9"])
    assert "1 layer is not supported" in _refusal(content, tmp_path, outputs=["t2"])


@pytest.mark.parametrize("kind", "CONV_3D REVERSE_V2 GATHER_ND LSTM UNIDIRECTIONAL_SEQUENCE_RNN".split())
def test_operators_without_a_kernel(kind, tmp_path):
    assert f"{kind} (operator 0)" in _refusal(model(kind, [IMAGE], [IMAGE]), tmp_path)


def _hybrid() -> bytes:
    made = TFLiteModel()
    x, y = made.tensor((1, 3), "FLOAT32"), made.tensor((1, 2), "FLOAT32")
    w = made.tensor((2, 3), "INT8", 0.5, data=np.ones((2, 3), np.int8))
    made.operator("FULLY_CONNECTED", [x, w, -1], [y], "FullyConnectedOptions")
    return made.build([x], [y])


def _wrong_axis() -> bytes:
    made = TFLiteModel()
    x, y = made.tensor((1, 2), "INT8", 0.5), made.tensor((1, 2), "INT8", 0.5)
    w = made.tensor((2, 2), "INT8", [0.5, 0.25], 0, 1, np.ones((2, 2), np.int8))
    made.operator("FULLY_CONNECTED", [x, w, -1], [y], "FullyConnectedOptions")
    return made.build([x], [y])


_BILINEAR = "ResizeBilinearOptions"
_REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "hybrid weights": (_hybrid, "dynamic range quantisation"),
    "uint8": (lambda: model("RELU", [IMAGE], [IMAGE], dtype="UINT8"), "older quantisation"),
    "int16": (lambda: model("RELU", [IMAGE], [IMAGE], dtype="INT16"), "16 bits"),
    "scales of the wrong axis": (_wrong_axis, "scales along axis 1; axis 0 is expected"),
    "bilinear with another scale": (
        lambda: model("RESIZE_BILINEAR", [IMAGE, ints(3, 3)], [(1, 3, 3, 4)], _BILINEAR, "INT8"),
        "different scales",
    ),
    "fused tanh": (lambda: conv("FLOAT32", FusedActivationFunction=4), "fused activation TANH"),
    "another shape": (lambda: model("RELU", [IMAGE], [(1, 6, 5, 3)]), "should have shape (1, 6, 5, 3)"),
    "an open width": (lambda: model("RELU", [(-1, 6, -1, 4)], [IMAGE]), "--input-shape t0=1,6,?,4"),
}  # fmt: skip


@pytest.mark.parametrize("name", _REFUSED)
def test_refusals_say_why(name, tmp_path):
    make, reason = _REFUSED[name]
    assert reason in _refusal(make(), tmp_path)
