"""What an importer cannot express, collected so that one error names all of it at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from host_tools.graph import ConversionError
from host_tools.importers.rewrites import rewrite_of

INPUTS = "; inputs: "  # behind a reason come the shapes of what the layer is given


class Unsupported(Exception):
    """Raised by the function that imports one layer; the text is the reason, as the end of a sentence."""


class Refusals:
    """The layers of one source file that cannot be imported."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._lines: list[str] = []
        self._rewrites: dict[str, str] = {}

    def add(
        self, kind: str, name: str, reason: str, shapes: Iterable[tuple[int, ...] | None] = (), place: str = ""
    ) -> None:
        """`shapes`: of its inputs, None where one is not known; `place`: where in the file it stands."""
        known = [str(tuple(shape)) for shape in shapes if shape is not None]
        seen = INPUTS + ", ".join(known) if known else ""
        self._lines.append(f"  {kind}{f' ({place})' if place else ''} {name!r}: {reason}{seen}")
        rewrite = rewrite_of(kind)
        if rewrite:
            self._rewrites[kind] = rewrite

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
        rewrites = [f"  {kind}: {sentence}" for kind, sentence in self._rewrites.items()]
        raise ConversionError(
            "\n".join([head, *self._lines, *(["What helps:"] if rewrites else []), *rewrites, advice])
        )
