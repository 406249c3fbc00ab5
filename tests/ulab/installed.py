"""Puts the strict stand-in where the engine looks for ulab."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import nnmicro
from tests.ulab import strict

_ENGINE = "nnmicro.vector"
_ARRAYS = "nnmicro.arrays"  # where the engine looks for it


def _of_ulab() -> list[str]:
    return [name for name in sys.modules if name in (_ENGINE, _ARRAYS) or name.startswith(_ENGINE + ".")]


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """While this lasts `import ulab` gives the stand-in, and the vector backend is one that found it."""
    before = {name: sys.modules.pop(name) for name in _of_ulab()}
    attributes = {name: vars(nnmicro).pop(name) for name in ("vector", "arrays") if name in vars(nnmicro)}
    ulab = ModuleType("ulab")
    ulab.numpy = strict.numpy_of_ulab
    sys.modules["ulab"], sys.modules["ulab.numpy"] = ulab, strict.numpy_of_ulab
    try:
        yield
    finally:
        for name in ["ulab", "ulab.numpy", *_of_ulab()]:
            sys.modules.pop(name, None)
        sys.modules.update(before)
        for name in ("vector", "arrays"):
            vars(nnmicro).pop(name, None)
        vars(nnmicro).update(attributes)


def kernels(names: list[str]) -> dict[str, ModuleType]:
    """Modules of the vector backend by name, on the stand-in."""
    with installed():
        modules = {name: import_module(f"{_ENGINE}.{name}") for name in names}
        assert import_module(f"{_ENGINE}.array").np is strict.numpy_of_ulab
    return modules
