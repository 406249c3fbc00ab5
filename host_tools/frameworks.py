"""Models that only their framework can open: Keras, TensorFlow and PyTorch.

The framework exports them itself, in a process of its own, as TFLite or ONNX, which the importers read. The program
that it runs for that is short, and is what a person without the framework here is told to run where it is.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .graph import ConversionError

_KERAS = """\
import tensorflow as tf

model = tf.keras.models.load_model({source!r}, compile=False)
converter = tf.lite.TFLiteConverter.from_keras_model(model)
with open({target!r}, "wb") as file:
    file.write(converter.convert())
"""
_SAVED_MODEL = """\
import tensorflow as tf

converter = tf.lite.TFLiteConverter.from_saved_model({source!r})
with open({target!r}, "wb") as file:
    file.write(converter.convert())
"""
_EXPORTED_PROGRAM = """\
import torch

program = torch.export.load({source!r})
torch.onnx.export(program, (), {target!r}, dynamo=True, external_data=False)
"""
_FUNCTION = """\
import runpy
import sys

import torch

sys.path.insert(0, {folder!r})
module, example = runpy.run_path({source!r})[{function!r}]()
torch.onnx.export(module.eval(), example, {target!r}, dynamo=True, external_data=False)
"""


@dataclass(frozen=True)
class Door:
    """One kind of source and how its framework exports it."""

    framework: str
    modules: tuple[str, ...]  # what has to be installed, as it is imported
    packages: str  # the same, as pip names it
    program: str
    extension: str  # of what it exports


_TENSORFLOW = ("TensorFlow", ("tensorflow",), "tensorflow")
_TORCH = ("PyTorch", ("torch", "onnx", "onnxscript"), "torch onnx onnxscript")
_DOORS = {
    ".keras": Door(*_TENSORFLOW, _KERAS, ".tflite"),
    ".h5": Door(*_TENSORFLOW, _KERAS, ".tflite"),
    "SavedModel": Door(*_TENSORFLOW, _SAVED_MODEL, ".tflite"),
    ".pt2": Door(*_TORCH, _EXPORTED_PROGRAM, ".onnx"),
    "FILE.py:FUNCTION": Door(*_TORCH, _FUNCTION, ".onnx"),
}
SOURCES = {name: door.framework for name, door in _DOORS.items()}

_ASK = "import importlib.util, sys; sys.exit(' '.join(n for n in sys.argv[1:] if not importlib.util.find_spec(n)))"
_LAST_LINES = 15


def kind_of(model: Path) -> str | None:
    """Which of SOURCES the model is; None for a file that an importer reads itself."""
    if model.is_dir():
        return "SavedModel"
    if ".py:" in model.name:
        return "FILE.py:FUNCTION"
    extension = model.suffix.lower()
    return extension if extension in _DOORS else None


def export(
    model: Path, folder: Path, python: Path | None = None, say: Callable[[str], None] = lambda text: None
) -> Path:
    """The model in a format that the importers read: itself, or what its framework exports into `folder`.

    python  the interpreter that has the framework; the one that runs this if None
    say     is told what takes a while

    Raises ConversionError: no such file, no framework (with the lines that do it where there is one), or what the
    framework said.
    """
    kind = kind_of(model)
    if kind is None:
        return model
    door = _DOORS[kind]
    path, _, function = str(model).rpartition(":") if kind == "FILE.py:FUNCTION" else (str(model), "", "")
    _check_source(kind, Path(path), function)
    interpreter = str(python or sys.executable)
    target = folder / (Path(path).stem + door.extension)
    program = _program(door, Path(path).resolve(), function, target)
    missing = _missing(interpreter, door)
    if missing:
        raise ConversionError(_advice(model, Path(path), function, door, interpreter, missing))
    say(f"{door.framework} exports {model.name}")
    done = subprocess.run([interpreter, "-c", program], capture_output=True, text=True, errors="replace")
    if done.returncode or not target.is_file():
        said = "\n".join("    " + line for line in (done.stderr or done.stdout).strip().splitlines()[-_LAST_LINES:])
        raise ConversionError(
            f"{model.name}: {door.framework} cannot export it. What it said last:\n{said}\nIt was asked to run:\n"
            + _indented(program)
        )
    return target


def without_framework(model: Path) -> str | None:
    """What to do with a model that the importers do not read but a framework exports; None for any other."""
    kind = kind_of(model)
    if kind is None:
        return None
    return f"{model.name}: only {SOURCES[kind]} can open it; `nnmicro convert` has it exported first"


def _check_source(kind: str, path: Path, function: str) -> None:
    if not path.exists():
        raise ConversionError(f"{path}: no such file")
    if kind == "SavedModel" and not (path / "saved_model.pb").is_file():
        raise ConversionError(f"{path}: a folder without saved_model.pb is no SavedModel")
    if kind == "FILE.py:FUNCTION" and not function.isidentifier():
        raise ConversionError(
            f"{path}:{function}: name a function of the file that takes nothing and returns the module and an example "
            "input, as in net.py:make"
        )


def _program(door: Door, source: Path, function: str, target: Path) -> str:
    names = {"source": str(source), "folder": str(source.parent), "function": function, "target": str(target)}
    return door.program.format(**names)


def _missing(interpreter: str, door: Door) -> list[str]:
    """Those of the door's modules that the interpreter does not have."""
    try:
        asked = subprocess.run([interpreter, "-c", _ASK, *door.modules], capture_output=True, text=True)
    except OSError as problem:
        raise ConversionError(f"{interpreter}: this Python does not start ({problem})") from problem
    return asked.stderr.split() if asked.returncode else []


def _advice(model: Path, path: Path, function: str, door: Door, interpreter: str, missing: list[str]) -> str:
    """How to get on without: the same program, with plain names."""
    target = Path(path.stem + door.extension)
    plain = door.program.format(source=path.name, folder=".", function=function, target=str(target))
    return (
        f"{model.name}: {door.framework} has to export it, and {interpreter} lacks {', '.join(missing)} "
        f"(pip install {door.packages}). If another Python has it: nnmicro convert --python /its/bin/python ... "
        f"Or run these lines where it is, and then nnmicro convert {target}:\n{_indented(plain)}"
    )


def _indented(program: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in program.rstrip().splitlines())
