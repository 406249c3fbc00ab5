"""The picture as one page that needs no network: move the mouse over a block to see what it holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files

from .panels import COLOURS, Panel


def page(title: str, panels: list[Panel]) -> str:
    """The page's text. Names come from a file that may be hostile: none of them can end the script."""
    drawn = [asdict(panel) for panel in panels]
    for panel, values in zip(panels, drawn, strict=True):
        for box, told in zip(panel.boxes, values["boxes"], strict=True):
            told["label"] = box.label
    data = json.dumps({"title": title, "colours": COLOURS, "panels": drawn})
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return template.replace("/*DATA*/", data.replace("<", "\\u003c").replace("\u2028", "\\u2028"))
