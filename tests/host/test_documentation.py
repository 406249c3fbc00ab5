"""The documentation: its commands are run, its links lead somewhere, its pictures say what is so today."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.demo.digits import converted, held_out
from host_tools.demo.folder import write
from host_tools.device import Device

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not {".venv", "build", "dist", ".pytest_cache"} & set(path.relative_to(ROOT).parts) and path.stat().st_size
)
# What cannot be run in a test, and why.
_NOT_RUN = {
    "nnmicro flash": "takes a board in its boot loader",
    "nnmicro emulate": "runs until Ctrl-C",
}


def blocks(page: Path, kind: str) -> list[str]:
    """The fenced blocks of a kind (empty: commands)."""
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """The lines of its blocks that a user types, with `unix` for a board's port."""
    lines = "\n".join(blocks(page, "")).splitlines()
    found = [re.sub(r"\s+#.*", "", line) for line in lines if line.startswith("nnmicro ")]
    return [line.replace("/dev/ttyACM0", "unix") for line in found if "…" not in line]


OTHERS = [page for page in PAGES if page != ROOT / "README.md" and commands(page)]


def short(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *(pytest.param(p, marks=pytest.mark.slow) for p in OTHERS)], ids=short
)
def test_its_commands_run_in_a_folder_with_the_demo(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pty", reason="the unix device needs an operating system with ptys")
    if "--plot memory.svg" in "\n".join(commands(page)):
        pytest.importorskip("matplotlib")
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    for line in commands(page):
        if line.startswith(tuple(_NOT_RUN)):
            continue
        told = CliRunner().invoke(app, shlex.split(line)[1:])
        assert told.exit_code == 0, f"{line}: {told.output[-800:]} {told.exception}"


def test_the_main_page_has_commands_for_the_main_job() -> None:
    names = [line.split()[1] for line in commands(ROOT / "README.md")]
    assert [name for name in ("convert", "info", "report", "push", "run", "verify", "status") if name in names] == list(
        dict.fromkeys(name for name in names)
    )


def test_its_program_runs_on_the_device(device: Device) -> None:
    device.write_file(converted().data, "/digits.nnm")
    seen = held_out()
    pixels = seen.images[0].ravel().tolist()
    for page in (ROOT / "README.md", ROOT / "docs" / "lightmode.md"):
        program = "\n".join(blocks(page, "python")).replace("import nnmicro\n", "")
        shown = "print(net.labels[best])" if "best =" in program else ""
        said = device.exec(f"import nnmicro\npixels = {pixels}\n{program}\n{shown}\n")
        assert said.split()[-1].decode() == str(seen.labels[0])


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_its_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{target} of {short(page)}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles], target


def test_what_make_is_asked_for_exists() -> None:
    for page in PAGES:
        made = [path / "Makefile" for path in (ROOT, page.parent) if (path / "Makefile").is_file()]
        targets = {name for path in made for name in re.findall(r"^([a-z-]+):", path.read_text(), re.MULTILINE)}
        named = re.findall(r"(?:`|^ *)make ([a-z][a-z-]*)", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= targets, short(page)


def test_the_picture_of_the_memory_says_what_is_so() -> None:
    net = converted().net
    texts = {t.strip() for t in ElementTree.fromstring((ROOT / "docs" / "memory.svg").read_text()).itertext()}
    assert f"lightmode on: {net.arena_size:,} bytes" in texts
    assert f"lightmode off: {net.lightmode_off_size:,} bytes" in texts
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"At most {net.arena_size:,} bytes" in readme and f"keeping every blob takes {net.lightmode_off_size:,}" in (
        readme
    )


def test_the_figures_of_onnx_tests_are_those_of_their_page() -> None:
    page = (ROOT / "host_tools" / "importers" / "ONNX.md").read_text(encoding="utf-8")
    found = re.search(r"^(\d+) cases: (\d+) pass", page, re.MULTILINE)
    assert found and f"{found[2]} of {found[1]} pass" in (ROOT / "README.md").read_text(encoding="utf-8")
