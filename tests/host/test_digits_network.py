"""The demonstration network: honest data, the accuracy its README states, the shape the engine's demo needs.

Figures of memory and of multiply-accumulates are worked out here from the ONNX file alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from host_tools.demo import train_digits

DEMO = Path(train_digits.__file__).parent
README = (DEMO / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def held_out() -> dict[str, np.ndarray]:
    with np.load(DEMO / "digits_heldout.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def model():
    onnx = pytest.importorskip("onnx")
    loaded = onnx.load(DEMO / "digits.onnx")
    onnx.checker.check_model(loaded, full_check=True)
    return loaded


@pytest.fixture(scope="module")
def shapes(model) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor that is not a weight."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    return {
        value.name: tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.value_info, *graph.output)
    }


def test_the_held_out_file_is_what_scikit_learn_has_at_the_indexes_of_the_fixed_split(held_out):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    images, labels = train_digits.load_scans()
    _, chosen = train_digits.split(labels)
    assert np.array_equal(held_out["indexes"], chosen)
    assert np.array_equal(held_out["images"], images[chosen])
    assert np.array_equal(held_out["labels"], labels[chosen])


def test_no_held_out_scan_is_trained_on_neither_by_index_nor_by_its_pixels(held_out):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    images, labels = train_digits.load_scans()
    training, chosen = train_digits.split(labels)
    assert sorted([*training, *chosen]) == list(range(len(labels)))
    assert not set(training) & set(held_out["indexes"].tolist())
    assert not {images[i].tobytes() for i in training} & {scan.tobytes() for scan in held_out["images"]}


def test_validation_folds_are_made_of_training_scans_only():
    training = np.arange(0, 100, 2)
    parts = list(train_digits.folds(training, 5))
    assert sorted(np.concatenate([validation for _, validation in parts])) == training.tolist()
    for part, validation in parts:
        assert sorted([*part, *validation]) == training.tolist()


def test_the_held_out_scans_are_raw_pixels_as_many_of_each_digit(held_out):
    assert held_out["images"].dtype == held_out["labels"].dtype == np.uint8
    assert held_out["images"].shape == (360, 8, 8)
    assert held_out["images"].max() == 16
    assert Counter(held_out["labels"].tolist()) == dict.fromkeys(range(10), 36)


def test_the_labels_are_the_ten_digits_one_a_line():
    assert (DEMO / "digits_labels.txt").read_text().split("\n") == [*map(str, range(10)), ""]


def test_onnx_runtime_reaches_the_accuracy_that_the_readme_states(held_out):
    pytest.importorskip("onnxruntime")
    scores = train_digits.onnx_scores((DEMO / "digits.onnx").read_bytes(), held_out["images"])
    right = int((scores.argmax(axis=1) == held_out["labels"]).sum())
    accuracy = 100 * right / len(scores)
    assert accuracy > 97
    assert f"Held-out accuracy: {right} of {len(scores)} ({accuracy:.2f} %)" in README


def test_nodes_are_of_the_promised_types_with_batch_normalization_not_folded(model):
    counts = Counter(node.op_type for node in model.graph.node)
    assert counts == {
        "Conv": 7,
        "BatchNormalization": 7,
        "Relu": 5,
        "Add": 2,
        "GlobalAveragePool": 1,
        "Flatten": 1,
        "Gemm": 1,
    }


def test_the_file_is_small_static_and_named_for_people(model, shapes):
    assert (DEMO / "digits.onnx").stat().st_size < 60_000
    assert 13 <= model.opset_import[0].version <= 17
    assert shapes["image"] == (1, 1, 8, 8)
    assert shapes["scores"] == (1, 10)
    assert all(size > 0 for shape in shapes.values() for size in shape)
    assert all(weight.data_type == 1 for weight in model.graph.initializer)  # 1 is FLOAT
    for node in model.graph.node:
        assert re.fullmatch(r"[a-z][a-z0-9]*(/[a-z]+)?(/(conv|norm|relu))?", node.name)
        assert list(node.output) == [node.name] or (node.name, *node.output) == ("classifier", "scores")


def test_multiply_accumulates_are_as_the_readme_states(model, shapes):
    weights = {weight.name: list(weight.dims) for weight in model.graph.initializer}
    counts = {
        node.name: math.prod(shapes[node.output[0]][2:]) * math.prod(weights[node.input[1]])
        for node in model.graph.node
        if node.op_type in ("Conv", "Gemm")
    }
    assert train_digits.multiply_accumulates() == counts
    total = sum(counts.values())
    assert 30_000 <= total <= 45_000
    assert f"{total} multiply-accumulates" in README


def test_freeing_blobs_after_their_last_consumer_saves_what_the_readme_states(model, shapes):
    layers, sizes = fused_layers(model, shapes)
    peak, where = live_peak(layers, sizes)
    everything = sum(sizes.values())
    saved = everything / peak
    print()
    for name, size in sizes.items():
        print(f"{name:28} {size:6} bytes")
    print(f"all blobs {everything} bytes, live peak {peak} bytes at {where}: {saved:.2f} times less")
    # Leaving the caller's image out of the sum must not be what decides.
    assert (everything - sizes["image"]) / peak >= 2.2
    assert f"{everything} bytes" in README
    assert f"{peak} bytes" in README
    assert f"{saved:.2f} times" in README
    for name, size in sizes.items():
        assert re.search(rf"^\| `{name}` \|.*\| {size} \|", README, re.MULTILINE), name


Layers = list[tuple[str, str, list[str]]]


def fused_layers(model, shapes: dict[str, tuple[int, ...]]) -> tuple[Layers, dict[str, int]]:
    """Return (kind, result, inputs) of each layer, and each blob's bytes.

    A BatchNormalization or Relu is the end of the convolution before it, and Flatten is another view of its
    input, so none of them has a blob: the name of its output stands for the blob it belongs to.
    """
    weights = {weight.name for weight in model.graph.initializer}
    consumers = Counter(name for node in model.graph.node for name in node.input)
    blob_of = {"image": "image"}
    layers: Layers = []
    sizes = {"image": 4 * math.prod(shapes["image"])}
    for node in model.graph.node:
        inputs = [blob_of[name] for name in node.input if name not in weights]
        output = node.output[0]
        if node.op_type in ("BatchNormalization", "Relu"):
            assert consumers[node.input[0]] == 1, f"{node.input[0]} is read by others and cannot be fused"
            assert layers[-1][0] == "Conv" and layers[-1][1] == inputs[0]
            blob_of[output] = inputs[0]
        elif node.op_type == "Flatten":
            blob_of[output] = inputs[0]
        else:
            blob_of[output] = output
            layers.append((node.op_type, output, inputs))
            sizes[output] = 4 * math.prod(shapes[output])
    return layers, sizes


def live_peak(layers: Layers, sizes: dict[str, int]) -> tuple[int, str]:
    """Return the most bytes that live at once, and at which layer; an Add reuses an input that dies."""
    left = Counter(name for _, _, inputs in layers for name in inputs)
    live = {"image"}
    peak, where = 0, ""
    for kind, output, inputs in layers:
        left.subtract(inputs)
        dying = {name for name in inputs if left[name] == 0}
        if kind == "Add" and dying:
            live.remove(dying.pop())
        live.add(output)
        held = sum(sizes[name] for name in live)
        if held > peak:
            peak, where = held, output
        live -= dying
    return peak, where


def test_the_calculation_of_the_live_peak_agrees_with_one_by_hand():
    # The image makes b and c, and d = b + c takes the place of one of them; while c is made, all three live.
    layers: Layers = [("Conv", "b", ["image"]), ("Conv", "c", ["image"]), ("Add", "d", ["b", "c"])]
    assert live_peak(layers, {"image": 100, "b": 100, "c": 100, "d": 100}) == (300, "c")


def test_without_torch_the_command_says_what_to_install(monkeypatch, tmp_path):
    find = train_digits.importlib.util.find_spec
    monkeypatch.setattr(train_digits.importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    with pytest.raises(SystemExit, match=r"(?s)needs .*torch.*pip install torch"):
        train_digits.main(["--out", str(tmp_path / "digits")])
    assert not (tmp_path / "digits").exists()
