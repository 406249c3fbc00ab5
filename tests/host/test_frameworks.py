"""Models that Keras, TensorFlow and PyTorch export: the pages of both as written, and what is said without them.

The frameworks may live in Pythons of their own: FRAMEWORKS=/its/bin/python:/another/bin/python.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import host_tools.importers
from host_tools.cli.main import app
from host_tools.frameworks import SOURCES, export
from host_tools.graph import ConversionError
from host_tools.importers import load_model

PAGES = Path(host_tools.importers.__file__).parent
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def python_with(module: str, *, imported: bool = True) -> str:
    """A Python that can import it, or that only has it; the test is skipped where none is known."""
    look = f"import {module}" if imported else f"import importlib.util; importlib.util.find_spec('{module}').origin"
    for python in [sys.executable, *filter(None, os.environ.get("FRAMEWORKS", "").split(os.pathsep))]:
        if subprocess.run([python, "-c", look], capture_output=True).returncode == 0:
            return python
    pytest.skip(f"no Python here has {module}; name one with FRAMEWORKS=/its/bin/python")


@pytest.mark.slow
@pytest.mark.parametrize(("page", "module"), [("KERAS.md", "tensorflow"), ("PYTORCH.md", "torch")])
def test_everything_on_the_page_works(page: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = python_with(module)
    monkeypatch.chdir(tmp_path)
    ran = 0
    for language, name, text in _BLOCK.findall((PAGES / page).read_text(encoding="utf-8")):
        if language == "python":
            Path(name).write_text(text)
            subprocess.run([python, name], check=True, capture_output=True, timeout=300)
            continue
        for line in text.splitlines():
            command, *arguments = shlex.split(line)
            assert (language, command) == ("sh", "nnmicro")
            with_python = ["--python", python] if arguments[0] == "convert" else []
            done = CliRunner().invoke(app, [*arguments, *with_python])
            assert done.exit_code == 0, (line, done.output)
            ran += 1
    assert ran > 3


SOURCE_FILES = {
    "net.keras": ["tf.keras.models.load_model('net.keras', compile=False)", "nnmicro convert net.tflite"],
    "net.h5": ["tf.keras.models.load_model('net.h5', compile=False)", "pip install tensorflow"],
    "folder": ["from_saved_model('folder')", "nnmicro convert folder.tflite"],
    "net.pt2": ["torch.export.load('net.pt2')", "pip install torch onnx onnxscript"],
    "net.py:make": ["runpy.run_path('net.py')['make']()", "nnmicro convert net.onnx"],
}


@pytest.fixture
def bare_python(tmp_path: Path) -> Path:
    """A Python without any package."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -S "$@"\n')
    python.chmod(0o755)
    return python


def refusal(model: Path, folder: Path, python: Path) -> str:
    with pytest.raises(ConversionError) as caught:
        export(model, folder, python)
    return str(caught.value)


@pytest.mark.parametrize("name", SOURCE_FILES)
def test_without_the_framework_the_message_has_the_lines(name: str, tmp_path: Path, bare_python: Path) -> None:
    (tmp_path / "folder").mkdir()
    for file in ("net.keras", "net.h5", "net.pt2", "net.py", "folder/saved_model.pb"):
        (tmp_path / file).touch()
    text = refusal(tmp_path / name, tmp_path, bare_python)
    for expected in [*SOURCE_FILES[name], f"{bare_python} lacks ", "--python"]:
        assert expected in text
    program = "".join(line[4:] + "\n" for line in text.splitlines() if line.startswith("    "))
    compile(program, name, "exec")


def test_every_kind_of_source_has_its_case() -> None:
    assert len(SOURCES) == len(SOURCE_FILES)


def test_other_models_are_left_alone(tmp_path: Path) -> None:
    assert export(tmp_path / "net.onnx", tmp_path) == tmp_path / "net.onnx"


def test_what_the_framework_says_is_passed_on(tmp_path: Path) -> None:
    """A Python that claims to have everything, and fails at the first import."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncase "$2" in *find_spec*) exit 0;; esac\necho "it is too old" >&2\nexit 1\n')
    python.chmod(0o755)
    (tmp_path / "net.pt2").touch()
    text = refusal(tmp_path / "net.pt2", tmp_path, python)
    assert "PyTorch cannot export it" in text and "    it is too old" in text and "torch.onnx.export" in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [("no.keras", "no such file"), ("empty", "without saved_model.pb"), ("net.py:", "name a function"),
     ("net.py:a.b()", "name a function")],
)  # fmt: skip
def test_what_is_no_model_is_said(name: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "net.py").touch()
    assert expected in refusal(tmp_path / name, tmp_path, Path(sys.executable))


def test_a_python_that_does_not_start_is_said(tmp_path: Path) -> None:
    (tmp_path / "net.keras").touch()
    assert "this Python does not start" in refusal(tmp_path / "net.keras", tmp_path, tmp_path / "nothing")


def test_the_importers_say_that_a_framework_is_needed(tmp_path: Path) -> None:
    (tmp_path / "net.keras").touch()
    with pytest.raises(ConversionError, match="only TensorFlow can open it"):
        load_model(tmp_path / "net.keras")


def test_keeping_what_was_exported_needs_a_framework(tmp_path: Path) -> None:
    digits = PAGES.parent / "demo" / "digits.onnx"
    arguments = [str(digits), "-o", str(tmp_path / "d.nnm"), "--keep-exported", str(tmp_path / "d.onnx")]
    done = CliRunner().invoke(app, ["convert", *arguments])
    assert done.exit_code == 1 and "digits.onnx is read as it is" in " ".join(done.output.split())
