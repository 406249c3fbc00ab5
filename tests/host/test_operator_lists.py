"""`nnmicro ops` and what a refusal says: both from the importers' own tables, for all three formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import host_tools.importers
from host_tools.cli.main import app
from host_tools.graph import ConversionError
from host_tools.importers import load_model
from host_tools.importers.listing import markdown, operators
from host_tools.importers.rewrites import REWRITES, rewrite_of
from tests.host.more_layers import ALL_OPERATORS
from tests.host.onnx_models import IMAGE, floats, model, node
from tests.host.tflite_models import CASES as TFLITE_CASES
from tests.models.tflite_builder import TFLiteModel

PAGE = Path(host_tools.importers.__file__).with_name("OPERATORS.md")


def listed(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["ops", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_page_is_what_the_command_prints() -> None:
    assert PAGE.read_text(encoding="utf-8") == listed("--markdown") == markdown()


def test_json_has_every_operator_of_every_format() -> None:
    told = json.loads(listed("--json"))
    assert set(told) == {"onnx", "tflite", "ncnn"}
    assert {"name": "Conv", "float32": True, "int8": True, "constant": True} in told["onnx"]
    assert {"name": "POW", "float32": True, "int8": False, "constant": False} in told["tflite"]
    assert {"name": "Convolution", "float32": True, "int8": True, "constant": False} in told["ncnn"]
    assert list(json.loads(listed("tflite", "--json"))) == ["tflite"]


def test_the_terminal_shows_one_format_or_all() -> None:
    assert "CONV_2D" in listed() and "QLinearConv" in listed()
    assert "CONV_2D" not in listed("ncnn") and "ConvolutionDepthWise" in listed("ncnn")


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_every_claim_for_tflite_has_a_case(dtype: str) -> None:
    """That the others of a table are tested is said beside their tests."""
    tested = set(ALL_OPERATORS) | {name.partition(",")[0].split()[0] for name in TFLITE_CASES if dtype in name}
    claimed = {operator.name for operator in operators()["tflite"] if getattr(operator, dtype)}
    elsewhere = {"float32": {"DEQUANTIZE"}, "int8": {"NEG"}}  # crosses; with the other tables of int8
    assert claimed - tested == elsewhere[dtype]


def test_no_rewrite_is_for_an_operator_that_always_converts() -> None:
    """Plain names of operators that become layers need no way round; Einsum does for most equations."""
    layers = {operator.name for known in operators().values() for operator in known if operator.float32}
    assert not layers & set(REWRITES) - {"Einsum"}
    assert rewrite_of("CUSTOM Mfcc") == rewrite_of("Mfcc") != rewrite_of("CUSTOM FlexErf") is not None
    assert rewrite_of("Conv") is None


def refusal(path: Path, content: bytes, **options: bool) -> str:
    path.write_bytes(content)
    with pytest.raises(ConversionError) as caught:
        load_model(path, **options)
    return str(caught.value)


def test_a_refusal_of_onnx_has_shapes_and_what_helps(tmp_path: Path) -> None:
    nodes = [node("NonZero", "x", "a"), node("Conv", "x w", "b"), node("Det", "b", "c")]
    made = model(nodes, IMAGE, {"w": floats(4, 3, 1, 1, 1)}, outputs=["a", "c"])
    text = refusal(tmp_path / "m.onnx", made.SerializeToString())
    assert "NonZero 'NonZero of x': there is no such layer in nnmicro; inputs: (1, 3, 7, 6)\n" in text
    assert "inputs: (1, 3, 7, 6), (4, 3, 1, 1, 1)" in text
    assert "What helps:\n  NonZero: cut the graph before it" in text


def test_a_refusal_of_tflite_has_shapes_and_what_helps(tmp_path: Path) -> None:
    made = TFLiteModel()
    a, b, c, d = (made.tensor((1, 6, 5, 4), "FLOAT32") for _ in range(4))
    made.operator("LOCAL_RESPONSE_NORMALIZATION", [a], [b], "LocalResponseNormalizationOptions")
    made.operator("WHILE", [c], [d])
    text = refusal(tmp_path / "m.tflite", made.build([a, c], [b, d]))
    assert (
        "LOCAL_RESPONSE_NORMALIZATION (operator 0) 't1': there is no such layer in nnmicro; inputs: (1, 6, 5, 4)"
        in text
    )
    assert "  WHILE: export the model with a fixed number of steps" in text


def test_a_refusal_of_ncnn_has_shapes_and_what_helps(tmp_path: Path) -> None:
    lines = ["7767517", "4 4", "Input x 0 1 x 0=6 1=5 2=4", "LRN l 1 1 x a", "Spectrogram s 1 1 x y"]
    lines.append("Unfold u 1 1 x b")
    text = refusal(tmp_path / "m.param", "\n".join(lines).encode(), zero_weights=True)
    assert "LRN 'l': there is no such layer in nnmicro (line 4); inputs: (4, 5, 6)" in text
    assert "  Spectrogram: compute the features before the network" in text
    assert "  Unfold: a Deconvolution, or a Convolution, whose kernel has ones and zeros" in text
