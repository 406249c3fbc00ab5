"""Every network of the shared folder through every door that can hold it, beside that format's own runtime.

A TFLite file becomes ONNX by tf2onnx, an ONNX file a `.param` by pnnx; where a tool is missing the test is skipped by
name. They may live in Pythons of their own: FRAMEWORKS=/its/bin/python:/another/bin/python.
`FRAMEWORKS=... python -m tests.host.test_every_door` writes the table.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import pytest

from host_tools.graph import ConversionError, Graph
from host_tools.importers import load_model
from host_tools.originals import run_original
from tests.host.graph_oracle import TOLERANCE, engine_blobs
from tests.host.test_frameworks import python_with
from tests.models.ncnn_weights import write_random_weights
from tests.models.shared import shared

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[2] / "host_tools" / "importers" / "MODELS.md"
DOORS = (".tflite", ".onnx", ".param")
MODELS = (
    "emlearn/mnist_cnn_fp32.tflite", "emlearn/mnist_cnn_int8.tflite", "mlonmcu/micro_kws_m_static_fp32.onnx",
    "mlonmcu/micro_kws_m_static_qdq.onnx", "mlperf_tiny/ad_float32.tflite", "mlperf_tiny/ad_int8.tflite",
    "mlperf_tiny/ic_float32.tflite", "mlperf_tiny/ic_int8.tflite", "mlperf_tiny/kws_int8.tflite",
    "mlperf_tiny/vww_float32.tflite", "mlperf_tiny/vww_int8.tflite", "ncnn/bench_mobilenet_v2.param",
    "ncnn/bench_squeezenet.param", "ncnn/bench_yolo-fastest-1.1.param", "tflm/hello_world_float.tflite",
    "tflm/hello_world_int8.tflite", "tflm/micro_speech_quantized.tflite",
)  # fmt: skip
# Whose last layers are refused: the blobs where the graph is cut.
OUTPUTS = {"ncnn/bench_yolo-fastest-1.1.param": ["120_854", "129_922"]}

SAME, AGREES, CLOSE = "to the bit", "agrees", "roundings apart"
NO_TOOL, NO_INT8 = "no tool writes it", "pnnx takes no int8"
STEPS = 16  # of 256, of the result of an int8 ONNX model
HEAD = f"""# Real networks through every door

The networks that the tests are run on, as they are stored and as what tools make of them: ONNX by tf2onnx, ncnn by
pnnx. Each is converted, run and compared with that file's own runtime on random input.

| | |
|---|---|
| {SAME} | int8, every byte is the same |
| {AGREES} | float32, within 1e-4 of the largest element |
| {CLOSE} | int8 ONNX, where onnxruntime rounds in float32 and nnmicro as LiteRT does: each layer is within a step of its own, and none of the result, behind all of them, is off by more than {STEPS} of 256 |

The graphs of ncnn's benchmark have random weights, and YOLO ends before its layer that makes boxes. No network here is
stored as a Keras or PyTorch program; these doors have pages of their own, [KERAS.md](KERAS.md) and
[PYTORCH.md](PYTORCH.md).
Written by `python -m tests.host.test_every_door`; a test fails where it is stale.

"""  # noqa: E501 - a row of a table is a line


def through(model: str, door: str, folder: Path) -> str:
    """What comes of it: a cell of the table."""
    stored = shared(f"models/{model}")
    if door not in DOORS[DOORS.index(stored.suffix) :] or (stored.suffix == ".param" and door != ".param"):
        return NO_TOOL
    int8 = "int8" in model or "quantized" in model or "qdq" in model
    if door == ".param" and int8:
        return NO_INT8
    path, shape = stored, None
    if stored.suffix == ".tflite" and door != ".tflite":
        path = _to_onnx(stored, folder)
    if stored.suffix != ".param" and door == ".param":
        path, shape = _to_ncnn(path, folder)
    return _outcome(path, folder, shape, OUTPUTS.get(model))


def _to_onnx(path: Path, folder: Path) -> Path:
    made = folder / f"{path.stem}.onnx"
    command = [python_with("tf2onnx"), "-m", "tf2onnx.convert", "--tflite", str(path), "--output", str(made)]
    subprocess.run([*command, "--opset", "13"], check=True, capture_output=True, timeout=300)
    return made


def _to_ncnn(path: Path, folder: Path) -> tuple[Path, tuple[int, ...]]:
    """The `.param`, and the shape of its input: pnnx does not write it down."""
    where = "import importlib.util; print(importlib.util.find_spec('pnnx').submodule_search_locations[0])"
    program = Path(_output(python_with("pnnx", imported=False), "-c", where)) / "pnnx"
    copy = folder / "net.onnx"
    copy.write_bytes(path.read_bytes())
    (value,) = onnx.load(path).graph.input
    shape = tuple(max(dim.dim_value, 1) for dim in value.type.tensor_type.shape.dim)
    sizes = ",".join(map(str, shape))
    subprocess.run([program, copy, f"inputshape=[{sizes}]"], check=True, capture_output=True, timeout=300, cwd=folder)
    return folder / "net.ncnn.param", shape[1:]


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _outcome(path: Path, folder: Path, shape: tuple[int, ...] | None, outputs: list[str] | None) -> str:
    weights = path.with_suffix(".bin") if path.suffix == ".param" else None
    if weights is not None and not weights.is_file():
        weights = folder / "weights.bin"
        write_random_weights(path, weights)
    shapes = None if shape is None else {"in0": shape}
    try:
        graph = load_model(path, weights, input_shapes=shapes, outputs=outputs)
    except ConversionError as refusal:
        return "refused: " + " ".join(str(refusal).splitlines()[1].split())
    inputs = _inputs(graph)
    names = list(graph.outputs)
    ours = engine_blobs(graph, inputs, fuse=True)
    theirs = run_original(path, weights, inputs, names)
    return _worst([_difference(ours[name], theirs[name], path.suffix) for name in names])


def _inputs(graph: Graph) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    inputs = {}
    for name in graph.inputs:
        tensor = graph.tensor(name)
        whole = tensor.dtype == np.int8
        values = random.integers(-128, 128, tensor.shape) if whole else random.uniform(-1, 1, tensor.shape)
        inputs[name] = values.astype(tensor.dtype)
    return inputs


def _difference(ours: np.ndarray, theirs: np.ndarray, suffix: str) -> str:
    a, b = (array.astype(np.float64).reshape(-1) for array in (ours, theirs))
    if ours.dtype == np.int8 and np.array_equal(a, b):
        return SAME
    worst = np.abs(a - b).max()
    if ours.dtype == np.int8 and suffix == ".onnx" and worst <= STEPS and a.argmax() == b.argmax():
        return CLOSE
    if ours.dtype != np.int8 and worst <= TOLERANCE * np.abs(b).max():
        return AGREES
    return f"differs by {worst}"


def _worst(cells: list[str]) -> str:
    return next((cell for cell in cells if cell not in (SAME, AGREES)), cells[0])


def _rows(text: str) -> dict[str, list[str]]:
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    return {name: cells for name, *cells in lines if name.endswith(DOORS)}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("model", MODELS)
def test_a_network_through_a_door_is_what_the_page_says(model: str, door: str, tmp_path: Path) -> None:
    expected = _rows(PAGE.read_text(encoding="utf-8"))[model][DOORS.index(door)]
    assert not expected.startswith("differs")
    assert through(model, door, tmp_path) == expected


def test_the_page_has_every_stored_network() -> None:
    folder = shared("models")
    stored = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in DOORS}
    assert stored == set(MODELS) == set(_rows(PAGE.read_text(encoding="utf-8")))


def page() -> str:
    lines = [f"| network | {' | '.join(DOORS)} |", "|---|---|---|---|"]
    for model in MODELS:
        cells = []
        for door in DOORS:
            with TemporaryDirectory() as folder:
                cells.append(through(model, door, Path(folder)))
            print(model, door, cells[-1], file=sys.stderr)
        lines.append(f"| {model} | {' | '.join(cells)} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
