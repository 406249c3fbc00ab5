"""Chooses what of the engine a model needs on a device: which modules, and which native module or none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from firmware import native_mpy
from firmware.errors import FirmwareError
from firmware.native_mpy import NativeModule
from host_tools.device.device import Device
from host_tools.device.engine import NATIVE
from host_tools.device.engine_files import INSTRUCTION_SETS
from host_tools.device.engine_there import Kernels
from host_tools.device.errors import DeviceError
from host_tools.device.info import DeviceInfo, arch_number
from host_tools.device.needed import layers_of, needed_modules
from host_tools.fit import heap
from host_tools.model_file import ModelFile
from host_tools.packing.cores import DSP, MODULES, NOT_HERE, is_packed_kind, plain_kind
from nnmicro.available import ASSEMBLER

# MicroPython says armv7em of Armv7-M cores without an FPU, the Cortex-M3 among them, and loads what is for Armv7-M.
_ALSO_LOADS = {"armv7em": "armv7m"}

# Not every port that loads machine code has the assembler.
_ASSEMBLES = f"try:\n exec({ASSEMBLER!r}, {{}})\n print(1)\nexcept SyntaxError:\n pass\n"


@dataclass(frozen=True)
class Choice:
    """`backend`: what the layers will run in; `modules` for `push_engine`; `native`: a module to put there.

    `removes_native`: one that is there has to go, or the engine would use it. `notes` are sentences for the user.
    """

    backend: str
    modules: list[str]
    native: NativeModule | None
    removes_native: bool
    notes: list[str]


def choose(
    device: Device,
    model: ModelFile,
    kernels: Kernels | None,
    *,
    backend: str | None = None,
    mapped: bool = False,
    refused: str | None = None,
) -> Choice:
    """What `model` needs on `device`, whose firmware has these `kernels`.

    The best there is: kernels in the firmware, else the smallest family of a native module for its processor that has
    all kernels the model needs and for which there is room in the heap, else int8 layers in assembler and in viper,
    else plain Python. `backend` is what the user wants instead; `mapped`: the model is used in place; `refused` is why
    a native module did not do.
    DeviceError where `backend` cannot be had.
    """
    ops = model.kinds
    extra = ["selftest"] if model.golden else []
    notes: list[str] = []
    python = ["asm_thumb", "viper"] if backend == "asm_thumb" else [backend] if backend is not None else []
    if kernels is not None and kernels.built_in and kernels.abi == native_mpy.abi():
        if backend in (None, "_nnmicro"):
            there = set(ops) - set(kernels.missing)
            _check_packing(device, ops, there)
            modules = needed_modules(model.net, "_nnmicro", there, ops)
            lacking = sorted(native_mpy.kernels("all").intersection(kernels.missing))
            if lacking:
                notes.append(
                    f"The firmware has no kernels in C for {', '.join(lacking)}: these layers run in plain Python, "
                    "which is slower. A firmware with all kernels (make firmware FAMILY=all) has them."
                )
            return Choice("_nnmicro", sorted({*modules, *extra}), None, False, notes)
        return _python(device, model, python, False, extra, notes)
    if backend not in (None, "_nnmicro"):
        return _python(device, model, python, False, extra, notes)
    native: NativeModule | str
    if kernels is not None and kernels.built_in:
        native = (
            f"The firmware's _nnmicro has kernel ABI {kernels.abi} and this engine needs {native_mpy.abi()}: "
            "the board needs a newer firmware."
        )
    else:
        native = refused or _native(device, model, ops, mapped)
        if not isinstance(native, NativeModule):
            _check_packing(device, ops, (), native)
    if isinstance(native, NativeModule):
        modules = needed_modules(model.net, "_nnmicro", native_mpy.kernels(native.family).union(_packed(ops)), ops)
        return Choice("_nnmicro", sorted({*modules, *extra}), native, False, notes)
    if backend == "_nnmicro":
        raise DeviceError(f"Backend _nnmicro cannot be had on {device.spec}. {native}")
    names = _python_backends(device, ops)
    notes.append(f"{native} Layers run in {names[0]} instead, which is slower.")
    return _python(device, model, names, True, extra, notes)


def _packed(ops: Sequence[str]) -> set[str]:
    """Those kinds that only a core's own kernels run."""
    return set(filter(is_packed_kind, ops))


def _check_packing(device: Device, ops: Sequence[str], there: Collection[str], why: str = "") -> None:
    """Refuse a model packed for kernels that are not among those that are `there`."""
    if _packed(ops) - set(there):
        raise DeviceError(f"{device.spec}: {why} {NOT_HERE}" if why else f"{device.spec}: {NOT_HERE}")


def _python(
    device: Device, model: ModelFile, backends: Sequence[str], removes: bool, extra: list[str], notes: list[str]
) -> Choice:
    _check_packing(device, model.kinds, ())
    modules = {module for name in backends for module in needed_modules(model.net, name)}
    return Choice(backends[0], sorted({*modules, *extra}), None, removes, notes)


def _python_backends(device: Device, ops: list[str]) -> list[str]:
    """The backends in Python that the engine would use there, best first."""
    found = []
    if set(ops) & layers_of("vector") and device.exec("try:\n import ulab\n print(1)\nexcept ImportError: pass"):
        found.append("vector")
    if set(ops) & layers_of("asm_thumb") and device.description.native_arch in INSTRUCTION_SETS:
        if device.exec(_ASSEMBLES):
            found.append("asm_thumb")
    if set(ops) & layers_of("viper") and device.description.native_arch:
        found.append("viper")
    return [*found, "reference"]


def _native(device: Device, model: ModelFile, ops: list[str], mapped: bool) -> NativeModule | str:
    """The native module for this model, or a sentence that says why there is none."""
    info = device.description
    if info.native_arch is None:
        return "The device takes no machine code."
    arch = _ALSO_LOADS.get(info.native_arch, info.native_arch)
    if arch not in native_mpy.COMPILERS:
        return f"There are no kernels in C for {arch} as a file."
    if _packed(ops) and arch not in MODULES[DSP]:
        return f"The kernels in C for {arch} read other weights."
    there = _family_there(device, arch)
    wanted = native_mpy.family_for([plain_kind(op) for op in ops])
    if there is not None and there != wanted:
        # For this model, and for those that it was put there for.
        wanted = there if native_mpy.kernels(wanted) <= native_mpy.kernels(there) else "all"
    try:
        module = native_mpy.module(arch, wanted)
    except FirmwareError as error:
        return f"There are no kernels in C for {arch} here. {str(error).rstrip('.')}."
    version = (info.mpy_version, info.mpy_sub_version, arch_number(arch))
    if module.mpy_version != version:
        return (
            f"The kernels in C are a file of .mpy version {module.mpy_version[0]}.{module.mpy_version[1]}, the device "
            f"loads native code of {version[0]}.{version[1]}."
        )
    return module if there == wanted else (_no_room(device, info, model, module, mapped) or module)


def _family_there(device: Device, arch: str) -> str | None:
    """The family of the native module on the device, if a push of this engine has put it there: told by its size."""
    if not device.exists(NATIVE):
        return None
    size = device.stat(NATIVE).size
    modules = (native_mpy.kept(arch, family) for family in native_mpy.FAMILIES)
    return next((each.family for each in modules if each is not None and len(each.content) == size), None)


def _no_room(
    device: Device, description: DeviceInfo, model: ModelFile, module: NativeModule, mapped: bool
) -> str | None:
    """Why the native module and the model do not fit the heap together, or None: its code lies in the heap, too."""
    device.soft_reset()  # what ran before has no memory any more
    now = device.info()
    needs = heap.needs(model, "files", mapped=mapped, native=len(module.content), word_bytes=description.word_bytes)
    largest = now.largest_block if now.largest_block is not None else now.free_heap
    if needs.total <= now.free_heap and needs.pieces[0] <= largest:
        return None
    return (
        f"The kernels in C ({len(module.content):,} bytes) and this model need about {needs.total:,} bytes of heap, "
        f"{needs.pieces[0]:,} in one piece; {now.free_heap:,} are free, {largest:,} in one piece."
    )
