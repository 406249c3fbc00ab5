"""The examples, run on the device as their own first lines say, print what these say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from host_tools.demo.folder import write
from host_tools.device import Device, open_device, push_engine
from tests.boards import lacking

EXAMPLES = Path(__file__).parents[2] / "firmware" / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `nnmicro demo --save` writes."""
    target = tmp_path_factory.mktemp("demo")
    written = write(target)
    assert all(path.is_file() for path in written) and {path.name for path in written} >= set(NAMES)
    return target


def head(name: str) -> str:
    return ast.get_docstring(ast.parse((EXAMPLES / name).read_text())) or ""


def check(device: Device, folder: Path, name: str) -> None:
    """Push the model that the head names, run the program, compare with what the head says that it prints."""
    text = head(name)
    model = re.search(r"^ *nnmicro push (\S+) --device D$", text, re.MULTILINE)
    assert model and f"mpremote connect D run {name}" in text
    device.write_file((folder / model[1]).read_bytes(), f"/{model[1]}")
    device.soft_reset()
    said = device.exec((folder / name).read_text(), timeout=300).decode().replace("\r", "").strip().splitlines()
    # The last block of indented lines; … stands for anything.
    wanted = [line.strip() for line in re.split(r"\n\n(?=    )", text)[-1].splitlines()]
    assert len(said) == len(wanted), said
    for line, pattern in zip(said, wanted, strict=True):
        assert re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), line.strip()), (line, pattern)


@pytest.mark.parametrize("name", NAMES)
def test_it_prints_what_its_head_says(device: Device, folder: Path, name: str) -> None:
    check(device, folder, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "two_threads.py"])  # no second core is emulated
def test_it_does_so_on_a_flashed_pico(folder: Path, name: str) -> None:
    reason = lacking("emu:rpi_pico", may_build=True)
    if reason:
        pytest.skip(reason)
    with open_device("emu:rpi_pico") as pico:
        push_engine(pico)
        check(pico, folder, name)
