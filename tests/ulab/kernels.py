"""The vector backend's layers on the strict stand-in for ulab."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable

import numpy as np

import nnmicro.vector
from nnmicro.call import Call
from tests.ulab import strict
from tests.ulab.installed import kernels

LAYERS = sorted({m.name for m in pkgutil.iter_modules(nnmicro.vector.__path__)} - {"array", "patches"})
MODULES = kernels(LAYERS)


def vector(op: str) -> Callable[[Call], None]:
    """A layer's kernel: a call that is made for it gets ulab's arrays."""

    def run(call: Call) -> None:
        for operand in call._pool:
            if operand.array is not None and not isinstance(operand.array, strict.ndarray):
                operand.array = strict.frombuffer(operand.array)
        with np.errstate(all="ignore"):  # ulab has no warnings
            MODULES[op].run(call)

    return run
