"""Tells what is going on, on standard error, so that standard output stays free for the result."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from rich.console import Console


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Show `text` while the block runs (a spinner on a terminal, else a line), then the seconds it took."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    started = time.monotonic()
    if sys.stderr.isatty():
        with console.status(text):
            yield
    else:
        console.print(f"{text} …", markup=False)
        yield
    console.print(f"{text}: done in {time.monotonic() - started:.1f} s", markup=False)
