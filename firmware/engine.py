"""The engine as firmware carries it: its version, and a hash that tells one engine from another."""

from __future__ import annotations

import hashlib
import re
from importlib.util import find_spec
from pathlib import Path

MANIFEST = Path(__file__).parent / "manifest.py"
APART = MANIFEST.parent / "apart"  # what it freezes in place of modules that a firmware need not have
HASH_DIGITS = 16


def folder() -> Path:
    """Where the engine's package is installed."""
    found = find_spec("nnmicro")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent


def identity() -> str:
    """The first digits of a SHA-256 over names and contents of the engine's modules, as `_nnmicro.BUILD` has them."""
    digest = hashlib.sha256()
    for file in sorted(folder().rglob("*.py")):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(folder()).as_posix()}\0{content}\0".encode())
    return digest.hexdigest()[:HASH_DIGITS]


def version() -> str:
    """nnmicro's version, as the engine names it."""
    text = (folder() / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"\s]+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]
