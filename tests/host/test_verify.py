"""`verify`, golden vectors and the runtimes of the originals: a model that computes something else is found out."""

from __future__ import annotations

import math
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import nnmicro
from host_tools.compare import Difference, compare, everything
from host_tools.convert import Options, convert
from host_tools.device import Device, DeviceError
from host_tools.graph import ConversionError
from host_tools.model_file import ArenaFull, ModelError, ModelFile
from host_tools.originals import run_original, run_samples
from host_tools.remote.inference import RemoteInference, _decoded
from host_tools.samples import Specification, load_samples, random_samples
from nnmicro import format as f
from tests.device.words import Words
from tests.host.ncnn_models import write_param
from tests.host.onnx_int8_models import quantised
from tests.host.onnx_models import CASES
from tests.host.test_cli import DIGITS, refused, said
from tests.host.test_cli import nnmicro as command
from tests.models import camera, model_file
from tests.models.ncnn_weights import write_random_weights
from tests.models.shared import shared
from tests.models.tflite_builder import TFLiteModel

FLOAT = np.dtype(np.float32)
IMAGE = {"image": Specification((1, 1, 8, 8), FLOAT)}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("verify") / "digits.nnm"
    told = said("convert", DIGITS, "-o", out, "--golden", "2", "--seed", "7")
    assert told["golden"] == 2
    return out


def with_a_wrong_weight(path: Path, layer: str, out: Path) -> tuple[Path, str]:
    """The file with one weight of a layer changed and its checksums right; the blob that the layer makes."""
    file = Words(path)
    net = nnmicro.Net(bytes(file.data))
    index = next(i for i in range(net.n_layers) if net.layer_name(i) == layer)
    r = net.layers_at + index * f.LAYER_WORDS
    operands = net.operands_at + net.words[r + f.L_OPERANDS]
    place = net.words[net.record(net.words[operands + 1]) + f.B_PLACE]
    at = net.weights_at + place
    struct.pack_into("<f", file.data, at, struct.unpack_from("<f", file.data, at)[0] + 0.5)
    file.seal()
    out.write_bytes(file.data)
    return out, net.name(net.words[operands + net.words[r + f.L_INPUTS]])


def told_of_a_failure(*arguments: str | Path) -> dict[str, Any]:
    import json

    done = command(*arguments, "--json")
    assert done.returncode == 1, (done.returncode, done.stderr)
    value = json.loads(done.stdout)
    assert isinstance(value, dict)
    return value


# The command


def test_a_good_model_agrees_with_its_original_in_every_blob(digits: Path) -> None:
    told = said("verify", digits, "--against", DIGITS, "--layers", "--samples", "2", "--seed", "3")
    assert told["agrees"] and told["first_difference"] is None and told["samples"] == 2
    assert 0 < told["max_abs_diff"] < 1e-4
    names = [blob["name"] for blob in told["blobs"]]
    assert names[0] == "stem/relu" and names[-1] == "scores" and len(names) == 12
    assert told["blobs"][0]["op"] == "convolution" and told["not_comparable"] == []
    assert all(blob["agrees"] and blob["max_abs_diff"] <= blob["allowed"] for blob in told["blobs"])


def test_the_first_wrong_layer_is_named(digits: Path, tmp_path: Path) -> None:
    wrong, blob = with_a_wrong_weight(digits, "down/conv", tmp_path / "wrong.nnm")
    told = told_of_a_failure("verify", wrong, "--against", DIGITS, "--layers", "--samples", "1")
    assert told["first_difference"] == blob == "down/relu"
    assert not told["agrees"] and not told["identical"] and told["max_abs_diff"] > 0.01
    before = told["blobs"][: [b["name"] for b in told["blobs"]].index(blob)]
    assert len(before) == 4 and all(b["agrees"] for b in before)
    done = command("verify", wrong, "--against", DIGITS, "--layers", "--samples", "1")
    assert done.returncode == 1 and "blob down/relu, layer down/conv (convolution)" in done.stdout
    told = told_of_a_failure("verify", wrong, "--against", DIGITS)
    assert told["first_difference"] == "scores" and "blobs" not in told and told["samples"] == 3


def test_golden_vectors_are_run_where_no_original_is_given(digits: Path, tmp_path: Path) -> None:
    told = said("verify", digits)
    assert told["samples"] == 2 and told["agrees"] and told["first_difference"] is None and told["max_abs_diff"] < 1e-4
    wrong, _ = with_a_wrong_weight(digits, "down/conv", tmp_path / "wrong.nnm")
    told = told_of_a_failure("verify", wrong)
    assert told["first_difference"] == "scores" and not told["identical"]
    bare = tmp_path / "bare.nnm"
    assert command("convert", DIGITS, "-o", bare).returncode == 0
    text = refused("verify", bare)
    assert "--golden" in text and "--against" in text


def test_inputs_can_come_from_a_file(digits: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 17, (4, 1, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "images.npz", image=images)
    told = said("verify", digits, "--against", DIGITS, "--inputs", tmp_path / "images.npz")
    assert told["samples"] == 4 and told["agrees"]
    np.savez(tmp_path / "wrong.npz", picture=images)
    assert "picture" in refused("verify", digits, "--against", DIGITS, "--inputs", tmp_path / "wrong.npz")


def test_mistakes_are_sentences(digits: Path, tmp_path: Path) -> None:
    refused("verify", digits, "--layers", code=2)
    refused("verify", digits, "--samples", "2", code=2)
    refused("verify", digits, "--against", DIGITS, "--inputs", "x.npz", "--samples", "2", code=2)
    assert "no.onnx" in refused("verify", digits, "--against", tmp_path / "no.onnx")
    other = tmp_path / "model.h5"
    other.write_bytes(b"x")
    assert ".tflite" in refused("verify", digits, "--against", other)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(DIGITS.read_bytes()[:3000])
    assert "broken.onnx" in refused("verify", digits, "--against", broken)
    bare = tmp_path / "bare.nnm"
    assert command("convert", DIGITS, "-o", bare, "--strip-names", "--golden", "1").returncode == 0
    assert "stripped" in refused("verify", bare, "--against", DIGITS)
    assert said("verify", bare)["agrees"]


# Reading every blob from a device that has little memory


class SmallDevice(RemoteInference):
    """Refuses lightmode off, and to keep more than `room` blobs, as a device without the memory does."""

    room = 3
    opened: list[int]

    def open(self, *, lightmode: bool = True, outputs: Any = None, keep: Any = ()) -> None:
        if not lightmode or len(keep) > self.room:
            raise ArenaFull("no room")
        self.opened = [*getattr(self, "opened", []), len(keep)]
        super().open(lightmode=lightmode, outputs=outputs, keep=keep)


@pytest.mark.parametrize("room", [3, 0])
def test_every_blob_is_read_in_several_runs_where_it_does_not_fit_at_once(
    digits: Path, device: Device, room: int
) -> None:
    model = ModelFile.read(digits)
    device.write_file(model.data, "/digits.nnm")
    samples = random_samples(IMAGE, 2, 1)
    original = run_samples(DIGITS, None, samples)
    whole = RemoteInference(device, "/digits.nnm", model)
    right = compare(whole, samples, original, layers=True)
    SmallDevice.room = room
    small = SmallDevice(device, "/digits.nnm", model)
    found = compare(small, samples, original, layers=True)
    assert len(found.blobs) == 12 and found.first_difference is None
    assert [(b.name, b.max_abs_diff) for b in found.blobs] == [(b.name, b.max_abs_diff) for b in right.blobs]
    assert max(small.opened) <= room and len(small.opened) >= 1 + 12 // max(room, 1)


def test_a_device_that_cannot_even_run_the_model_says_so(digits: Path, device: Device) -> None:
    class Full(RemoteInference):
        def infer(self, *names: str | int) -> Any:
            raise ArenaFull("no room at all")

    model = ModelFile.read(digits)
    device.write_file(model.data, "/digits.nnm")
    with pytest.raises(ArenaFull, match="no room at all"):
        list(everything(Full(device, "/digits.nnm", model), random_samples(IMAGE, 1, 1), ["stem/relu", "scores"]))


# What is compared


def test_integers_have_to_be_the_same_and_floats_nearly() -> None:
    one = Difference("q")
    one.add(np.int8([1, 2]), np.int8([1, 2]))
    assert one.identical and one.agrees
    one.add(np.int8([-128, 2]), np.int8([127, 2]))
    assert not one.agrees and one.max_abs_diff == 255 and one.different == 1 and one.elements == 4
    one = Difference("x")
    one.add(np.float32([100.005, 1]), np.float32([100, 1]))
    assert one.agrees and not one.identical and one.allowed == pytest.approx(0.01)
    one.add(np.float32([0.0]), np.float32([1e-9]))
    assert not one.agrees
    for ours, right in ((math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0), (1.0, math.inf)):
        one = Difference("x")
        one.add(np.float32([ours]), np.float32([right]))
        assert not one.agrees and not one.identical


def test_damaged_and_senseless_replies_are_refused(digits: Path) -> None:
    assert _decoded(b"AAEC", "x") == b"\0\1\2"
    for line in (b"AAE", b"AAE*", b"AAEC=", b"AA\xff=", b"AR==", b"AAEC AAEC", b"A", b"=AAE"):
        with pytest.raises(DeviceError, match="damaged"):
            _decoded(line, "x")

    class Liar(RemoteInference):
        def __init__(self, model: ModelFile, answer: bytes) -> None:
            self.model, self.answer = model, answer

        def call(self, function: str, *arguments: object, timeout: float = 0) -> bytes:
            return self.answer

    model = ModelFile.read(digits)
    assert Liar(model, b"('0.1', 'nan')\n").golden_vector(0)[0][0] == 0.1
    for answer in (b"", b"('a', 'b')", b"('1', '2')\n('1', '2')", b"(1, 2)", b"[]", b"('1',", b"\xff"):
        with pytest.raises(DeviceError):
            Liar(model, answer).golden_vector(0)


# Samples


def test_random_inputs_follow_from_the_seed() -> None:
    specs = {**IMAGE, "q": Specification((1, 4, 4, 3), np.dtype(np.int8), 0.5, -3)}
    a, b, c = (random_samples(specs, 2, seed) for seed in (5, 5, 6))
    for name in specs:
        np.testing.assert_array_equal(a[1][name], b[1][name])
        assert not np.array_equal(a[0][name], c[0][name]) and not np.array_equal(a[0][name], a[1][name])
    many = random_samples(specs, 200, 1)
    assert min(s["q"].min() for s in many) == -128 and max(s["q"].max() for s in many) == 127


def test_files_of_inputs(tmp_path: Path) -> None:
    path = tmp_path / "in.npz"
    spec = {"q": Specification((1, 2, 2), np.dtype(np.int8), 0.5, -3)}
    for shape, count in (((1, 2, 2), 1), ((5, 2, 2), 5), ((5, 1, 2, 2), 5)):
        np.savez(path, q=np.zeros(shape, np.int8))
        assert len(load_samples(path, spec)) == count
    np.savez(path, q=np.float32([[[0.25, -0.25], [0.24999999, 1000]]]))
    assert load_samples(path, spec)[0]["q"].tolist() == [[[-2, -4], [-3, 127]]]
    for array in (
        np.zeros((1, 2, 3), np.int8),
        np.zeros((1, 2, 2), np.int16),
        np.zeros((0, 2, 2), np.int8),
        np.array(["a"]),
    ):
        np.savez(path, q=array)
        with pytest.raises(ValueError, match="q|sample"):
            load_samples(path, spec)
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"in\.npz"):
        load_samples(path, spec)


# The originals


def test_onnxruntime_gives_every_intermediate() -> None:
    image = random_samples(IMAGE, 1, 0)[0]
    found = run_original(DIGITS, None, image)
    assert {"stem/relu", "pool", "scores"} <= set(found) and found["stem/relu"].shape == (1, 8, 8, 8)
    only = run_original(DIGITS, None, image, ["scores"])
    assert list(only) == ["scores"]
    np.testing.assert_array_equal(only["scores"], found["scores"])
    with pytest.raises(ConversionError, match="no blob named 'nothing'"):
        run_original(DIGITS, None, image, ["nothing"])
    with pytest.raises(ConversionError, match="does not run it"):
        run_original(DIGITS, None, {"image": np.zeros((1, 2, 8, 8), np.float32)})


def test_ncnn_gives_every_intermediate(tmp_path: Path) -> None:
    pytest.importorskip("ncnn")
    param = write_param(tmp_path, [(4, 7, 6)], ["Convolution c 1 1 x a 0=4 1=3 4=1 5=1 6=144", "ReLU r 1 1 a y"])
    image = {"x": np.random.default_rng(1).uniform(-1, 1, (4, 7, 6)).astype(np.float32)}
    with pytest.raises(ConversionError, match=r"small\.bin"):
        run_original(param, None, image)
    weights = tmp_path / "elsewhere.weights"
    write_random_weights(param, weights)
    found = run_original(param, weights, image)
    assert set(found) == {"x", "a", "y"} and found["a"].min() < 0
    np.testing.assert_array_equal(found["y"], np.maximum(found["a"], 0))
    model = tmp_path / "small.nnm"
    told = said("convert", param, weights, "-o", model, "--golden", "1")
    assert told["golden"] == 1
    assert said("verify", model, "--against", param, weights, "--layers")["agrees"]


@pytest.mark.skipif(find_spec("ai_edge_litert") is not None, reason="ai-edge-litert is installed")
def test_a_missing_runtime_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(b"x")
    with pytest.raises(ConversionError, match="pip install ai-edge-litert"):
        run_original(path, None, {})


def test_litert_gives_every_intermediate(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    path = shared("models/mlperf_tiny/kws_int8.tflite")
    samples = random_samples({"input_1": Specification((1, 49, 10, 1), np.dtype(np.int8))}, 2, 1)
    first, second = run_samples(path, None, samples)
    assert first["Identity"].dtype == np.int8 and first["Identity"].shape == (1, 12) and len(first) > 20
    again = run_original(path, None, samples[1], ["Identity"])
    np.testing.assert_array_equal(again["Identity"], second["Identity"])
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ConversionError, match="damaged"):
        run_original(broken, None, samples[0])
    with pytest.raises(ConversionError, match="LiteRT does not run it"):
        run_original(path, None, {"input_1": np.zeros((1, 49, 10, 1), np.float32)})


def test_an_original_that_takes_reals_gets_what_integer_inputs_stand_for(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    path = tmp_path / "quantize.tflite"
    made = TFLiteModel()
    x = made.tensor((1, 6, 5, 4), "FLOAT32")
    q = made.tensor((1, 6, 5, 4), "INT8", 0.02, -3)
    y = made.tensor((1, 6, 5, 4), "FLOAT32")
    made.operator("QUANTIZE", [x], [q], "QuantizeOptions")
    made.operator("DEQUANTIZE", [q], [y], "DequantizeOptions")
    path.write_bytes(made.build([x], [y]))
    converted = ModelFile(convert(path, None, Options(integer_inputs=True)))
    (name,) = (str(name) for name in converted.net.inputs)
    specs = {name: converted.specification(name)}
    assert specs[name].dtype == np.int8 and specs[name].scale
    samples = random_samples(specs, 2, 1)
    for sample, found in zip(samples, run_samples(path, None, samples, specs=specs), strict=True):
        (between,) = (array for array in found.values() if array.dtype == np.int8)
        np.testing.assert_array_equal(between, sample[name])  # quantised again they are what they were
    network = tmp_path / "network.onnx"
    onnx.save(quantised(CASES["conv"][1](17)), network)
    sample = {"x": np.ones((1, 3, 7, 6), np.int8)}
    specs = {"x": Specification(sample["x"].shape, np.dtype(np.int8), 0.5, -1)}
    reals = run_samples(network, None, [sample], specs=specs)
    expected = run_samples(network, None, [{"x": np.full(sample["x"].shape, 1.0, np.float32)}])
    np.testing.assert_array_equal(reals[0]["y"], expected[0]["y"])


# The file


def test_golden_vectors_are_the_originals_outputs(digits: Path) -> None:
    model = ModelFile.read(digits)
    file = Words(digits)
    start = 4 * file.section(f.GOLDEN) + 4
    right = random_samples(IMAGE, 2, 7)
    for i in range(2):
        at = start + i * (256 + 40)
        np.testing.assert_array_equal(np.frombuffer(file.data, np.float32, 64, at), right[i]["image"].ravel())
        expected = run_original(DIGITS, None, right[i], ["scores"])["scores"]
        np.testing.assert_array_equal(np.frombuffer(file.data, np.float32, 10, at + 256), expected.ravel())
    assert model.golden == 2 and nnmicro.Net(model.data).selftest() == 2


def test_a_hostile_golden_section_is_refused_by_the_host_too() -> None:
    file = Words(model_file("golden.nnm"))
    file[file.section(f.GOLDEN)] = 3
    file.seal()
    with pytest.raises(ModelError, match="golden"):
        ModelFile(bytes(file.data))


def test_real_values_are_quantised_as_numpy_does_it_in_single_precision() -> None:
    scale, zero = np.float32(0.5), -3
    net = nnmicro.Net(camera(None))
    random = np.random.default_rng(2)
    for values in (random.normal(0, 40, 48), random.integers(-300, 300, 48) / 4, random.uniform(-1, 1, 48)):
        real = values.astype(np.float32)
        steps = (real / scale).astype(np.float64)
        right = np.clip(np.trunc(steps + np.copysign(0.5, steps)) + zero, -128, 127).astype(np.int8)
        for given in (real.tolist(), real, real.reshape(1, 4, 4, 3), values.astype(np.float32).astype(np.float64)):
            with net.extractor() as ex:
                ex.input("image", given)
                np.testing.assert_array_equal(np.frombuffer(ex.extract("same").tobytes(), np.int8), right)
