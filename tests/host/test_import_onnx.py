"""The ONNX importer: each operator gives what onnxruntime gives, blob by blob; refusals say why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from host_tools.graph import ConversionError, Graph
from host_tools.importers import load_model
from host_tools.importers.onnx.operators import TABLE
from tests.host.graph_oracle import assert_same_blobs, engine_blobs, onnx_blobs, random_inputs
from tests.host.onnx_choosing_models import CHOOSING_CASES
from tests.host.onnx_models import CASES, IMAGE, floats, ints, model, newest_opset, node
from tests.models.shared import shared

DIGITS = Path(__file__).resolve().parents[2] / "host_tools" / "demo" / "digits.onnx"
NEWEST = 99  # stands for the newest opset that onnxruntime knows
OPSETS = (7, 11, 13, 17, NEWEST)
ALL_CASES = CASES | CHOOSING_CASES


def _load(made: ModelProto, folder: Path, **options) -> Graph:
    path = folder / "small.onnx"
    onnx.save(made, path)
    return load_model(path, **options)


def _refusal(made: ModelProto, folder: Path, **options) -> str:
    with pytest.raises(ConversionError) as caught:
        _load(made, folder, **options)
    return str(caught.value)


def _compare(path: Path, made: ModelProto) -> None:
    inputs = random_inputs(load_model(path))
    reference = onnx_blobs(made, inputs)
    for fuse in (False, True):
        graph = load_model(path)
        named = {tensor.name for tensor in graph.blobs()} - set(graph.states)
        ours = engine_blobs(graph, inputs, fuse=fuse)
        assert_same_blobs(graph, ours, reference)
        assert fuse or set(ours) == named
        assert all(new in ours for new in graph.fused.values())


# Values


@pytest.mark.parametrize(
    ("name", "opset"),
    [(name, opset) for name, (since, _) in ALL_CASES.items() for opset in OPSETS if opset >= since],
)
def test_every_blob_is_what_onnxruntime_computes(name, opset, tmp_path):
    made = ALL_CASES[name][1](newest_opset() if opset == NEWEST else opset)
    path = tmp_path / "small.onnx"
    onnx.save(made, path)
    _compare(path, made)


@pytest.mark.parametrize("axis", (0, 1, 2, 3))
@pytest.mark.parametrize("opset", (7, 11))
def test_softmax_before_opset_13_is_over_all_axes_from_its_own_on(axis, opset, tmp_path):
    made = model([node("Softmax", "x", "y", axis=axis)], IMAGE, opset=opset)
    path = tmp_path / "small.onnx"
    onnx.save(made, path)
    _compare(path, made)


def test_the_demonstration_network_gives_the_same_in_every_blob():
    _compare(DIGITS, onnx.load(DIGITS))


def test_a_real_keyword_network_gives_the_same_in_every_blob():
    path = shared("models/mlonmcu/micro_kws_m_static_fp32.onnx")
    _compare(path, onnx.load(path))


def test_every_operator_of_the_table_has_a_case():
    used = {
        n.op_type for since, build in ALL_CASES.values() for at in {since, 17} for n in build(max(at, since)).graph.node
    }
    assert set(TABLE) <= used | {"Upsample"} | {"Swish"}  # onnxruntime does not know it yet: test_onnx_backend.py


# Names and shapes


def test_every_blob_keeps_its_name_and_shape(tmp_path):
    graph = _load(CASES["dropout and identity"][1](13), tmp_path)
    assert {t.name: t.shape for t in graph.blobs()} == dict.fromkeys("xrdiy", (1, 3, 7, 6))
    assert (graph.inputs, graph.outputs) == (["x"], ["y"])


def test_an_open_batch_becomes_1(tmp_path):
    graph = _load(model([node("Relu", "x", "y")], {"x": ("N", 3, 8, 8)}), tmp_path)
    assert graph.tensor("y").shape == (1, 3, 8, 8)


def test_another_open_dimension_is_an_error_that_names_the_option(tmp_path):
    text = _refusal(model([node("Relu", "x", "y")], {"x": ("N", 3, "height", 8)}), tmp_path)
    assert "(N,3,height,8)" in text and "--input-shape x=1,3,?,8" in text


def test_input_shapes_fix_open_dimensions_and_shapes_behind_them(tmp_path):
    made = model([node("GlobalAveragePool", "x", "p"), node("Flatten", "p", "y")], {"x": ("N", 3, "h", "w")})
    graph = _load(made, tmp_path, input_shapes={"x": (1, 3, 9, 5)})
    assert [t.shape for t in graph.blobs()] == [(1, 3, 9, 5), (1, 3, 1, 1), (1, 3)]


def test_input_shapes_replace_a_stated_shape(tmp_path):
    made = model([node("Relu", "x", "y")], IMAGE)
    assert _load(made, tmp_path, input_shapes={"x": (1, 3, 4, 4)}).tensor("y").shape == (1, 3, 4, 4)


def test_an_unknown_input_in_input_shapes_names_the_inputs(tmp_path):
    text = _refusal(model([node("Relu", "x", "y")], IMAGE), tmp_path, input_shapes={"z": (1,)})
    assert "'z'" in text and "the inputs are x" in text


def test_initializers_listed_among_the_inputs_are_no_inputs(tmp_path):
    made = model([node("Conv", "x w", "y")], IMAGE, {"w": floats(4, 3, 3, 3)})
    made.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, (4, 3, 3, 3)))
    assert _load(made, tmp_path).inputs == ["x"]


def test_layers_are_named_after_their_nodes_or_their_outputs(tmp_path):
    made = model([node("Relu", "x", "r"), node("Sigmoid", "r", "y")], IMAGE)
    made.graph.node[1].name = ""
    assert [layer.name for layer in _load(made, tmp_path).layers] == ["Relu of x", "y"]


def test_a_derived_name_never_takes_one_of_the_source(tmp_path):
    """A 1-D convolution needs reshapes, whose blobs get names like these."""
    taken = "Conv of x.reshape"
    nodes = [node("Conv", "x w", "c"), helper.make_node("Relu", ["c"], [taken], name="r")]
    graph = _load(model(nodes, {"x": (1, 3, 9)}, {"w": floats(4, 3, 3)}), tmp_path)
    assert graph.outputs == [taken] and len({t.name for t in graph.blobs()}) == 5


def test_outputs_cut_the_graph_before_support_is_checked(tmp_path):
    made = model([node("Relu", "x", "r"), node("NonZero", "r", "y")], IMAGE)
    graph = _load(made, tmp_path, outputs=["r"])
    assert graph.outputs == ["r"] and [layer.op for layer in graph.layers] == ["activation"]


def test_an_unknown_output_names_near_ones(tmp_path):
    made = model([node("Relu", "x", "scores")], IMAGE)
    assert "near names are scores" in _refusal(made, tmp_path, outputs=["score"])


# Refusals


def test_all_unsupported_operators_are_named_at_once(tmp_path):
    nodes = [
        node("Det", "x", "a"),
        helper.make_node("MyOwn", ["a"], ["b"], name="own", domain="my.domain"),
        helper.make_node("NotAnOperator", ["b"], ["c"], name="strange"),
        node("Relu", "c", "d"),
        node("Conv", "x w", "e"),
        node("GRU", "x w w", "f", hidden_size=3),
    ]
    constants = {
        "w": floats(4, 3, 1, 1),
    }
    made = model(nodes, IMAGE, constants, outputs=["d", "e", "f"])
    made.opset_import.append(helper.make_opsetid("my.domain", 1))
    text = _refusal(made, tmp_path)
    assert "4 layers are not supported" in text
    for expected in (
        "Det 'Det of x': there is no such layer",
        "MyOwn 'own': operators of the domain 'my.domain'",
        "NotAnOperator 'strange'",
        "GRU 'GRU of x'",
    ):
        assert expected in text
    assert "Relu" not in text and "Conv" not in text


REFUSED = {
    "weights computed at run time": (
        [node("Conv", "x z", "y")],
        {"x": (1, 3, 7, 6), "z": (4, 3, 1, 1)},
        {},
        "its weight 'z' is computed at run time",
    ),
    "a batch": ([node("MaxPool", "x", "y", kernel_shape=(2, 2))], {"x": (2, 3, 4, 4)}, {}, "batch 2"),
    "three axes of windows": (
        [node("MaxPool", "x", "y", kernel_shape=(2, 2, 2))],
        {"x": (1, 3, 4, 4, 4)},
        {},
        "windows over one or two axes",
    ),
    "indices of max pool": (
        [helper.make_node("MaxPool", ["x"], ["y", "i"], name="p", kernel_shape=(2, 2))],
        IMAGE,
        {},
        "second output",
    ),
    "a backward slice": (
        [node("Slice", "x s e a t", "y")],
        IMAGE,
        {"s": ints(-1), "e": ints(-7), "a": ints(3), "t": ints(-1)},
        "step -1",
    ),
    "broadcasting inside c": (
        [node("Add", "x z", "y")],
        {"x": (1, 2, 3, 4, 5), "z": (1, 1, 3, 4, 5)},
        {},
        "broadcast along some of the axes before height only",
    ),
    "an integer blob": (
        [node("Cast", "x", "i", to=6), node("Relu", "i", "y")],
        IMAGE,
        {},
        "'i' is INT32; only float32",
    ),
    "the last of equal elements": (
        [node("ArgMax", "x", "y", axis=1, select_last_index=1)],
        IMAGE,
        {},
        "the last of equal elements",
    ),
    "a size that is no whole number": (
        [node("Resize", "x - s", "y", mode="linear", coordinate_transformation_mode="align_corners")],
        IMAGE,
        {"s": np.array([1, 1, 0.6, 0.6], np.float32)},
        "scales that do not give whole sizes",
    ),
    "wrapping padding": (
        [node("Pad", "x p", "y", mode="wrap")],
        IMAGE,
        {"p": ints(0, 0, 1, 1, 0, 0, 1, 1)},
        "mode 'wrap'",
    ),
    "a shape that depends on values": (
        [node("NonZero", "x", "n"), node("Shape", "n", "s"), node("Reshape", "x s", "y")],
        IMAGE,
        {},
        "NonZero 'NonZero of x'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_expressed_is_refused_with_its_reason(case, tmp_path):
    nodes, inputs, constants, expected = REFUSED[case]
    opset = 19 if "wrapping" in case else 17
    assert expected in _refusal(model(nodes, inputs, constants, opset=opset), tmp_path)


def test_a_double_precision_model_is_refused(tmp_path):
    made = model([node("Relu", "x", "y")], IMAGE)
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    assert "input 'x' is DOUBLE; nnmicro imports float32 models" in _refusal(made, tmp_path)


def test_an_output_that_does_not_depend_on_an_input_is_refused(tmp_path):
    made = model([node("Relu", "x", "r"), node("Relu", "k", "y")], IMAGE, {"k": floats(3)}, outputs=["r", "y"])
    assert "output 'y' does not depend on any input" in _refusal(made, tmp_path)


# Files


def test_an_extension_that_is_not_known_names_those_that_are(tmp_path):
    with pytest.raises(ConversionError, match=r"model\.pt: .*\.onnx.*\.param"):
        load_model(tmp_path / "model.pt")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ConversionError, match="no such file"):
        load_model(tmp_path / "model.onnx")


def test_weights_do_not_go_with_onnx(tmp_path):
    onnx.save(model([node("Relu", "x", "y")], IMAGE), tmp_path / "m.onnx")
    with pytest.raises(ConversionError, match="carries its weights"):
        load_model(tmp_path / "m.onnx", tmp_path / "m.bin")


@pytest.mark.parametrize("content", (b"", b"\x00" * 100, b"hello, this is text\n" * 30, b"\x89PNG\r\n\x1a\n"))
def test_a_file_that_is_not_onnx_is_an_error(content, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ConversionError, match=r"m\.onnx: .*ONNX"):
        load_model(path)


def test_a_truncated_file_is_an_error(tmp_path):
    data = DIGITS.read_bytes()
    path = tmp_path / "m.onnx"
    for length in (10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ConversionError):
            load_model(path)


def test_a_name_that_is_not_utf_8_is_an_error(tmp_path):
    made = model([node("Relu", "x", "y")], IMAGE).SerializeToString()
    path = tmp_path / "m.onnx"
    path.write_bytes(made.replace(b"Relu of x", b"\xffelu of x"))
    with pytest.raises(ConversionError, match="not valid UTF-8"):
        load_model(path)


def test_missing_external_weights_are_an_error_that_names_them(tmp_path):
    made = model([node("Conv", "x w", "y")], IMAGE, {"w": floats(4, 3, 3, 3)})
    onnx.save(made, tmp_path / "m.onnx", save_as_external_data=True, location="m.weights", size_threshold=0)
    assert load_model(tmp_path / "m.onnx").outputs == ["y"]
    (tmp_path / "m.weights").unlink()
    with pytest.raises(ConversionError, match=r"external weights.*m\.weights"):
        load_model(tmp_path / "m.onnx")


def test_an_opset_that_is_too_old_says_what_to_do(tmp_path):
    assert "nnmicro reads 7 and newer" in _refusal(model([node("Relu", "x", "y")], IMAGE, opset=6), tmp_path)


def test_an_opset_from_the_future_says_what_to_do(tmp_path):
    made = model([node("Relu", "x", "y")], IMAGE)
    made.opset_import[0].version = 999
    assert "upgrade it" in _refusal(made, tmp_path)


def test_a_model_function_is_inlined(tmp_path):
    body = helper.make_function("mine", "Twice", ["a"], ["b"], [node("Add", "a a", "b")], [helper.make_opsetid("", 17)])
    made = model([helper.make_node("Twice", ["x"], ["y"], domain="mine")], IMAGE)
    made.opset_import.append(helper.make_opsetid("mine", 1))
    made.functions.append(body)
    graph = _load(made, tmp_path)
    assert [layer.op for layer in graph.layers] == ["binary_op"] and graph.outputs == ["y"]
