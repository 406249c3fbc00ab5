"""The engine names some constants of the format again, so that MicroPython's compiler puts the numbers in place."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import nnmicro
from firmware.engine import APART
from nnmicro import details, port
from nnmicro import format as f
from nnmicro.check import sections

ENGINE = Path(nnmicro.__file__).parent


def constants(path: Path) -> dict[str, int]:
    """The module's `_NAME = const(number)`."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            if isinstance(node.value.func, ast.Name) and node.value.func.id == "const":
                found[node.targets[0].id] = eval(ast.unparse(node.value.args[0]))  # as `1 << 30`
    return found


MODULES = [
    path for folder in (ENGINE, ENGINE / "check") for path in sorted(folder.glob("*.py")) if path.stem != "format"
]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ENGINE)))
def test_they_are_the_formats(path: Path) -> None:
    for constant, value in constants(path).items():
        theirs = getattr(f, constant[1:], None)
        if constant.startswith("_") and isinstance(theirs, int):
            assert theirs == value, constant


def test_those_that_are_not_the_formats_are_the_same_in_every_module() -> None:
    known: dict[str, int] = {}
    for path in MODULES:
        for constant, value in constants(path).items():
            assert known.setdefault(constant, value) == value, (path, constant)
    assert {"_DONE", "_COUNTED", "_GIVEN", "_ASKED", "_AT_LAYERS", "_BASE"} <= known.keys()


@pytest.mark.parametrize("module,name", [("sections", "NEEDED"), ("header", "MAGIC")])
def test_so_are_the_lists(module: str, name: str) -> None:
    assert getattr(import_module(f"nnmicro.check.{module}"), f"_{name}") == getattr(f, name)


def test_a_section_of_each_known_kind_has_its_name() -> None:
    assert tuple(sections._SECTION_NAMES.split(" ")) == f.SECTION_NAMES
    assert [sections.section_name(kind) for kind in range(1, f.LAST_KIND + 1)] == list(f.SECTION_NAMES[1:])
    assert [sections.section_name(kind) for kind in (0, f.LAST_KIND + 1)] == ["of kind 0", "of kind 17"]


def test_element_types_are_the_ones_of_port() -> None:
    known = {name: value for path in MODULES for name, value in constants(path).items()}
    for name in ("F32", "I8", "U8", "I32"):
        assert known[f"_{name}"] == getattr(port, name)


def test_a_firmware_has_the_version_of_the_format() -> None:
    assert (APART / "frozen" / "nnmicro" / "format.py").read_text().endswith(f"\nVERSION = {f.VERSION}\n")


def test_the_numbers_of_a_net_are_found_where_the_header_has_them() -> None:
    words = {"n_inputs": f.H_INPUTS, "n_outputs": f.H_OUTPUTS, "arena_size": f.H_ARENA_BYTES,
             "live_peak": f.H_LIVE_PEAK, "lower_bound": f.H_LOWER_BOUND, "lightmode_off_size": f.H_LIGHTMODE_OFF,
             "max_operands": f.H_MAX_OPERANDS, "max_blocks": f.H_MAX_BLOCKS}  # fmt: skip
    assert details._NUMBERS == words
    kinds = {**details._STARTS, **details._LENGTHS, **details._FIRST_WORDS, **details._WORD_COUNTS}
    for name, kind in kinds.items():
        assert f.SECTION_NAMES[kind] == name.split("_")[0]


@pytest.mark.parametrize("path", sorted((ENGINE / "reference").glob("*.py")), ids=lambda p: p.stem)
def test_a_kernels_parameters_count_up_from_0(path: Path) -> None:
    numbers = [value for name, value in constants(path).items() if name.startswith("_P_")]
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize(
    "path",
    sorted(path for home in ("viper", "asm_thumb") for path in (ENGINE / home).glob("*.py")),
    ids=lambda p: f"{p.parent.name}/{p.stem}",
)
def test_the_words_of_a_record_have_one_place(path: Path) -> None:
    known = constants(ENGINE / "viper" / "record.py") | constants(ENGINE / "asm_thumb" / "record.py")
    found = constants(path)
    assert {name: found[name] for name in found if name in known} == {n: known[n] for n in found if n in known}
    # Where the output's words are, after those of the inputs.
    if "_OUTPUT" in found:
        assert (found["_OUTPUT"] - known["_OPERANDS"]) % known["_OPERAND"] == 0


@pytest.mark.parametrize(
    "path",
    sorted(path for home in ("vector", "asm_thumb", "viper") for path in (ENGINE / home).glob("*.py")),
    ids=lambda p: f"{p.parent.name}/{p.stem}",
)
def test_other_backends_read_the_parameters_where_the_reference_does(path: Path) -> None:
    reference = ENGINE / "reference" / path.name
    known = constants(reference) if reference.exists() else {}
    for name, value in constants(path).items():
        if name.startswith("_P_"):
            assert known[name] == value, name
