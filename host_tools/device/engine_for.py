"""Brings onto a device what a model needs of the engine, and asks the device afterwards what it has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from firmware import native_mpy
from host_tools.device.choice import Choice, choose
from host_tools.device.device import Device
from host_tools.device.engine import EngineReport, is_this_one, push_engine, remove_native, remove_shadow
from host_tools.device.engine_there import EngineThere, ask_engine
from host_tools.device.errors import DeviceError, RemoteError
from host_tools.device.files import Progress
from host_tools.model_file import ModelFile
from nnmicro.format import VERSION


def push_engine_for(
    device: Device,
    model: ModelFile,
    *,
    backend: str | None = None,
    everything: bool = False,
    shadow: bool = False,
    mapped: bool = False,
    progress: Progress | None = None,
) -> EngineReport:
    """The parts of the engine that `model` needs, see `choice.py`; with `everything` all of its modules.

    A frozen engine is used as it is unless `shadow` puts this one before it. DeviceError, before anything is sent,
    where the engine that would run reads another format of model files.
    """
    if not shadow:
        remove_shadow(device)  # first, so that it is asked for the engine that will run
    there, kernels = ask_engine(device, model.kinds)
    uses_frozen = there is not None and there.is_frozen and not shadow
    if uses_frozen:
        _check_format(there)
    choice = choose(device, model, kernels, backend=backend, mapped=mapped)
    if uses_frozen and (there is None or not is_this_one(there, kernels)):
        choice = replace(choice, native=None, removes_native=False)  # other kernels than that engine's
    report = _push(device, choice, everything, shadow, progress)
    if choice.native is not None and report.sent:
        refused = _refused(device, choice, model.kinds)
        if refused:
            choice = choose(device, model, kernels, backend=backend, mapped=mapped, refused=refused)
            report = _together(report, _push(device, choice, everything, shadow, progress))
    abi = choice.native.abi if choice.native else report.kernel_abi
    return replace(
        report,
        warnings=[*choice.notes, *report.warnings],
        kernel_abi=abi,
        native=choice.native.family if choice.native else None,
        backend=choice.backend,
    )


def _push(device: Device, choice: Choice, everything: bool, shadow: bool, progress: Progress | None) -> EngineReport:
    if choice.removes_native and remove_native(device):
        choice.notes.append("The kernels in C that were there are removed: models that used them need another push.")
    return push_engine(
        device,
        modules=None if everything else choice.modules,
        native=choice.native.content if choice.native else None,
        shadow=shadow,
        progress=progress,
    )


def _check_format(there: EngineThere | None) -> None:
    if there is not None and there.model_format not in (None, VERSION):
        raise DeviceError(
            f"The engine in the device's firmware (nnmicro {there.version}) reads model format {there.model_format}, "
            f"this file has format {VERSION}. --shadow puts this nnmicro's engine before it, or flash a firmware "
            "that has it."
        )


def _refused(device: Device, choice: Choice, wanted: Collection[str]) -> str | None:
    """Why the native module that was just put there does not do, as a sentence; None if it does.

    The device loads it once: that proves more than any arithmetic here.
    """
    native = choice.native
    assert native is not None
    has = native_mpy.kernels(native.family)
    try:
        _, kernels = ask_engine(device, [kind for kind in wanted if kind in has], files=True)
    except RemoteError as error:
        return f"The device does not load the kernels in C: {error}"
    finally:
        device.soft_reset()
    if kernels is None or kernels.broken:
        return f"The device does not load the kernels in C ({kernels.broken if kernels else 'it does not find them'})."
    if kernels.abi != native.abi or kernels.missing:
        return (
            f"The device says that its kernels have ABI {kernels.abi} and lack {', '.join(kernels.missing) or 'none'}; "
            f"those sent have ABI {native.abi}."
        )
    return None


def _together(first: EngineReport, second: EngineReport) -> EngineReport:
    """The report of two pushes in a row."""
    return replace(
        second,
        sent=first.sent + second.sent,
        removed=first.removed + second.removed,
        wire_bytes=first.wire_bytes + second.wire_bytes,
        seconds=first.seconds + second.seconds,
    )
