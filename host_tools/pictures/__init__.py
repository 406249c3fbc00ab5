"""The memory plan as a picture in a file: time to the right, the arena's addresses upwards, a box for each block."""

from __future__ import annotations

from pathlib import Path

from host_tools.graph import ConversionError

from .panels import Panel


def save(path: Path, title: str, panels: list[Panel]) -> None:
    """Write a .png, .svg (both by matplotlib) or .html (by itself, to move the mouse over)."""
    kind = path.suffix.lower()
    if kind == ".html":
        from .html import page

        path.write_text(page(title, panels), encoding="utf-8")
    elif kind in (".png", ".svg"):
        from .drawing import draw

        draw(path, title, panels)
    else:
        raise ConversionError(f"a picture is a .png, .svg or .html file, not {path.name!r}")
