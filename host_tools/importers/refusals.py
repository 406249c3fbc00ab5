"""What an importer cannot express, collected so that one error names all of it at once."""

from __future__ import annotations

from pathlib import Path

from host_tools.graph import ConversionError


class Unsupported(Exception):
    """Raised by the function that imports one layer; the text is the reason, as the end of a sentence."""


class Refusals:
    """The layers of one source file that cannot be imported."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._lines: list[str] = []

    def add(self, kind: str, name: str, reason: str) -> None:
        self._lines.append(f"  {kind} {name!r}: {reason}")

    def __bool__(self) -> bool:
        return bool(self._lines)

    def raise_if_any(self) -> None:
        if not self._lines:
            return
        count = len(self._lines)
        head = f"{self._source.name}: {count} layer{'s are' if count > 1 else ' is'} not supported:"
        advice = (
            "Change these layers in the source model, or cut the graph before them: --output-blob NAME makes "
            "a blob an output and drops what follows."
        )
        raise ConversionError("\n".join([head, *self._lines, advice]))
