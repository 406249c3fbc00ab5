"""Quantised ONNX models: each layer gives what onnxruntime gives, to one step of its scale; refusals say why.

Each layer, or each few that the source has as one, is given the numbers that onnxruntime computed before it,
so that one layer's rounding is not counted against the next.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, NodeProto, TensorProto, helper

import nnmicro
from host_tools import demo
from host_tools.convert import to_nnm
from host_tools.graph import ConversionError, Graph
from host_tools.importers import load_model
from tests.host.graph_oracle import onnx_blobs, random_inputs
from tests.host.onnx_int8_models import assert_layers_agree, quantised, run_raw
from tests.host.onnx_models import CASES, IMAGE, model, node
from tests.models.shared import shared

pytest.importorskip("onnxruntime")
from onnxruntime.quantization import (  # noqa: E402
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: E402

DEMO = Path(demo.__file__).parent
Blobs = dict[str, np.ndarray]


def _load(made: ModelProto, folder: Path) -> Graph:
    path = folder / "small.onnx"
    onnx.save(made, path)
    return load_model(path)


def _ops(graph: Graph) -> list[str]:
    return [layer.op for layer in graph.layers]


@pytest.mark.parametrize("keep_scales", (True, False))
@pytest.mark.parametrize("dtype", (np.int8, np.uint8))
@pytest.mark.parametrize("name", [name for name in CASES if "upsample" not in name])
def test_every_operator_between_quantised_blobs_agrees_with_onnxruntime(name, dtype, keep_scales, tmp_path):
    since, build = CASES[name]
    made = quantised(build(max(since, 17)), dtype, keep_scales)
    path = tmp_path / "small.onnx"
    onnx.save(made, path)
    counts = assert_layers_agree(path, onnx_blobs(made, random_inputs(load_model(path))))
    assert counts["values"]


# Models that onnxruntime's own quantiser made


class _Samples(CalibrationDataReader):
    def __init__(self, samples: list[Blobs]) -> None:
        self._samples = iter(samples)

    def get_next(self) -> Blobs | None:
        return next(self._samples, None)


def _by_onnxruntime(source: Path, made: Path, samples: list[Blobs], form: QuantFormat, kind: QuantType) -> None:
    """Weights of 8 bits by channel, symmetric; activations of `kind`."""
    quantize_static(
        str(source),
        str(made),
        _Samples(samples),
        form,
        per_channel=True,
        activation_type=kind,
        weight_type=QuantType.QInt8,
    )


QOPERATORS = {
    "conv": "QLinearConv",
    "conv depthwise": "QLinearConv",
    "conv 1-D": "QLinearConv",
    "gemm transB": "QGemm",
    "gemm": "QGemm",
    "matmul of rows": "QLinearMatMul",
    "add": "QLinearAdd",
    "mul gate": "QLinearMul",
    "average pool": "QLinearAveragePool",
    "average pool counting pads": "QLinearAveragePool",
    "sigmoid": "QLinearSigmoid",
    "leaky relu": "QLinearLeakyRelu",
    "concat channels": "QLinearConcat",
    "softmax of a row": "QLinearSoftmax",
    "max pool": "MaxPool",
    "reshape": "Reshape",
    "transpose": "Transpose",
    "split": "Split",
    "resize nearest": "Resize",
    "squeeze": "Squeeze",
}


@pytest.mark.parametrize("kind", (QuantType.QInt8, QuantType.QUInt8))
@pytest.mark.parametrize("name", QOPERATORS)
def test_operators_on_quantised_blobs_agree_with_onnxruntime(name, kind, tmp_path):
    source, path = tmp_path / "float.onnx", tmp_path / "small.onnx"
    onnx.save(CASES[name][1](13), source)
    inputs = [random_inputs(load_model(source), seed) for seed in range(4)]
    _by_onnxruntime(source, path, inputs, QuantFormat.QOperator, kind)
    model_made = onnx.load(path)
    assert QOPERATORS[name] in {n.op_type for n in model_made.graph.node}
    assert_layers_agree(path, onnx_blobs(model_made, inputs[0]))


@pytest.mark.parametrize("form", (QuantFormat.QDQ, QuantFormat.QOperator))
@pytest.mark.parametrize("kind", (QuantType.QInt8, QuantType.QUInt8))
def test_the_demonstration_network_agrees_in_both_forms_and_types(form, kind, tmp_path):
    source, path = tmp_path / "float.onnx", tmp_path / "digits.onnx"
    quant_pre_process(str(DEMO / "digits.onnx"), str(source), skip_symbolic_shape=True)
    scans = np.load(DEMO / "digits_heldout.npz")["images"].astype(np.float32).reshape(-1, 1, 1, 8, 8)
    _by_onnxruntime(source, path, [{"image": scan} for scan in scans[40:90]], form, kind)
    made = onnx.load(path)
    assert_layers_agree(path, onnx_blobs(made, {"image": scans[0]}))
    assert not {"convolution", "inner_product", "binary_op", "pooling"} & set(_ops(load_model(path)))
    for scan in scans[:10]:
        scores = run_raw(load_model(path), {"image": scan}, fuse=True)[0]
        assert scores.argmax() == onnx_blobs(made, {"image": scan})["scores"].argmax()


@pytest.mark.slow
def test_a_real_keyword_network_agrees_layer_by_layer_and_in_its_answers():
    path = shared("models/mlonmcu/micro_kws_m_static_qdq.onnx")
    made = onnx.load(path)
    for seed in range(3):
        inputs = random_inputs(load_model(path), seed)
        reference = onnx_blobs(made, inputs)
        if not seed:
            counts = assert_layers_agree(path, reference)
            assert counts["blobs"] == 16 and counts["one step apart"] < counts["values"] / 500
        scores = run_raw(load_model(path), inputs, fuse=True)[0]
        assert scores.argmax() == reference["StatefulPartitionedCall:0"].argmax()


# Which layers come out


def _wrapped(
    nodes: list[NodeProto],
    constants: Blobs | None = None,
    dtype: type = np.int8,
    shape: tuple[int, ...] = (1, 3, 7, 6),
    **options,
) -> ModelProto:
    """Nodes from the float blob `a`, dequantised from the model's input, to the output `y`."""
    terms = {"s": np.float32(0.02), "z": np.array(3, dtype), "s2": np.float32(0.05), "z2": np.array(9, dtype)}
    crossing = [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "a")]
    made = model([*crossing, *nodes], {"x": shape}, {**terms, **(constants or {})}, **options)
    integers = {n.output[0] for n in nodes if n.op_type == "QuantizeLinear"}
    for output in made.graph.output:
        if output.name in integers:
            output.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return made


def test_a_relu_before_quantising_becomes_a_bound(tmp_path):
    nodes = [
        node("Add", "a a2", "b"),
        node("Relu", "b", "r"),
        node("QuantizeLinear", "r s2 z2", "y"),
    ]
    first = [node("QuantizeLinear", "x s2 z2", "q2"), node("DequantizeLinear", "q2 s2 z2", "a2")]
    graph = _load(_wrapped([*first, *nodes]), tmp_path)
    assert _ops(graph) == ["quantize", "quantize", "binary_int8"]
    assert (graph.layers[-1].attrs["activation_min"], graph.layers[-1].attrs["activation_max"]) == (9, 127)
    assert graph.fused["b"] == graph.fused["r"] == "y"


def test_a_clip_before_quantising_becomes_two_bounds(tmp_path):
    nodes = [
        node("GlobalMaxPool", "a", "b"),
        node("Clip", "b lo hi", "r"),
        node("QuantizeLinear", "r s2 z2", "y"),
    ]
    graph = _load(_wrapped(nodes, {"lo": np.float32(-1), "hi": np.float32(2)}), tmp_path)
    attrs = graph.layers[-1].attrs
    assert (attrs["activation_min"], attrs["activation_max"]) == (9 - 20, 9 + 40)


@pytest.mark.parametrize("op", ("Tanh", "HardSwish", "Elu", "Erf", "Softplus"))
def test_a_function_of_one_number_becomes_a_table_even_without_a_float_layer(op, tmp_path):
    made = _wrapped([node(op, "a", "b"), node("QuantizeLinear", "b s2 z2", "y")])
    path = tmp_path / "small.onnx"
    onnx.save(made, path)
    assert _ops(load_model(path)) == ["quantize", "table_int8"]
    counts = assert_layers_agree(path, onnx_blobs(made, random_inputs(load_model(path), low=-3, high=3)))
    assert counts["values"] == 2 * 126


def test_a_change_of_scale_becomes_a_table(tmp_path):
    graph = _load(_wrapped([node("QuantizeLinear", "a s2 z2", "y")]), tmp_path)
    assert _ops(graph) == ["quantize", "table_int8"]


def test_what_int8_cannot_express_stays_in_float_between_crossings(tmp_path):
    nodes = [node("Resize", "a - k", "b", mode="linear"), node("QuantizeLinear", "b s2 z2", "y")]
    graph = _load(_wrapped(nodes, {"k": np.array([1, 1, 2, 2], np.float32)}), tmp_path)
    assert _ops(graph) == ["quantize", "dequantize", "interp", "quantize"]


def test_a_float_output_of_a_quantised_operator_keeps_the_operator_in_float(tmp_path):
    nodes = [node("Sigmoid", "a", "b"), node("QuantizeLinear", "b s2 z2", "y")]
    graph = _load(_wrapped(nodes, outputs=["y", "b"]), tmp_path)
    assert _ops(graph) == ["quantize", "dequantize", "activation", "quantize"] and graph.outputs == ["y", "b"]


def test_two_quantised_forms_of_one_result_share_their_numbers(tmp_path):
    quantise = [node("QuantizeLinear", "b s2 z2", name) for name in ("y", "y2")]
    graph = _load(_wrapped([node("Sigmoid", "a", "b"), *quantise], outputs=["y", "y2"]), tmp_path)
    assert _ops(graph) == ["quantize", "table_int8", "share"]


@pytest.mark.parametrize(("dtype", "zero"), ((np.int8, 3), (np.uint8, 3 - 128)))
def test_a_quantised_input_is_int8_and_an_unsigned_one_lies_128_lower(dtype, zero, tmp_path):
    nodes = [node("Flatten", "x", "f"), node("DequantizeLinear", "f s z", "y")]
    made = model(nodes, {"x": (1, 3, 2)}, {"s": np.float32(0.5), "z": np.array(3, dtype)})
    made.graph.input[0].type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = _load(made, tmp_path)
    quantisation = graph.tensor("x").quantisation
    assert graph.tensor("x").dtype == np.int8 and quantisation is not None
    assert (quantisation.scales.tolist(), quantisation.zero_points.tolist()) == ([0.5], [zero])
    numbers = np.arange(6).astype(dtype).reshape(1, 3, 2)
    assert np.array_equal(run_raw(graph, {"x": numbers})[0], (np.arange(6) - 3).reshape(1, 6) * np.float32(0.5))


def test_a_bias_that_is_stored_in_float_is_rounded_to_the_scales_of_its_layer(tmp_path):
    constants = {
        "w": np.array([[[[2]]], [[[-4]]]], np.int8).repeat(3, 1),
        "ws": np.array([0.5, 0.25], np.float32),
    }
    constants |= {"wz": np.zeros(2, np.int8), "b": np.array([0.1, -0.02], np.float32)}
    nodes = [
        node("DequantizeLinear", "w ws wz", "wf", axis=0),
        node("Conv", "a wf b", "c"),
        node("QuantizeLinear", "c s2 z2", "y"),
    ]
    graph = _load(_wrapped(nodes, constants), tmp_path)
    bias = graph.tensor(graph.layers[-1].inputs[2]).data
    assert bias is not None and bias.tolist() == [10, -4] and bias.dtype == np.int32


@pytest.mark.parametrize(("lowest", "ops"), ((100, ["quantize", "convolution_int8"]), (0, None)))
def test_asymmetric_weights_are_made_symmetric_where_that_fits(lowest, ops, tmp_path):
    weights = np.array([lowest, 128, 200, 255], np.uint8).reshape(4, 1, 1, 1).repeat(3, 1)
    nodes = [
        node("DequantizeLinear", "w s wz", "wf"),
        node("Conv", "a wf", "c"),
        node("QuantizeLinear", "c s2 z2", "y"),
    ]
    made = _wrapped(nodes, {"w": weights, "wz": np.uint8(140)})
    path = tmp_path / "small.onnx"
    onnx.save(made, path)
    assert _ops(load_model(path)) == (ops or ["quantize", "dequantize", "convolution", "quantize"])
    assert_layers_agree(path, onnx_blobs(made, random_inputs(load_model(path))))


# Refusals


def _refusal(made: ModelProto, folder: Path) -> str:
    with pytest.raises(ConversionError) as caught:
        _load(made, folder)
    return str(caught.value)


def test_scales_that_are_found_at_run_time_are_refused(tmp_path):
    nodes = [
        node("DynamicQuantizeLinear", "x", "q s z"),
        node("ConvInteger", "q w", "y"),
    ]
    text = _refusal(model(nodes, IMAGE, {"w": np.ones((2, 3, 1, 1), np.uint8)}), tmp_path)
    assert "2 layers are not supported" in text and "quantise the model statically" in text


@pytest.mark.parametrize(
    ("changes", "reason"),
    (
        ({"z": np.array(0, np.int16)}, "quantised to int16"),
        ({"s": np.ones(3, np.float32), "z": np.zeros(3, np.int8)}, "3 scales"),
        ({"s": np.float32(-1)}, "not a positive number"),
        ({"s": np.float32(np.nan)}, "not a positive number"),
    ),
)
def test_blobs_that_are_quantised_otherwise_are_refused(changes, reason, tmp_path):
    nodes = [node("Relu", "a", "b"), node("QuantizeLinear", "b s2 z2", "y")]
    assert reason in _refusal(_wrapped(nodes, changes, opset=21), tmp_path)


def test_arithmetic_on_integers_themselves_is_refused(tmp_path):
    text = _refusal(_wrapped([node("Add", "q q", "y")]), tmp_path)
    assert "'q' is int8 or uint8; on such numbers themselves this operator is not supported" in text


def test_an_input_without_a_scale_is_refused(tmp_path):
    made = model([node("Flatten", "x", "y")], {"x": (1, 3, 2)})
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.INT8
    assert "no DequantizeLinear" in _refusal(made, tmp_path)


# Damage


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(("conv, batch norm, relu", "gemm", "concat channels", "split")), st.booleans(), st.data())
def test_a_damaged_quantised_file_gives_a_graph_or_a_refusal(name, by_operators, data):
    changed = bytearray(_damageable(name, by_operators))
    for _ in range(data.draw(st.integers(0, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        path.write_bytes(bytes(changed))
        try:
            nnmicro.Net(to_nnm(load_model(path)))
        except ConversionError as refused:
            assert str(refused)


@cache
def _damageable(name: str, by_operators: bool) -> bytes:
    if not by_operators:
        return quantised(CASES[name][1](17)).SerializeToString()
    with tempfile.TemporaryDirectory() as folder:
        source, path = Path(folder) / "float.onnx", Path(folder) / "made.onnx"
        onnx.save(CASES[name][1](13), source)
        inputs = [random_inputs(load_model(source))]
        _by_onnxruntime(source, path, inputs, QuantFormat.QOperator, QuantType.QInt8)
        return path.read_bytes()
