"""`nnmicro report`: what the page shows, that a model's names cannot do harm in it, and the page in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import onnx
import pytest
from typer.testing import CliRunner

from host_tools.cli.main import app
from host_tools.convert import Options, convert
from host_tools.demo.digits import converted, quantised
from host_tools.model_file import ModelFile
from host_tools.report import page
from host_tools.report.facts import facts
from host_tools.report.noise import noise
from host_tools.streaming.convert import Streaming
from tests.models import model_file

DEMO = Path(str(files("host_tools.demo")))
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def streamed(feed: bool) -> ModelFile:
    wanted = Streaming("max", ["image"] if feed else [])
    return ModelFile(convert(DEMO / "digits.onnx", options=Options(stream=wanted)), "digits_rows.nnm")


def overlapping(panel: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Pairs of boxes that share addresses at the same time."""
    boxes = panel["boxes"]
    return [
        (one, other)
        for i, one in enumerate(boxes)
        for other in boxes[:i]
        if one["first"] <= other["last"]
        and other["first"] <= one["last"]
        and one["offset"] < other["offset"] + other["nbytes"]
        and other["offset"] < one["offset"] + one["nbytes"]
    ]


@pytest.mark.parametrize("model", [converted(), quantised(), streamed(False), streamed(True)], ids=lambda m: m.name)
def test_no_two_boxes_of_a_map_lie_over_each_other(model: ModelFile) -> None:
    told = facts(model)
    on, off, rows = told["panels"]
    assert (on["title"], off["title"]) == ("lightmode on", "lightmode off")
    assert off["size"] > on["size"] > rows["size"]
    for panel in told["panels"]:
        assert not overlapping(panel)
        assert max(box["offset"] + box["nbytes"] for box in panel["boxes"]) <= panel["size"]
        assert all(-1 <= box["first"] <= box["last"] < len(panel["layers"]) for box in panel["boxes"])
    if model.net.steps_at:
        assert told["runs"] == rows["title"] == "streamed" and rows["size"] == model.net.arena_size


def test_cost_and_layers_are_those_of_the_bench(tmp_path: Path) -> None:
    model = converted()
    layers = [{"op": model.layer_op(i), "time_us": 10 + i} for i in range(model.net.n_layers)]
    bench = {"time_us": 500, "time_us_per_mac": 0.1, "device": "d", "backend": "b", "per_layer": layers}
    told = facts(model, bench=bench)
    assert [layer["cost"] for layer in told["layers"]] == [10 + i for i in range(12)]
    assert sum(layer["macs"] for layer in told["layers"]) == 42992 and told["cost"]["unit"] == "µs"
    with pytest.raises(ValueError, match="of another model"):
        facts(quantised(), bench=bench)


def test_quantisation_error_is_small_beside_the_float_model_and_nothing_beside_itself() -> None:
    assert set(noise(converted(), DEMO / "digits.onnx").values()) <= {None, *(90 + x / 10 for x in range(2000))}
    found = noise(quantised(), DEMO / "digits.onnx", DEMO / "digits_calibration.npz")
    # 8 bits have at best 20 log10(2^8) + 1.76 = 50 dB.
    assert len(found) >= 10 and all(value is not None and 20 < value < 50 for value in found.values())
    told = facts(quantised(), noise=found, twin="digits.onnx")
    assert sum("noise" in layer for layer in told["layers"]) >= len(found)
    assert "--float" in facts(quantised())["noise"] and "float32" in facts(converted())["noise"]


def test_an_input_of_another_name_is_the_one_in_its_place(tmp_path: Path) -> None:
    twin = onnx.load(DEMO / "digits.onnx")
    twin.graph.input[0].name = "picture"
    for node in twin.graph.node:
        node.input[:] = ["picture" if name == "image" else name for name in node.input]
    onnx.save(twin, tmp_path / "twin.onnx")
    assert noise(quantised(), tmp_path / "twin.onnx") == noise(quantised(), DEMO / "digits.onnx")


def test_the_graph_has_every_layer_after_what_it_reads() -> None:
    graph = facts(converted())["graph"]
    levels = [node["level"] for node in graph["nodes"]]
    assert len(levels) == 13 and all(levels[one] < levels[two] for one, two in graph["edges"])
    assert len({(node["level"], node["lane"]) for node in graph["nodes"]}) == len(levels)


class Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)


def test_names_do_no_harm_and_nothing_is_fetched() -> None:
    told = facts(converted())
    told["title"] = told["graph"]["nodes"][0]["name"] = "</script><img src=x onerror=alert(1)> \u2028"
    text = page(told)
    found = Scripts()
    found.feed(text)
    assert found.tags.count("script") == 1 and "img" not in found.tags and "link" not in found.tags
    assert set(re.findall(r"https?://[^\"' ]*", text)) == {"http://www.w3.org/2000/svg"}  # a name, never fetched
    data = re.search(r"^const DATA = (.*);$", text, re.MULTILINE)
    assert data and json.loads(data[1])["title"].startswith("</script>")


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    told = CliRunner().invoke(app, ["report", str(model_file("digits.nnm")), "-o", str(out), "--board", "rpi_pico"])
    assert told.exit_code == 0 and out.read_text().startswith("<!doctype html>")
    (tmp_path / "bench.json").write_text('{"per_layer": [3]}')
    for wrong in (["--board", "abacus"], ["--bench", str(tmp_path / "bench.json")]):
        told = CliRunner().invoke(app, ["report", str(model_file("digits.nnm")), "-o", str(out), *wrong])
        assert told.exit_code == 1 and "Traceback" not in told.output


# What a person does: another map, the pointer on a box, the wheel. What was seen is left in the page.
ACTS = """
<script>
const seen = {boxes: DATA.panels.map(each => each.boxes.length)};
seen.rows = document.querySelectorAll("#layers tbody tr").length;
byId("tabs").children[1].click();
const frame = canvas.getBoundingClientRect(), box = panel.boxes[0];
const there = {clientX: frame.left + x(box.first + 1.5), clientY: frame.top + y(box.offset + box.nbytes / 2)};
const to = (kind, more) => canvas.dispatchEvent(
  new (kind === "wheel" ? WheelEvent : PointerEvent)(kind, {bubbles: true, cancelable: true, ...there, ...more}));
to("pointermove", {pointerId: 1, pointerType: "mouse"});
seen.tip = tip.textContent;
to("wheel", {deltaY: -100});
seen.zoomed = view.x1 - view.x0 < columns();
const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data, colours = new Set();
for (let i = 0; i < pixels.length; i += 4) colours.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);
seen.colours = colours.size;
byId("all").click();
seen.whole = view.x1 - view.x0 === columns();
seen.scrolls = document.documentElement.scrollWidth > innerWidth;
document.title = "SEEN " + JSON.stringify(seen);
</script>
"""


@pytest.mark.skipif(BROWSER is None, reason="no chromium here")
@pytest.mark.parametrize(
    "width",
    [pytest.param(1200, marks=pytest.mark.slow, id="desk"), pytest.param(500, id="phone")],  # chromium's narrowest
)
def test_the_page_in_a_browser(tmp_path: Path, width: int) -> None:
    text = page(facts(streamed(True), board="rpi_pico"))
    path = tmp_path / "report.html"
    path.write_text(text.replace("</body>", ACTS + "</body>"))
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += [f"--window-size={width},900", "--virtual-time-budget=2000", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r"<title>SEEN (.*)</title>", done.stdout)
    assert found, done.stderr[-500:]
    seen = json.loads(found[1].replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"))
    assert seen["rows"] == 12 and min(seen["boxes"]) >= 10
    assert "image" in seen["tip"] and "256 bytes at 0" in seen["tip"] and "in use" in seen["tip"]
    assert seen["zoomed"] and seen["whole"] and seen["colours"] > 20
    assert not seen["scrolls"]  # sideways: what is wide scrolls by itself
