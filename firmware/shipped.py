"""Firmware that came with an installed nnmicro, so that nothing has to be compiled for it.

`make dist` puts it into the wheel. Its name has a hash of the engine and the C modules that are in it: where somebody
has changed these, it is not used.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from firmware import c_modules, engine
from firmware.order import Order

FOLDER = Path(__file__).parent / "shipped_images"
_HASH_DIGITS = 16


def find(order: Order, own: Sequence[Path], module_file: str, product: str) -> Path | None:
    """The firmware that came with this nnmicro, None if there is none: for what is ordered with a user's own modules,
    another arena, or another MicroPython."""
    if not FOLDER.is_dir() or order.modules or order.arena is not None or os.environ.get("MICROPYTHON"):
        return None
    path = FOLDER / name(order, own, module_file, product)
    return path if path.is_file() else None


def name(order: Order, own: Sequence[Path], module_file: str, product: str) -> str:
    """What the file is called: board, contents, and a hash of what of nnmicro is in it."""
    inputs = [engine.version(), *c_modules.identity(order, own, module_file)]
    if order.has_engine:
        inputs.append(engine.identity())
    key = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:_HASH_DIGITS]
    return f"{order.board}-{order.contents}-{key}{Path(product).suffix}"
