"""Real models and inputs that are not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


def shared(path: str) -> Path:
    """A file of the shared folder ($NNMICRO_SHARED, or `shared` beside the repository); skips the test
    without it.
    """
    folder = Path(os.environ.get("NNMICRO_SHARED") or _REPOSITORY.parent / "shared")
    found = folder / path
    if not found.exists():
        pytest.skip(f"{path} is not in the shared folder; set NNMICRO_SHARED to where it is")
    return found
