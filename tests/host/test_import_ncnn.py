"""The ncnn importer: each layer gives what ncnn gives, blob by blob, and damaged or unsupported files say
why.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_tools.graph import ConversionError, Graph
from host_tools.importers import load_model
from tests.host.graph_oracle import assert_same_blobs, engine_blobs, ncnn_blobs, random_inputs
from tests.host.ncnn_models import CASES, IMAGE, param_text, write_param
from tests.models.ncnn_weights import ENCODINGS, write_random_weights
from tests.models.shared import shared

_CONVOLUTION = ["Convolution conv 1 1 x y 0=5 1=3 5=1 6=180"]


def _compare(param: Path, binary: Path, *, outputs: list[str] | None = None, fusing: tuple = (False, True)) -> None:
    inputs = random_inputs(load_model(param, binary, outputs=outputs))
    for fuse in fusing:
        graph = load_model(param, binary, outputs=outputs)
        named = [tensor.name for tensor in graph.blobs()]
        ours = engine_blobs(graph, inputs, fuse=fuse)
        in_source = {word for line in param.read_text().splitlines()[2:] for word in line.split()[4:]}
        assert_same_blobs(graph, ours, ncnn_blobs(param, binary, inputs, [n for n in ours if n in in_source]))
        assert fuse or list(ours) == named


def _refusal(folder: Path, text: str, weights: bytes | None = None, **options) -> str:
    path = folder / "small.param"
    path.write_text(text, encoding="utf-8")
    if weights is not None:
        path.with_suffix(".bin").write_bytes(weights)
    with pytest.raises(ConversionError) as caught:
        load_model(path, **options)
    return str(caught.value)


def _graph(folder: Path, shapes, layers, **options) -> Graph:
    return load_model(write_param(folder, shapes, layers), zero_weights=True, **options)


# Values


@pytest.mark.parametrize("name", CASES)
def test_every_blob_is_what_ncnn_computes(name, tmp_path):
    param = write_param(tmp_path, *CASES[name])
    binary = param.with_suffix(".bin")
    write_random_weights(param, binary)
    _compare(param, binary)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_weights_are_read_in_every_encoding(encoding, tmp_path):
    """Odd counts, so that sections have to be padded."""
    layers = ["Convolution c 1 1 x a 0=5 1=3 5=1 6=135", "InnerProduct f 1 1 a y 0=3 1=1 2=135"]
    param = write_param(tmp_path, [(3, 5, 5)], layers)
    write_random_weights(param, tmp_path / "w.bin", encoding)
    _compare(param, tmp_path / "w.bin")


@pytest.mark.parametrize(
    ("name", "encoding", "outputs"),
    [
        ("squeezenet", "fp32", None),
        ("squeezenet", "fp16", None),
        ("mobilenet_v2", "fp32", None),
        ("yolo-fastest-1.1", "fp32", ["120_854", "129_922"]),
        ("yolo-fastest-1.1", "codebook", ["120_854", "129_922"]),
    ],
)
def test_every_blob_of_a_real_graph_is_what_ncnn_computes(name, encoding, outputs, tmp_path):
    param = shared(f"models/ncnn/bench_{name}.param")
    write_random_weights(param, tmp_path / "w.bin", encoding)
    _compare(param, tmp_path / "w.bin", outputs=outputs)


# Names and shapes


def test_every_blob_keeps_its_name_and_shape(tmp_path):
    graph = _graph(tmp_path, *CASES["split"])
    assert {t.name: t.shape for t in graph.blobs()} == dict.fromkeys(["x", "a", "b", "c", "y"], (4, 7, 6))
    assert (graph.inputs, graph.outputs) == (["x"], ["y"])


def test_blobs_that_nobody_reads_are_the_outputs(tmp_path):
    assert _graph(tmp_path, *CASES["slice"]).outputs == ["a", "b", "y"]


@pytest.mark.parametrize(("line", "shape"), [("0=6 1=5 2=4", (4, 5, 6)), ("0=6 1=5", (5, 6)), ("0=6", (6,))])
def test_an_input_has_as_many_axes_as_sizes(line, shape, tmp_path):
    path = tmp_path / "m.param"
    path.write_text(f"7767517\n2 2\nInput x 0 1 x {line}\nReLU r 1 1 x y\n")
    assert load_model(path, zero_weights=True).tensor("x").shape == shape


def test_an_open_input_needs_its_shape(tmp_path):
    text = "7767517\n2 2\nInput in 0 1 x\nReLU r 1 1 x y\n"
    assert "--input-shape x=3,224,224" in _refusal(tmp_path, text, zero_weights=True)
    path = tmp_path / "small.param"
    assert load_model(path, zero_weights=True, input_shapes={"x": (2, 3)}).tensor("y").shape == (2, 3)


def test_an_input_shape_for_no_input_names_the_inputs(tmp_path):
    text = param_text(IMAGE, ["ReLU r 1 1 x y"])
    assert "the inputs are x" in _refusal(tmp_path, text, zero_weights=True, input_shapes={"q": (1,)})


def test_a_float_may_be_written_as_its_bits(tmp_path):
    """1086324736 is 6.0 in a file of a writer that stored both kinds of number in one word."""
    graph = _graph(tmp_path, IMAGE, ["Clip r 1 1 x y 0=0 1=1086324736"])
    assert graph.layers[0].attrs == {"activation": 3, "activation_a": 0.0, "activation_b": 6.0}


def test_indices_of_a_table_are_integers(tmp_path):
    layers = [
        "Split s 1 2 x a b",
        "Embed e 1 1 a c 0=2 1=5 3=10",
        "Embed f 1 1 b d 0=3 1=5 3=15",
        "Concat k 2 1 c d y 0=1",
    ]
    param = write_param(tmp_path, [(4,)], layers)
    write_random_weights(param, tmp_path / "small.bin")
    graph = load_model(param)
    inputs = random_inputs(graph)
    assert inputs["x"].dtype == np.int32
    ours = engine_blobs(graph, inputs, fuse=True)
    assert_same_blobs(graph, ours, ncnn_blobs(param, tmp_path / "small.bin", inputs, ["y"]))


def test_a_product_with_known_weights_and_bias_is_a_fully_connected_layer(tmp_path):
    line = "Gemm g 1 1 x y 3=1 5=1 6=1 8=5 9=6 10=4"
    assert [layer.op for layer in _graph(tmp_path, [(3, 6)], [line]).layers][0] == "inner_product"


def test_what_is_known_beforehand_can_be_no_output(tmp_path):
    with pytest.raises(ConversionError, match="m would be an output, but is known beforehand"):
        _graph(tmp_path, IMAGE, ["MemoryData m 0 1 m 0=3", "ReLU r 1 1 x y"])


def test_a_split_is_one_shared_view_for_each_output(tmp_path):
    graph = _graph(tmp_path, *CASES["split"])
    shares = [layer for layer in graph.layers if layer.op == "share"]
    assert [layer.outputs for layer in shares] == [["a"], ["b"]]
    assert len({layer.name for layer in graph.layers}) == len(graph.layers)


# What is not supported


def test_all_unsupported_layers_are_named_at_once_before_weights_are_asked_for(tmp_path):
    layers = [
        "LRN m 1 1 x a",
        "Convolution c 1 1 x b 0=5 1=3 6=180 9=7",
        "Convolution d 1 1 a e 0=5 1=3 6=180",
        "BinaryOp o 1 1 x f 0=14 1=1",
        "Eltwise s 2 1 x g h",
    ]
    text = _refusal(tmp_path, param_text([(4, 7, 6)], layers).replace("Eltwise s 2 1 x g h", "Split s 1 1 x h"))
    assert "3 layers are not supported" in text
    assert "LRN 'm': there is no such layer in nnmicro (line 4)" in text
    assert "Convolution 'c': its fused activation 7 is not supported" in text
    assert "BinaryOp 'o': the operation logaddexp" in text
    assert "'d'" not in text


REFUSED = {
    "dynamic weights": ("Convolution c 1 1 x y 0=5 1=3 19=1", "computed at run time"),
    "too few weights": ("Convolution c 1 1 x y 0=5 1=3 6=179", "it has 179 weights; (5, 4, 3, 3) are needed"),
    "a window that does not fit": (
        "Convolution c 1 1 x y 0=5 1=9 6=1620",
        "a window of 9 does not fit into 7",
    ),
    "uneven groups": (
        "ConvolutionDepthWise c 1 1 x y 0=6 1=3 6=162 7=3",
        "3 groups do not divide 4 channels",
    ),
    "uneven adaptive pooling": ("Pooling p 1 1 x y 0=1 7=1 8=4", "does not divide it evenly"),
    "a window outside": ("Pooling p 1 1 x y 0=0 1=1 2=2 3=1 5=0", "outside the input"),
    "bicubic": ("Interp i 1 1 x y 0=3 1=2.0", "resize type 3"),
    "an expression of no sizes": ('Reshape r 1 1 x y 6="w*h,c"', "has the word c, which is not supported"),
    "an expression without an operand": ('Reshape r 1 1 x y 6="*(0w)"', "lacks an operand of *"),
    "an expression without a value": ('Reshape r 1 1 x y 6="//(0w,0)"', "has no value"),
    "an expression of another input": ('Reshape r 1 1 x y 6="1w"', "is about input 1 of 1"),
    "a depth": ("Reshape r 1 1 x y 0=6 1=7 11=2 2=2", "four axes"),
    "a batch of two": ('Reshape r 1 1 x y 6="0w,0h,2,2" 13=0', "there is a batch of one"),
    "an impossible reshape": ("Reshape r 1 1 x y 0=5 1=-1", "shape (4, 7, 6) cannot become (-1, 5)"),
    "an old softmax": ("Softmax s 1 1 x y 0=1", "too old"),
    "slices beyond the end": ("Slice s 1 2 x a y -23300=2,3,3", "take 3 of 4 elements from 3 on"),
    "reflecting too much": ("Padding p 1 1 x y 0=7 4=2", "reflects more"),
    "two inputs": ("ReLU r 2 1 x x y", "it has 2 inputs; 1 can be imported"),
    "an integer where an array is expected": ("Slice s 1 2 x a y 0=2", "an array of integers is expected"),
    "a float where an integer is expected": ("Permute p 1 1 x y 0=1.0", "an integer is expected"),
    "a text where a number is expected": ("ReLU r 1 1 x y 0=abc", "a number is expected"),
    "one coefficient": ("Eltwise e 2 1 x x y 0=1 -23301=1,1.0", "1 coefficients for 2 inputs"),
    "a kernel of 0": ("Pooling p 1 1 x y 0=0 5=1", "must all be 1 or more"),
    "a number that is no float32": ("ReLU r 1 1 x y 0=1.0e+99", "which is not a finite 32-bit float"),
    "a number that is no int32": ("Pooling p 1 1 x y 1=2 2=9999999999 5=1", "which is not a 32-bit integer"),
    "a blob too large": ("Interp i 1 1 x y 0=1 3=99999 4=99999", "too large for the file format"),
    "a crop of nothing": ("Crop k 1 1 x y 0=5", "elements from (0, 0, 5) on of shape (4, 7, 6)"),
    "a reduction from an old file": ("Reduction r 1 1 x y 1=0 -23303=1,0", "too old for axes"),
    "a fourth axis": ("ExpandDims e 1 1 x y -23303=1,0", "three axes are supported"),
    "projected cells": ("LSTM l 1 1 x y 0=2 1=96 3=4", "projected from 4 cells to 2"),
    "int8 cells": ("GRU l 1 1 x y 0=2 1=96 8=1", "int8"),
    "a cache": ("SDPA s 3 1 x x x y 7=1", "kv_cache"),
    "quantised products": ("Gemm g 1 1 x y 5=1 8=3 9=3 18=1", "quantize_term"),
    "words that are no input": ("Embed e 1 1 b y 0=2 1=3 3=6", "an Input of the network, is needed"),
    "known operands only": ("ReLU r 1 1 m y", "all that it is given is known (MemoryData)"),
    "SAME of a window that leaves gaps": (
        "Convolution c 1 1 x y 0=1 1=1 11=4 3=4 4=-233 6=16",
        "pads one axis and cuts",
    ),
    "a stride of 0": ("Pooling p 1 1 x y 0=0 1=2 2=0", "stride 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_expressed_is_refused_with_its_reason(case, tmp_path):
    line, expected = REFUSED[case]
    before = ["MemoryData m 0 1 m 0=3", "Pooling p 1 1 x b 4=1"] if {"m", "b"} & set(line.split()[4:6]) else []
    assert expected in _refusal(tmp_path, param_text(IMAGE, [*before, line]), zero_weights=True)


# Cutting


YOLO_LIKE = ["Convolution c 1 1 x a 0=5 1=3 6=180", "ReLU r 1 1 a b", "Yolov3DetectionOutput d 1 1 b y 0=80"]


def test_outputs_cut_the_graph_before_support_is_checked(tmp_path):
    graph = _graph(tmp_path, IMAGE, YOLO_LIKE, outputs=["b"])
    assert graph.outputs == ["b"] and [layer.op for layer in graph.layers] == ["convolution", "activation"]
    with pytest.raises(ConversionError, match="Yolov3DetectionOutput 'd'"):
        _graph(tmp_path, IMAGE, YOLO_LIKE)


def test_the_weights_of_layers_that_are_cut_away_are_skipped(tmp_path):
    layers = ["InnerProduct f 1 1 x a 0=2 1=1 2=336", "Convolution c 1 1 x b 0=5 1=3 5=1 6=180"]
    param = write_param(tmp_path, IMAGE, layers)
    write_random_weights(param, tmp_path / "small.bin")
    whole, part = load_model(param), load_model(param, outputs=["b"])
    for name in ("c.weight", "c.bias"):
        assert np.array_equal(whole.tensor(name).data, part.tensor(name).data)


def test_weights_behind_a_layer_of_unknown_size_cannot_be_found(tmp_path):
    layers = ["Convolution3D u 1 1 x a 0=2 6=336", "Convolution c 1 1 x b 0=5 1=3 6=180"]
    text = _refusal(tmp_path, param_text(IMAGE, layers), bytes(4000), outputs=["b"])
    assert "they follow those of Convolution3D 'u'" in text


def test_an_unknown_output_names_near_ones(tmp_path):
    text = _refusal(tmp_path, param_text(IMAGE, ["ReLU r 1 1 x scores"]), outputs=["score"])
    assert "near names are scores" in text


# Weights


def test_a_graph_alone_needs_zero_weights(tmp_path):
    text = _refusal(tmp_path, param_text(IMAGE, _CONVOLUTION))
    assert "small.bin: no such file" in text and "--zero-weights" in text
    assert not _graph(tmp_path, IMAGE, _CONVOLUTION).tensor("conv.weight").data.any()


def test_the_bin_beside_the_param_is_found(tmp_path):
    param = write_param(tmp_path, IMAGE, _CONVOLUTION)
    write_random_weights(param, tmp_path / "small.bin")
    assert load_model(param).tensor("conv.weight").data.any()


def _sections(tag: int = 0) -> bytes:
    return tag.to_bytes(4, "little") + bytes(4 * 180) + bytes(4 * 5)


def test_weights_that_end_early_name_the_layer_and_the_offset(tmp_path):
    text = _refusal(tmp_path, param_text(IMAGE, _CONVOLUTION), _sections()[:-1])
    assert "small.bin" in text and "Convolution 'conv' needs 20 bytes at offset 724, and 19 are left" in text


def test_bytes_behind_the_last_weights_are_an_error(tmp_path):
    assert "4 bytes are left" in _refusal(tmp_path, param_text(IMAGE, _CONVOLUTION), _sections() + bytes(4))


def test_int8_weights_are_refused_by_name(tmp_path):
    text = _refusal(tmp_path, param_text(IMAGE, _CONVOLUTION), _sections(0x000D4B38))
    assert "Convolution 'conv' has int8 weights" in text


def test_the_second_tag_of_raw_weights_is_read(tmp_path):
    param = write_param(tmp_path, IMAGE, _CONVOLUTION)
    values = np.arange(185, dtype="<f4")
    (tmp_path / "small.bin").write_bytes((0x0002C056).to_bytes(4, "little") + values.tobytes())
    graph = load_model(param)
    assert np.array_equal(graph.tensor("conv.weight").data.reshape(-1), values[:180])
    assert np.array_equal(graph.tensor("conv.bias").data, values[180:])


# The text


GOOD = "7767517\n2 2\nInput x 0 1 x 0=6 1=7 2=4\nReLU r 1 1 x y 0=0.1\n"

DAMAGED = {
    "the magic number": ("7767517", "7767516", "line 1: not an ncnn .param file"),
    "an empty file": (GOOD, "", "line 1: not an ncnn .param file"),
    "the counts": ("2 2\n", "2\n", "line 2: the number of layers and the number of blobs"),
    "a count": ("2 2\n", "two 2\n", "line 2: 'two' is not a count"),
    "the number of layers": ("2 2\n", "3 2\n", "line 2: 3 layers are announced, but 2 follow"),
    "the number of blobs": ("2 2\n", "2 3\n", "line 2: 3 blobs are announced, but the layers make 2"),
    "a layer's line": ("ReLU r 1 1 x y 0=0.1", "ReLU r", "line 4: a layer needs a type, a name"),
    "a layer's number of inputs": ("r 1 1 x y", "r 2 1 x y", "line 4: ReLU 'r' announces 2 inputs"),
    "a negative number of inputs": ("r 1 1 x y", "r -1 1 x y", "line 4: ReLU 'r' announces -1 inputs"),
    "a missing producer": ("r 1 1 x y", "r 1 1 w y", "line 4: ReLU 'r' reads 'w', which no layer"),
    "a blob made twice": ("r 1 1 x y", "r 1 1 x x", "line 4: blob 'x' is made twice, first on line 3"),
    "a parameter": ("0=0.1", "0", "line 4: '0' is not a parameter"),
    "a key": ("0=0.1", "a=0.1", "line 4: 'a' is not a parameter's key"),
    "a key out of range": ("0=0.1", "32=0.1", "line 4: '32=0.1': keys go from 0 to 31"),
    "a key given twice": ("0=0.1", "0=0.1 0=0.2", "line 4: parameter 0 of ReLU 'r' is given twice"),
    "a number": ("0=0.1", "0=0.1.2", "line 4: '0.1.2' is not a number"),
    "no number": ("0=0.1", "0=", "line 4: '' is not a number"),
    "an array's length": ("0=0.1", "-23300=3,1,2", "line 4: '-23300=3,1,2': the array announces 3"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGED)
def test_damage_is_reported_with_file_and_line(what, tmp_path):
    old, new, expected = DAMAGED[what]
    text = _refusal(tmp_path, GOOD.replace(old, new), zero_weights=True)
    assert text.startswith("small.param, line ") and expected in text


def test_a_binary_file_is_no_param_file(tmp_path):
    path = tmp_path / "m.param"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConversionError, match=r"m\.param: not a text"):
        load_model(path)


def test_line_ends_of_windows_and_blank_lines_are_fine(tmp_path):
    path = tmp_path / "m.param"
    path.write_bytes(GOOD.replace("\n", "\r\n\r\n").encode())
    assert load_model(path, zero_weights=True).outputs == ["y"]
