"""The engine names some constants of the format again, so that MicroPython's compiler puts the numbers in place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import nnmicro
from nnmicro import format as f

ENGINE = Path(nnmicro.__file__).parent
# States of an extractor, which the file knows nothing of.
OWN = {"_FRESH", "_RUNNING", "_BROKEN", "_CLOSED", "_DONE", "_COUNTED", "_NEEDED", "_GIVEN", "_ASKED",
       "_BASE", "_HITS", "_MISSES"}  # fmt: skip


def constants(path: Path) -> dict[str, int]:
    """The module's `_NAME = const(number)`."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            if isinstance(node.value.func, ast.Name) and node.value.func.id == "const":
                found[node.targets[0].id] = ast.literal_eval(node.value.args[0])
    return found


@pytest.mark.parametrize("name", ["blob.py", "extractor.py", "net.py", "preprocessing.py"])
def test_they_are_the_formats(name: str) -> None:
    found = constants(ENGINE / name)
    assert found
    for constant, value in found.items():
        if constant.startswith("_") and constant not in OWN:
            assert getattr(f, constant[1:]) == value, constant


@pytest.mark.parametrize("path", sorted((ENGINE / "reference").glob("*.py")), ids=lambda p: p.stem)
def test_a_kernels_parameters_count_up_from_0(path: Path) -> None:
    numbers = [value for name, value in constants(path).items() if name.startswith("_P_")]
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("path", sorted((ENGINE / "vector").glob("*.py")), ids=lambda p: p.stem)
def test_other_backends_read_the_parameters_where_the_reference_does(path: Path) -> None:
    reference = ENGINE / "reference" / path.name
    known = constants(reference) if reference.exists() else {}
    for name, value in constants(path).items():
        if name.startswith("_P_"):
            assert known[name] == value, name
