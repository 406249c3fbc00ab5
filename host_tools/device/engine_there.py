"""Asks a device which engine it has: version, format of model files, the kernels' ABI, and where that comes from."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from host_tools.device.device import Device
from host_tools.device.errors import DeviceError
from host_tools.device.on_device import program

FROZEN = "frozen"
_LONGEST = 200  # characters of what a device says about itself
_SILENCE_S = 120.0


@dataclass(frozen=True)
class Kernels:
    """The module `_nnmicro` on a device: its ABI (-1: it does not load, `broken` says why), whether it is compiled into
    the firmware, what that says about itself, and which of the kinds asked for it lacks."""

    abi: int
    built_in: bool
    build: str
    missing: tuple[str, ...]
    broken: str | None = None


@dataclass(frozen=True)
class EngineThere:
    """The package `nnmicro` that a device imports. `origin` is `frozen` or the file; `model_format` the version of
    model files that it reads, None where its files do not tell; `layers` where it looks for layers in Python, None
    where it has no place for them."""

    version: str
    origin: str
    model_format: int | None
    layers: str | None = None

    @property
    def is_frozen(self) -> bool:
        return self.origin == FROZEN

    @property
    def layers_are_files(self) -> bool:
        """Whether it is frozen without the layers in Python, which are then found among the files."""
        return self.is_frozen and self.layers is not None and self.layers.startswith("/")


def ask_engine(
    device: Device, kinds: Collection[str] = (), *, files: bool = False
) -> tuple[EngineThere | None, Kernels | None]:
    """The engine and the kernels in C that `device` has; None for what it has not.

    The kernels are asked which of `kinds` of layers they lack. With `files` those of a native module on the file
    system count too: it is loaded, which proves that it can be. DeviceError for an answer that makes no sense.
    """
    answer = device.exec(program("engine") + f"_engine({sorted(kinds)!r}, {files})\ndel _engine\n", timeout=_SILENCE_S)
    try:
        engine, kernels = ast.literal_eval(answer.decode("utf-8").strip())
        return _engine(engine), _kernels(kernels)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise DeviceError(f"The device's answer about its engine makes no sense: {answer[:_LONGEST]!r}.") from None


def _engine(answer: Any) -> EngineThere | None:
    if answer is None:
        return None
    version, file, on_files, model_format, layers = answer
    if type(version) is not str or type(file) is not str or type(on_files) is not bool:
        raise ValueError
    if type(model_format) not in (int, type(None)) or type(layers) not in (str, type(None)):
        raise ValueError
    # What lies in the root has a name without a folder, too.
    origin = ("" if file.startswith("/") else "/") + file if on_files else FROZEN
    return EngineThere(version[:_LONGEST], origin[:_LONGEST], model_format, layers and layers[:_LONGEST])


def _kernels(answer: Any) -> Kernels | None:
    if answer is None:
        return None
    abi, file, build, missing = answer
    if type(abi) is not int or type(build) is not str or type(missing) is not list:
        raise ValueError
    if abi < 0:
        return Kernels(-1, False, "", (), str(file)[:_LONGEST])
    return Kernels(abi, file is None, build[:_LONGEST], tuple(str(each)[:_LONGEST] for each in missing))
