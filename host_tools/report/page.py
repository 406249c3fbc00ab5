"""The page: one file that needs no network."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

_PARTS = ("page.css", "page.js", "map.js", "graph.js")


def page(told: dict[str, Any]) -> str:
    """The HTML of `facts`. Names come from a file that may be hostile: none of them can end the script."""
    here = files(__package__)
    text = here.joinpath("page.html").read_text(encoding="utf-8")
    for name in _PARTS:
        text = text.replace(f"/*{name}*/", here.joinpath(name).read_text(encoding="utf-8"))
    data = json.dumps(told, separators=(",", ":"))
    return text.replace("/*DATA*/", data.replace("<", "\\u003c").replace("\u2028", "\\u2028"))
