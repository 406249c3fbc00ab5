"""ncnn models with int8 layers, as ncnn2int8 writes them, beside the `ncnn` package running the same files in int8."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from host_tools.graph import ConversionError, Graph
from host_tools.importers import load_model
from tests.host.graph_oracle import assert_same_blobs, engine_blobs, ncnn_blobs, random_inputs
from tests.host.ncnn_layers import GENERATORS, Draw
from tests.host.ncnn_models import IMAGE, Shapes, write_param
from tests.models.ncnn_weights import write_random_weights

_KINDS = ("Convolution", "ConvolutionDepthWise", "InnerProduct")
_FEW = [range(6), pytest.param(range(6, 60), marks=pytest.mark.slow)]


def _written(folder: Path, shapes: Shapes, layers: list[str], seed: int = 1) -> tuple[Path, Path]:
    param = write_param(folder, shapes, layers)
    write_random_weights(param, param.with_suffix(".bin"), seed=seed)
    return param, param.with_suffix(".bin")


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("cases", _FEW, ids=["few", "many"])
def test_int8_layers_with_a_float_result_give_what_ncnn_gives(kind, cases, tmp_path):
    """In float32, of the same rounded input and weights, and so within the rounding of float sums."""
    for i in cases:
        draw = Draw(crc32(f"{kind} int8 {i}".encode()))
        shapes, (line,) = GENERATORS[kind](draw)
        line = " ".join(word for word in line.split() if not word.startswith("18=")) + f" 8={draw.size(1, 2)}"
        param, binary = _written(tmp_path, shapes, [line], seed=i)
        graph = load_model(param, binary)
        inputs = random_inputs(graph, i, -1.3, 1.3)
        ours = engine_blobs(graph, inputs, fuse=bool(i % 2))
        assert {"quantize", "dequantize"} < {layer.op for layer in graph.layers}
        try:
            assert_same_blobs(graph, ours, ncnn_blobs(param, binary, inputs, ["y"]))
        except AssertionError as problem:
            raise AssertionError(f"case {i}: {problem}\n{param.read_text(encoding='utf-8')}") from problem


# Layers of a chain whose first gives int8 for the second.
_CHAINS = {
    "convolutions": ("Convolution c 1 1 x a 0=8 1=3 4=1 5=1 6=288 8=102 9=1", "convolution_int8"),
    "without activation": ("Convolution c 1 1 x a 0=8 1=3 4=1 3=2 6=288 8=101", "convolution_int8"),
    "a clip": ("Convolution c 1 1 x a 0=8 1=1 5=1 6=32 8=102 9=3 -23310=2,-1.0e-01,6.0e-01", "convolution_int8"),
    "leaky": ("Convolution c 1 1 x a 0=8 1=3 5=1 6=288 8=102 9=2 -23310=1,2.0e-01", "convolution"),
    "hard swish": ("Convolution c 1 1 x a 0=8 1=3 5=1 6=288 8=102 9=6 -23310=2,2.0e-01,5.0e-01", "convolution"),
    "depthwise": ("ConvolutionDepthWise c 1 1 x a 0=4 1=3 4=1 5=1 6=36 7=4 8=101 9=1", "depthwise_int8"),
    "one scale": ("ConvolutionDepthWise c 1 1 x a 0=8 1=3 4=1 5=1 6=72 7=4 8=102 9=1", "depthwise_int8"),
    "groups": ("ConvolutionDepthWise c 1 1 x a 0=8 1=3 4=1 5=1 6=144 7=2 8=101 9=1", "convolution_int8"),
}


@pytest.mark.parametrize("name", _CHAINS)
def test_int8_between_layers_is_within_a_step_of_ncnn(name, tmp_path):
    """The engine rounds as LiteRT does, with an integer multiplier, where ncnn multiplies by a float."""
    first, op = _CHAINS[name]
    count = int(first.split("0=")[1].split()[0])
    layers = [first, "Split s 1 2 a b d", f"Convolution e 1 1 b y 0=3 1=1 5=1 6={3 * count} 8=2"]
    layers.append(f"Convolution f 1 1 d z 0=2 1=1 6={2 * count} 8=2 9=1")
    different = total = 0
    for seed in range(4):
        param, binary = _written(tmp_path, IMAGE, layers, seed)
        graph = load_model(param, binary)
        inputs = random_inputs(graph, seed)
        makers = {layer.inputs[0]: layer for layer in graph.layers} | {o: la for la in graph.layers for o in la.outputs}
        assert makers["a"].op == (op if op.endswith("int8") else "quantize")
        slack = {out: _one_step(graph, out) for out in ("y", "z")}
        ours = engine_blobs(graph, inputs, fuse=bool(seed % 2))
        theirs = ncnn_blobs(param, binary, inputs, ["a", "y", "z"])
        steps = np.abs(ours["a"].astype(np.int32) - theirs["a"].astype(np.int32))
        assert ours["a"].dtype == np.int8 and steps.max() <= 1
        assert np.abs(ours["a"].astype(np.int32)).max() >= 20  # it says something
        different, total = different + int(steps.sum()), total + steps.size
        for out, allowed in slack.items():
            assert np.abs(ours[out] - theirs[out]).max() <= (
                allowed if steps.any() else 1e-4 * np.abs(theirs[out]).max()
            )
    assert different <= total / 100


def _one_step(graph: Graph, output: str) -> float:
    """How much a step in each input of a 1 x 1 convolution can change its result."""
    (layer,) = (layer for layer in graph.layers if output in layer.outputs)
    weight = graph.tensor(layer.inputs[1]).data
    (source,) = (la for la in graph.layers if layer.inputs[0] in la.outputs)
    assert weight is not None and source.op == "dequantize"
    return float(np.abs(weight).sum(axis=(1, 2, 3)).max()) * float(source.attrs["scale"])  # type: ignore[arg-type]


def test_a_table_may_be_int8(tmp_path):
    param, binary = _written(tmp_path, [(5,)], ["Embed e 1 1 x y 0=3 1=7 2=1 3=21 18=2"], seed=2)
    table, bias = np.arange(-10, 11, dtype=np.int8), np.array([0.5, 0, -1], "<f4")
    scale = np.array([20], "<f4")
    binary.write_bytes(b"\x38\x4b\x0d\x00" + table.tobytes() + bytes(3) + bias.tobytes() + scale.tobytes())
    graph = load_model(param, binary)
    inputs = random_inputs(graph)
    ours = engine_blobs(graph, inputs, fuse=True)
    assert_same_blobs(graph, ours, ncnn_blobs(param, binary, inputs, ["y"]))


_REFUSED = {
    "int8 for a layer that wants float32": (
        ["Convolution c 1 1 x a 0=2 1=1 6=8 8=102", "Sigmoid s 1 1 a y"],
        "it is given 'a', which is int8; make that float32 (int8_scale_term 1 or 2 there)",
    ),
    "int8 for a float convolution": (
        ["Convolution c 1 1 x a 0=2 1=1 6=8 8=102", "Convolution d 1 1 a y 0=2 1=1 6=4"],
        "Convolution 'd': it is given 'a', which is int8",
    ),
    "an unknown term": (["Convolution c 1 1 x y 0=2 1=1 6=8 8=7"], "its int8_scale_term is 7"),
    "padding with numbers": (["Convolution c 1 1 x y 0=2 1=3 6=72 4=1 8=2 18=1.5"], "it pads int8 numbers with 1.5"),
}


@pytest.mark.parametrize("case", _REFUSED)
def test_what_cannot_be_int8_says_why(case, tmp_path):
    layers, expected = _REFUSED[case]
    with pytest.raises(ConversionError) as caught:
        load_model(write_param(tmp_path, IMAGE, layers), zero_weights=True)
    assert expected in str(caught.value)


def test_scales_that_are_none_are_refused(tmp_path):
    param, binary = _written(tmp_path, IMAGE, ["Convolution c 1 1 x y 0=2 1=1 6=8 8=2"])
    content = binary.read_bytes()
    binary.write_bytes(content[:-4] + np.array([np.inf], "<f4").tobytes())
    with pytest.raises(ConversionError, match="its input scale is inf"):
        load_model(param, binary)


def test_the_graph_alone_needs_no_scales(tmp_path):
    layers = ["Convolution c 1 1 x a 0=2 1=1 6=8 8=102", "Convolution d 1 1 a y 0=2 1=1 6=4 8=2"]
    assert load_model(write_param(tmp_path, IMAGE, layers), zero_weights=True).tensor("y").shape == (2, 7, 6)
