"""What is on a device: its firmware, the engine and where that is from, memory, flash, models."""

from __future__ import annotations

import ast
from dataclasses import asdict, dataclass
from typing import Any

from host_tools.device.device import Device
from host_tools.device.engine_there import ask_engine
from host_tools.device.errors import DeviceError, DeviceFileNotFound
from host_tools.device.models import ModelOnDevice, models
from host_tools.device.on_device import program
from host_tools.device.romfs import FOLDER as ROMFS

_SILENCE_S = 300.0


@dataclass(frozen=True)
class EngineOnDevice:
    """The engine that a program on the device imports.

    `where` is `frozen` (in the firmware) or the file; `format` the newest version of model files that it reads;
    `kernel_abi` that of the native module, None without one; `backends` each with the reason why it cannot be used.
    """

    version: str
    where: str
    format: int
    kernel_abi: int | None
    backends: dict[str, str | None]


@dataclass(frozen=True)
class DeviceStatus:
    """Sizes in bytes, after a soft reset; None where the device cannot tell or has no such thing."""

    device: str
    firmware: str
    machine: str
    native_arch: str | None
    heap: int
    free_heap: int
    largest_block: int
    flash: int | None
    flash_free: int | None
    romfs: int | None
    engine: EngineOnDevice | None
    models: list[ModelOnDevice]

    def describe(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def status(device: Device) -> DeviceStatus:
    """Ask a device about itself. It is soft-reset first, so that what ran before has no memory any more."""
    device.soft_reset()
    description = device.info()
    answer = device.exec(program("status"), timeout=_SILENCE_S)
    try:
        memory, flash, romfs, engine = (ast.literal_eval(line) for line in answer.decode().splitlines())
        free, largest = (int(each) for each in memory)
        block, blocks_free, blocks = (int(each) for each in flash) if flash else (0, 0, 0)
        there, _ = ask_engine(device)
        on_device = _engine(engine, there.origin if there else "?")
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise DeviceError(f"The device's description of itself makes no sense: {answer[:200]!r}.") from None
    device.soft_reset()
    return DeviceStatus(
        device=device.spec,
        firmware=f"MicroPython {description.version_text} ({description.sysname})",
        machine=description.machine,
        native_arch=description.native_arch,
        heap=description.heap,
        free_heap=free,
        largest_block=largest,
        flash=block * blocks if flash else None,
        flash_free=block * blocks_free if flash else None,
        romfs=int(romfs) if romfs else None,
        engine=on_device,
        models=all_models(device),
    )


def _engine(answer: Any, where: str) -> EngineOnDevice | None:
    if answer is None:
        return None
    version, file_format, abi, backends = answer
    return EngineOnDevice(
        version=str(version),
        where=where,
        format=int(file_format),
        kernel_abi=None if abi is None else int(abi),
        backends={str(name): None if why is None else str(why) for name, why in backends},
    )


def all_models(device: Device) -> list[ModelOnDevice]:
    """The models in the device's root and in its ROMFS."""
    found = models(device, "/")
    try:
        found += models(device, ROMFS)
    except DeviceFileNotFound:
        pass
    return found
