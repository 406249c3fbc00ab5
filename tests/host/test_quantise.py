"""Post-training quantisation: what it needs, what it says, and that the demonstration network keeps its
accuracy.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from rich.console import Console
from typer.testing import CliRunner

import nnmicro
from host_tools import demo
from host_tools.cli.main import app
from host_tools.convert import to_nnm
from host_tools.demo import train_digits
from host_tools.graph import ConversionError
from host_tools.importers import load_model
from tests.host.onnx_models import CASES, IMAGE, floats, model, node

pytest.importorskip("onnxruntime")
from host_tools.quantise import load_calibration, quantise_model, quantised_graph  # noqa: E402

DEMO = Path(demo.__file__).parent
DIGITS, CALIBRATION = DEMO / "digits.onnx", DEMO / "digits_calibration.npz"
SHAPES = {"image": (1, 1, 8, 8)}


@pytest.fixture(scope="module")
def digits():
    return quantised_graph(DIGITS, CALIBRATION)


# The demonstration network


def test_the_demonstration_network_keeps_its_accuracy_on_the_held_out_scans(digits):
    graph, _ = digits
    with np.load(DEMO / "digits_heldout.npz") as file:
        scans, labels = file["images"].astype(np.float32).reshape(-1, 1, 1, 8, 8), file["labels"]
    right = 0
    net = nnmicro.Net(to_nnm(graph))
    with net.extractor() as extractor:
        for scan, label in zip(scans, labels, strict=True):
            extractor.reset()
            extractor.input("image", scan)
            right += int(extractor.extract("scores").argmax() == label)
    exact = train_digits.onnx_scores(DIGITS.read_bytes(), scans.reshape(-1, 8, 8))
    exactly_right = int((exact.argmax(axis=1) == labels).sum())
    print(f"int8: {right} of {len(labels)}, float32: {exactly_right}")
    assert right >= exactly_right - len(labels) / 100


def test_its_calibration_set_is_of_training_scans_only():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    images, labels = train_digits.load_scans()
    training, held_out = train_digits.split(labels)
    with np.load(CALIBRATION) as file:
        assert np.array_equal(file["indexes"], train_digits.calibration(labels))
        assert np.array_equal(file["image"], images[file["indexes"]])
        assert set(file["indexes"].tolist()) <= set(training.tolist())
        assert not {scan.tobytes() for scan in file["image"]} & {images[i].tobytes() for i in held_out}


def test_every_layer_between_the_first_and_the_last_is_int8(digits):
    graph, report = digits
    assert report.float_layers == []
    floating = [layer.op for layer in graph.layers if graph.tensor(layer.outputs[0]).dtype == np.float32]
    assert floating == ["dequantize"]
    assert graph.layers[0].op == "quantize" and graph.outputs == ["scores"]


def test_blobs_can_be_asked_for_by_the_names_they_had_in_float(digits):
    graph, _ = digits
    assert graph.fused["stem/relu"] == "stem/relu_QuantizeLinear_Output"
    assert graph.tensor(graph.fused["stem/relu"]).dtype == np.int8


# The report


def test_the_report_gives_noise_by_layer_and_agreement(digits):
    _, report = digits
    assert report.samples == 100 and report.agreement["scores"] >= 0.98
    noise = {entry.blob: entry.sqnr_db for entry in report.layers}
    assert list(noise)[0] == "image" and list(noise)[-1] == "scores"
    assert all(value is not None and 25 < value < 80 for value in noise.values())
    assert json.loads(json.dumps(report.to_dict()))["layers"][0] == {
        "layer": "input",
        "blob": "image",
        "sqnr_db": noise["image"],
    }


def test_the_report_is_a_table_on_a_terminal(digits):
    _, report = digits
    screen = io.StringIO()
    Console(file=screen, width=100).print(report.table())
    shown = screen.getvalue()
    assert "block1/add" in shown and "dB" in shown and "same answer as in float32: scores" in shown


def test_noise_is_what_its_definition_says(tmp_path):
    made = model([node("Sigmoid", "x", "y")], {"x": (1, 4)})
    onnx.save(made, tmp_path / "m.onnx")
    x = np.array([[-1.0, 0.1234, 0.4321, 1.0]], np.float32)
    quantised, report = quantise_model(tmp_path / "m.onnx", {"x": x}, tmp_path / "q.onnx")
    constants = {t.name: onnx.numpy_helper.to_array(t) for t in quantised.graph.initializer}
    scale, zero = constants["x_scale"], constants["x_zero_point"].astype(int)
    rounded = (np.clip(np.rint(x / scale) + zero, -128, 127) - zero) * scale
    expected = 10 * np.log10((x.astype(float) ** 2).sum() / ((x.astype(float) - rounded) ** 2).sum())
    assert report.layers[0].sqnr_db == pytest.approx(expected, abs=0.01)


def test_progress_counts_the_runs():
    seen = []
    scans = np.zeros((3, 8, 8)) + np.arange(8)
    quantise_model(DIGITS, {"image": scans}, progress=lambda *state: seen.append(state))
    assert seen == [(what, i, 3) for what in ("calibrating", "measuring") for i in (1, 2, 3)]


def test_the_model_is_written_where_asked_and_can_be_imported(tmp_path):
    quantise_model(DIGITS, CALIBRATION, tmp_path / "digits_int8.onnx")
    assert "convolution_int8" in {layer.op for layer in load_model(tmp_path / "digits_int8.onnx").layers}


@pytest.mark.parametrize("name", ("conv, batch norm, relu", "mul gate", "sigmoid", "mean over h, w", "concat rows"))
def test_operators_come_out_in_int8(name, tmp_path):
    path = tmp_path / "m.onnx"
    onnx.save(CASES[name][1](17), path)
    inputs = {i: floats(4, *load_model(path).tensor(i).shape) for i in load_model(path).inputs}
    graph, _ = quantised_graph(path, inputs)
    kept = {layer.op for layer in graph.layers if graph.tensor(layer.outputs[0]).dtype == np.float32}
    assert kept <= {"dequantize"}


def test_layers_that_stay_in_float_are_named(tmp_path):
    made = model([node("Relu", "x", "r"), node("Sigmoid", "r", "y")], {"x": (1, 4)})
    onnx.save(made, tmp_path / "m.onnx")
    _, report = quantise_model(tmp_path / "m.onnx", {"x": floats(3, 4)})
    screen = io.StringIO()
    Console(file=screen, width=100).print(report.table())
    assert report.float_layers == ["Relu of x"] and "still in float32: Relu of x" in screen.getvalue()


def test_an_open_batch_and_given_shapes_are_fixed_first(tmp_path):
    made = model([node("GlobalAveragePool", "x", "y")], {"x": ("N", 3, "h", "w")})
    onnx.save(made, tmp_path / "m.onnx")
    graph, _ = quantised_graph(tmp_path / "m.onnx", {"x": floats(5, 3, 6, 4)}, input_shapes={"x": (1, 3, 6, 4)})
    assert graph.tensor("x").shape == (1, 3, 6, 4)


def test_a_model_can_be_cut_first():
    graph, report = quantised_graph(DIGITS, CALIBRATION, outputs=["block1/add"])
    assert graph.outputs == ["block1/add"] and list(report.agreement) == ["block1/add"]


# The command


def _convert(*arguments: object):
    return CliRunner().invoke(app, ["convert", *map(str, arguments)])


def test_the_command_quantises_and_reports(tmp_path):
    out = tmp_path / "digits.nnm"
    done = _convert(DIGITS, "-o", out, "--quantize", CALIBRATION, "--json")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures["quantisation"]["samples"] == 100 and figures["quantisation"]["float_layers"] == []
    assert nnmicro.Net(out.read_bytes()).arena_size < 2000


def test_the_command_shows_the_table_without_json(tmp_path):
    done = _convert(DIGITS, "-o", tmp_path / "digits.nnm", "--quantize", CALIBRATION)
    assert done.exit_code == 0 and "Noise from quantisation" in done.stderr


def test_a_calibration_set_that_does_not_fit_ends_the_command_with_a_sentence(tmp_path):
    np.savez(tmp_path / "c.npz", image=np.ones((3, 7, 7)))
    done = _convert(DIGITS, "-o", tmp_path / "digits.nnm", "--quantize", tmp_path / "c.npz")
    assert done.exit_code == 1 and "expected is (1, 1, 8, 8)" in done.stderr.replace("\n", " ")


def test_golden_vectors_of_a_quantised_model_are_refused(tmp_path):
    done = _convert(DIGITS, "-o", tmp_path / "digits.nnm", "--quantize", CALIBRATION, "--golden", 2)
    assert done.exit_code == 2 and "golden" in done.stderr


# The calibration set


@pytest.mark.parametrize("shape", ((5, 1, 1, 8, 8), (5, 1, 8, 8), (5, 8, 8)))
def test_an_array_may_leave_out_leading_ones(shape):
    assert load_calibration({"image": np.ones(shape, np.uint8)}, SHAPES).arrays["image"].shape == (
        5,
        1,
        1,
        8,
        8,
    )


@pytest.mark.parametrize("shape", ((1, 1, 8, 8), (1, 8, 8), (8, 8)))
def test_a_single_input_is_a_set_of_one(shape):
    assert len(load_calibration({"image": np.ones(shape)}, SHAPES)) == 1


def test_an_archive_for_one_input_may_call_it_something_else(tmp_path):
    np.savez(tmp_path / "c.npz", scans=np.ones((4, 8, 8)), labels=np.arange(4))
    assert len(load_calibration(tmp_path / "c.npz", SHAPES)) == 4


def test_a_folder_holds_files_named_after_their_inputs(tmp_path):
    for i in range(3):
        np.save(tmp_path / f"left_{i}.npy", np.full((1, 2), i))
        np.save(tmp_path / f"in_right_{i}.npy", np.full(3, i))
    found = load_calibration(tmp_path, {"left": (1, 2), "in/right": (1, 3)})
    assert found.arrays["left"][:, 0, 0].tolist() == found.arrays["in/right"][:, 0, 0].tolist() == [0, 1, 2]


def test_a_folder_for_one_input_may_have_any_names(tmp_path):
    for i in range(3):
        np.save(tmp_path / f"scan{i}.npy", np.full((8, 8), i))
    assert len(load_calibration(tmp_path, SHAPES)) == 3


@pytest.mark.parametrize(
    ("arrays", "text"),
    (
        ({}, "is empty: it has no arrays"),
        ({"image": np.ones((0, 1, 8, 8))}, "is empty: its arrays have no elements"),
        (
            {"image": np.ones((5, 9, 9))},
            "an array of shape (5, 9, 9) for the input 'image'; expected is (1, 1, 8, 8)",
        ),
        ({"image": np.full((8, 8), np.nan)}, "infinities or NaNs"),
        ({"image": np.array(["a"])}, "expected are numbers"),
        ({"a": np.ones((8, 8)), "b": np.ones((8, 8))}, "nothing for the input 'image' of shape (1, 1, 8, 8)"),
    ),
)
def test_what_is_wrong_with_a_set_is_a_sentence(arrays, text):
    with pytest.raises(ConversionError) as caught:
        load_calibration(arrays, SHAPES)
    assert text in str(caught.value)


def test_inputs_that_are_missing_or_fewer_are_named():
    shapes = {"a": (1, 2), "b": (1, 3)}
    with pytest.raises(ConversionError, match="nothing for the input 'b'"):
        load_calibration({"a": np.ones((4, 2))}, shapes)
    with pytest.raises(ConversionError, match="4 of a, 5 of b; every input needs as many as the others"):
        load_calibration({"a": np.ones((4, 2)), "b": np.ones((5, 3))}, shapes)


def test_files_that_are_none_of_these_are_named(tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    (tmp_path / "empty").mkdir()
    for name, text in (
        ("broken.npz", "not a readable .npz"),
        ("none.npz", "no such file"),
        ("a.txt", "an .npz file or a folder"),
        ("empty", "has no .npy files"),
    ):
        with pytest.raises(ConversionError, match=text):
            load_calibration(tmp_path / name, SHAPES)


# Models that cannot be quantised


def test_other_formats_say_what_to_do(tmp_path):
    with pytest.raises(ConversionError, match="only ONNX models can be quantised; let TensorFlow's converter"):
        quantise_model(tmp_path / "m.tflite", {})


def test_a_quantised_model_is_not_quantised_again(tmp_path):
    quantise_model(DIGITS, CALIBRATION, tmp_path / "q.onnx")
    with pytest.raises(ConversionError, match="quantised already; convert it as it is"):
        quantise_model(tmp_path / "q.onnx", CALIBRATION)


def test_what_onnxruntime_refuses_is_a_sentence(tmp_path):
    made = model([node("Softplus", "x", "a"), node("NotThere", "a", "y")], IMAGE)
    onnx.save(made, tmp_path / "m.onnx")
    with pytest.raises(ConversionError, match="m.onnx: onnxruntime cannot quantise this model"):
        quantise_model(tmp_path / "m.onnx", {"x": floats(2, 3, 7, 6)})
