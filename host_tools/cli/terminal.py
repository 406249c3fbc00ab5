"""What every command shows and how it ends: messages on standard error, results on standard output, exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..device import DeviceError
from ..graph import ConversionError
from ..model_file import ArenaFull, ModelError

messages = Console(stderr=True, highlight=False, soft_wrap=True)
results = Console(highlight=False, soft_wrap=True)

_MISTAKES = (ArenaFull, ConversionError, DeviceError, ModelError, OSError, ValueError)


@contextmanager
def mistakes_are_sentences() -> Iterator[None]:
    """A user's mistake becomes one sentence on standard error and exit code 1; Ctrl-C exit code 130."""
    try:
        yield
    except KeyError as error:
        _fail(error.args[0] if error.args else error)
    except _MISTAKES as error:
        _fail(error)
    except KeyboardInterrupt:
        messages.print("stopped")
        raise typer.Exit(130) from None


def _fail(error: object) -> None:
    say_mistake(str(error))
    raise typer.Exit(1)


def say_mistake(text: str) -> None:
    """A sentence about what went wrong, on standard error."""
    messages.print(f"[bold red]error:[/] {plain(text)}")


def plain(text: str) -> str:
    """Text that may hold square brackets, shown as it is."""
    return text.replace("[", "\\[")


def warn(text: str) -> None:
    messages.print(f"[yellow]note:[/] {plain(text)}")


def print_json(value: dict[str, Any]) -> None:
    """One object on standard output, and nothing else there."""
    sys.stdout.write(json.dumps(value, indent=1) + "\n")


@contextmanager
def progress(title: str | None = None, total: int = 0) -> Iterator[Progress]:
    """A bar on standard error for what takes more than a second; without a title none yet, they can be added."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=messages,
        transient=True,
    ) as bar:
        if title is not None:
            bar.add_task(title, total=total)
        yield bar


def size_text(nbytes: int) -> str:
    return f"{nbytes:,} bytes"
