"""Pictures of the memory plan: what they show, and that a model's names cannot do harm in them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from host_tools.convert import Options, convert
from host_tools.graph import ConversionError
from host_tools.layout import Program
from host_tools.model_file import ModelFile
from host_tools.pictures import save
from host_tools.pictures.html import page
from host_tools.pictures.panels import Panel, panels, short
from host_tools.plan import Plan
from host_tools.planner import plan_memory
from host_tools.reader import read_plan, read_program
from host_tools.streaming.blocks import streamed_plan
from host_tools.streaming.convert import Streaming
from tests.host.random_programs import programs
from tests.host.test_cli import DIGITS
from tests.host.test_order import branches


def planned(program: Program) -> tuple[Program, Plan]:
    plan = plan_memory(program, seconds=0)
    return program, plan


@settings(max_examples=100, deadline=None)
@given(programs(layers=10))
def test_both_panels_show_every_blob_in_its_place(program: Program) -> None:
    program, plan = planned(program)
    on, off = panels(program, plan)
    for panel in (on, off):
        assert sorted(n for box in panel.boxes for n in box.names if "workspace" not in n) == sorted(
            blob.name for blob in program.blobs
        )
        blocks = [box for box in panel.boxes if not box.is_view]
        for box in panel.boxes[len(blocks) :]:
            assert any(
                block.offset <= box.offset
                and box.offset + box.nbytes <= block.offset + block.nbytes
                and block.first <= box.first
                and box.last <= block.last
                for block in blocks
            )
        for i, one in enumerate(blocks):
            assert -1 <= one.first <= one.last < len(program.layers)
            for other in blocks[:i]:
                if one.first <= other.last and other.first <= one.last:
                    assert one.offset + one.nbytes <= other.offset or other.offset + other.nbytes <= one.offset
    assert on.size == plan.size and off.size == plan.lightmode_off
    # The tallest moment without lightmode is what the engine takes then.
    assert max(box.offset + box.nbytes for box in off.boxes) == plan.lightmode_off


def hostile() -> list[Panel]:
    program = branches(2, 2)
    for blob in program.blobs:
        blob.name = "</script><script>alert(1)</script> $x_1$ \u2028 <b>"
    return panels(*planned(program))


def test_the_page_needs_no_network_and_no_name_ends_its_script() -> None:
    text = page("a <title>", hostile())
    assert text.count("</script>") == 1 and "/*DATA*/" not in text
    found = re.search(r"^const DATA = (.*);$", text, re.MULTILINE)
    assert found is not None
    data = json.loads(found.group(1))
    assert data["panels"][0]["boxes"][0]["names"][0].startswith("</script>")
    assert set(re.findall(r"https?://[^\"' ]*", text)) == {"http://www.w3.org/2000/svg"}  # a name, never fetched


@pytest.mark.parametrize("kind", (".png", ".svg"))
def test_matplotlib_draws_the_same_file_each_time(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("matplotlib")
    paths = [tmp_path / f"{n}{kind}" for n in "ab"]
    for path in paths:
        save(path, "memory", hostile())
    assert paths[0].read_bytes() == paths[1].read_bytes()
    if kind == ".svg":
        texts = [t for t in ElementTree.fromstring(paths[0].read_text()).itertext() if t.strip()]
        assert "lightmode on: 1,648 bytes" in texts and any("lower bound" in t for t in texts)
    else:
        assert paths[0].read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_message_has_the_pip_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConversionError, match="pip install matplotlib"):
        save(tmp_path / "a.png", "memory", hostile())
    save(tmp_path / "a.html", "memory", hostile())


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"'a\.pdf'"):
        save(tmp_path / "a.pdf", "memory", hostile())


def test_names_of_fused_layers_are_shortened() -> None:
    assert short("model/relu;model/conv_1/Conv2D1") == "model/conv_1/Conv2D1"
    assert short("a;model/conv_2/BiasAdd/ReadVariableOp/resource1") == "model/conv_2"
    assert short("block1/add") == "block1/add"


def test_a_streamed_file_is_drawn_as_it_runs(tmp_path: Path) -> None:
    model = ModelFile(convert(DIGITS, None, Options(stream=Streaming("max"))))
    program = read_program(model.net)
    plan = read_plan(program, model.net)
    by_steps = streamed_plan(model, program, plan)
    assert by_steps is not None
    drawn, on, _ = panels(program, plan, by_steps)
    assert drawn.size == model.net.arena_size < on.size and len(drawn.layers) == len(model.steps())
    for time, (layer, _, _) in enumerate(model.steps()):
        for blob in (program.layers[layer].inputs[0], program.layers[layer].output):
            box = drawn.boxes[by_steps.plan.root[blob]]
            assert box.first <= time <= box.last and box.offset + box.nbytes <= drawn.size
    save(tmp_path / "streamed.html", "digits", [drawn, on])
    assert "row by row" in (tmp_path / "streamed.html").read_text()
    assert streamed_plan(ModelFile(convert(DIGITS)), program, plan) is None
