"""Real models and inputs that are not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


def found(path: str) -> Path | None:
    """A file of the shared folder ($NNMICRO_SHARED, or `shared` beside the repository), if it is there."""
    file = Path(os.environ.get("NNMICRO_SHARED") or _REPOSITORY.parent / "shared") / path
    return file if file.exists() else None


def shared(path: str) -> Path:
    """A file of the shared folder; skips the test without it."""
    file = found(path)
    if file is None:
        pytest.skip(f"{path} is not in the shared folder; set NNMICRO_SHARED to where it is")
    return file
