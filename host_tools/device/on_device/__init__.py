"""Programs that the host sends to a device and runs there: MicroPython's language, and no more of it than needed."""

from __future__ import annotations

from importlib.resources import files


def program(name: str) -> str:
    """The program `name` as it is sent: without its documentation, which would only cost time on the wire."""
    text = (files(__name__) / f"{name}.py").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return "".join(" " * ((len(line) - len(line.lstrip())) // 4) + line.lstrip() + "\n" for line in lines)
