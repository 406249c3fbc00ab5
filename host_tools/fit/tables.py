"""The measured constants beside this file."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from importlib import resources
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """A TOML file of this folder."""
    # Before Python 3.11 it was a package of its own.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    read: dict[str, Any] = toml.loads((resources.files(__package__) / name).read_text(encoding="utf-8"))
    return read
