"""Damaged files give a ConversionError or a graph, never another exception."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import ConversionError, Graph
from host_tools.importers import load_model
from tests.host.ncnn_layers import GENERATORS, Draw
from tests.host.ncnn_models import CASES as NCNN_MODELS
from tests.host.ncnn_models import IMAGE, param_text
from tests.host.onnx_choosing_models import CHOOSING_CASES
from tests.host.onnx_models import CASES
from tests.models.ncnn_weights import write_random_weights

ONNX_CASES = CASES | CHOOSING_CASES
_INT8 = ["Convolution c 1 1 x a 0=8 1=3 4=1 5=1 6=288 8=102 9=1", "Convolution d 1 1 a y 0=3 1=1 6=24 8=2"]
NCNN_CASES = (
    {"int8": (IMAGE, _INT8)}
    | NCNN_MODELS
    | {f"{kind} {i}": draw(Draw(i)) for kind, draw in GENERATORS.items() for i in range(3)}
)
_WORDS = st.sampled_from(
    "0 1 -1 2 999999999999 -233 x y 0=0 0=-1 1=0 3=-5 6=0 11=7 2=1e30 -23300=1,9 -23300=2,-233,9 9=3 4=-233 "
    "5=2 nan 1=nan 0=1e99 \u00b2 0=\u0663".split()
)


def _try(path: Path, **options) -> None:
    try:
        graph = load_model(path, **options)
    except ConversionError as refused:
        assert str(refused)
        return
    _assert_consistent(graph)
    try:
        nnmicro.Net(to_nnm(graph))
    except ConversionError as refused:
        assert str(refused)


def _assert_consistent(graph: Graph) -> None:
    made = {*graph.inputs, *graph.states}
    for layer in graph.layers:
        assert all(name in made or graph.tensor(name).data is not None for name in layer.inputs)
        made.update(layer.outputs)
    assert set(graph.outputs) <= made
    assert all(size >= 1 for tensor in graph.blobs() for size in tensor.shape)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(NCNN_CASES)), st.data())
def test_a_param_file_with_other_words(name, data):
    words = [line.split(" ") for line in param_text(*NCNN_CASES[name]).split("\n")]
    for _ in range(data.draw(st.integers(1, 3))):
        line = data.draw(st.sampled_from([line for line in words if line]))
        at = data.draw(st.integers(0, len(line) - 1))
        line[at : at + data.draw(st.integers(0, 1))] = [data.draw(_WORDS)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.param"
        path.write_text("\n".join(" ".join(line) for line in words), encoding="utf-8")
        _try(path, zero_weights=True)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
@example(b"7767517\n1 1\nInput x 0 1 x 0=1")
def test_a_param_file_of_any_bytes(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.param"
        path.write_bytes(content)
        _try(path, zero_weights=True)


@cache
def _ncnn_model() -> tuple[str, bytes]:
    text = param_text(*NCNN_CASES["conv, norm, relu"])
    with tempfile.TemporaryDirectory() as folder:
        param, binary = Path(folder) / "m.param", Path(folder) / "m.bin"
        param.write_text(text)
        write_random_weights(param, binary, "codebook")
        return text, binary.read_bytes()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_bin_file_with_other_bytes_or_another_length(data):
    text, weights = _ncnn_model()
    changed = _mutated(weights, data)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "m.param").write_text(text)
        (Path(folder) / "m.bin").write_bytes(changed)
        _try(Path(folder) / "m.param")


def _mutated(content: bytes, data: st.DataObject) -> bytes:
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(0, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del changed[data.draw(st.integers(0, len(changed) - 1)) :]
    return bytes(changed)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(ONNX_CASES)), st.sampled_from((7, 13, 18)), st.data())
def test_an_onnx_file_with_other_bytes_or_another_length(name, opset, data):
    since, build = ONNX_CASES[name]
    changed = _mutated(build(max(opset, since)).SerializeToString(), data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        path.write_bytes(changed)
        _try(path)
