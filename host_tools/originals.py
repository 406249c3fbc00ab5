"""Runs the original model file in its own format's runtime: what a converted model has to agree with.

    run_original(Path("digits.onnx"), None, {"image": pixels}, ["scores"])["scores"]

ONNX in onnxruntime, without its graph optimisations; TFLite in LiteRT with the built-in kernels and no delegate, the
only choice that computes FULLY_CONNECTED in integers; ncnn in float32 and plain layout.
"""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .graph import ConversionError
from .samples import Specification, real_values

Arrays = dict[str, np.ndarray]


def run_original(
    path: Path, weights: Path | None, inputs: Mapping[str, np.ndarray], wanted: Sequence[str] | None = None
) -> Arrays:
    """The blobs called `wanted`, or all that the runtime can give, for one set of inputs.

    Raises ConversionError where the runtime is not installed, refuses the model or the inputs, or lacks a blob.
    """
    return run_samples(path, weights, [inputs], wanted)[0]


def run_samples(
    path: Path,
    weights: Path | None,
    samples: Sequence[Mapping[str, np.ndarray]],
    wanted: Sequence[str] | None = None,
    done: Callable[[], None] | None = None,
    specs: Mapping[str, Specification] | None = None,
) -> list[Arrays]:
    """`run_original` for many sets of inputs, the model loaded once; `done` is called after each.

    `specs` says what integer inputs stand for: an original that takes reals in their place gets those.
    """
    runtime = _RUNTIMES.get(path.suffix.lower())
    if runtime is None:
        raise ConversionError(
            f"{path.name}: the original has to be a model of type {', '.join(_RUNTIMES)}; of one that its framework "
            "exported, what convert --keep-exported kept"
        )
    for file in (path, weights):
        if file is not None and not file.is_file():
            raise ConversionError(f"{file}: no such file")
    if specs:
        reals = _float_inputs(path).intersection(specs)
        samples = [
            {name: real_values(array, specs[name]) if name in reals else array for name, array in inputs.items()}
            for inputs in samples
        ]
    results = runtime(path, weights, samples, None if wanted is None else list(wanted), done or (lambda: None))
    for name in wanted or ():
        if name not in results[0]:
            raise ConversionError(f"{path.name}: its own runtime gives no blob named {name!r}")
    return results if wanted is None else [{name: found[name] for name in wanted} for found in results]


def _float_inputs(path: Path) -> frozenset[str]:
    """The inputs that are float32; none for a file that cannot be read, which its runtime will say better."""
    if path.suffix.lower() == ".tflite":
        from .importers.tflite.model_file import read

        try:
            model = read(path)
        except ConversionError:
            return frozenset()
        return frozenset(name for name in model.inputs if model.tensors[name].dtype == np.float32)
    if path.suffix.lower() != ".onnx":
        return frozenset()
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load(path, load_external_data=False).graph
    except DecodeError:
        return frozenset()
    return frozenset(v.name for v in graph.input if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT)


def _require(module: str, package: str, what: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise ConversionError(f"running {what} needs the package {package}: python -m pip install {package}")


def _onnx(
    path: Path, weights: Path | None, samples: Sequence[Mapping[str, np.ndarray]], wanted: list[str] | None,
    done: Callable[[], None],
) -> list[Arrays]:  # fmt: skip
    _require("onnxruntime", "onnxruntime", "an ONNX model")
    import onnx
    import onnxruntime

    try:
        model = onnx.load(path)
        _state_shapes(model, samples[0])
        _expose(model)
        options = onnxruntime.SessionOptions()
        # Fused away, a blob could not be compared.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        names = [value.name for value in session.get_outputs()]
        chosen = [name for name in names if wanted is None or name in wanted] or names
        wide = {value.name for value in session.get_inputs() if value.type == "tensor(int64)"}  # indices, int32 here
        results = []
        for inputs in samples:
            given = {name: array.astype(np.int64) if name in wide else array for name, array in inputs.items()}
            found = dict(zip(chosen, session.run(chosen, given), strict=True))
            results.append({name: value for name, value in found.items() if isinstance(value, np.ndarray)})
            done()
        return results
    except Exception as problem:  # onnxruntime's and protobuf's own, which share no class
        raise ConversionError(f"{path.name}: onnxruntime does not run it: {_first_line(problem)}") from problem


def _state_shapes(model, inputs: Mapping[str, np.ndarray]) -> None:  # type: ignore[no-untyped-def]
    """The shapes that the inputs have, in place of those that the file states or leaves open."""
    for value in model.graph.input:
        if value.name in inputs:
            shape = value.type.tensor_type.shape
            del shape.dim[:]
            for size in inputs[value.name].shape:
                shape.dim.add().dim_value = size


def _expose(model) -> None:  # type: ignore[no-untyped-def]
    """Make every blob an output; sizes stated for intermediates may be those of another input."""
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    there = {value.name for value in model.graph.output}
    for node in model.graph.node:
        for name in node.output:
            if name and name not in there:
                model.graph.output.add().name = name
                there.add(name)


def _litert(
    path: Path, weights: Path | None, samples: Sequence[Mapping[str, np.ndarray]], wanted: list[str] | None,
    done: Callable[[], None],
) -> list[Arrays]:  # fmt: skip
    _require("ai_edge_litert", "ai-edge-litert", "a TFLite model")
    from .importers.tflite import model_file

    names = list(model_file.read(path).tensors)
    number = {name: i for i, name in enumerate(names)}
    for name in samples[0]:
        if name not in number:
            raise ConversionError(f"{path.name}: no tensor is named {name!r}")
    arrays: dict[str, Any] = {
        f"input/{i}/{number[n]}": array for i, inputs in enumerate(samples) for n, array in inputs.items()
    }
    content = io.BytesIO()
    # Every intermediate is asked for where one is: an output that the user cut out is none of the file's.
    tensors = np.array([i for i, name in enumerate(names) if wanted is None or name in wanted], np.int64)
    np.savez(content, **arrays, model=np.frombuffer(path.read_bytes(), np.uint8), tensors=tensors)
    command = [sys.executable, str(Path(__file__).with_name("originals_litert.py"))]
    finished = subprocess.run(command, input=content.getvalue(), capture_output=True, check=False)
    if finished.returncode:
        text = finished.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        raise ConversionError(f"{path.name}: LiteRT does not run it: {text or f'it ended with {finished.returncode}'}")
    results: list[Arrays] = [{} for _ in samples]
    with np.load(io.BytesIO(finished.stdout), allow_pickle=False) as archive:
        for key in archive.files:
            _, sample, tensor = key.split("/")
            results[int(sample)][names[int(tensor)]] = archive[key]
    for _ in samples:
        done()
    return results


def _ncnn(
    path: Path, weights: Path | None, samples: Sequence[Mapping[str, np.ndarray]], wanted: list[str] | None,
    done: Callable[[], None],
) -> list[Arrays]:  # fmt: skip
    _require("ncnn", "ncnn", "an ncnn model")
    import ncnn

    binary = weights or path.with_suffix(".bin")
    if not binary.is_file():
        raise ConversionError(f"{binary}: no such file; ncnn needs the weights to run {path.name}")
    net = ncnn.Net()
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage",
                   "use_packing_layout", "use_winograd_convolution", "use_sgemm_convolution", "lightmode"):  # fmt: skip
        setattr(net.opt, option, False)
    net.opt.num_threads = 1
    if net.load_param(str(path)) != 0 or net.load_model(str(binary)) != 0:
        raise ConversionError(f"{path.name}: ncnn refuses the model, or its weights in {binary.name}")
    names = _ncnn_blobs(path) if wanted is None else wanted
    results = []
    for inputs in samples:
        extractor = net.create_extractor()
        extractor.set_light_mode(False)
        for name, array in inputs.items():
            if extractor.input(name, ncnn.Mat(np.ascontiguousarray(array)).clone()) != 0:
                raise ConversionError(f"{path.name}: ncnn takes no input named {name!r}")
        found: Arrays = dict(inputs)
        for name in names:
            if name not in found:
                status, mat = extractor.extract(name)
                if status == 0:
                    found[name] = np.array(mat)
        results.append(found)
        done()
    return results


def _ncnn_blobs(path: Path) -> list[str]:
    """The blobs that the lines of a `.param` file make: type, name, counts of inputs and outputs, their names."""
    names = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[2:]:
        words = line.split()
        if len(words) >= 4 and words[2].isdigit() and words[3].isdigit():
            first = 4 + int(words[2])
            names += words[first : first + int(words[3])]
    return names


def _first_line(problem: BaseException) -> str:
    return str(problem).strip().split("\n", 1)[0] or type(problem).__name__


_RUNTIMES = {".onnx": _onnx, ".tflite": _litert, ".param": _ncnn}
