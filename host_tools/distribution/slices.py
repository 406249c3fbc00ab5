"""The engine in slices, so that a board carries only what it runs: which modules each has, and which it needs besides.

Found in the engine's own sources, as `nnmicro push` finds what a model needs. Modules that several slices need are in
each of them, the same file; mip leaves alone what is there already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from firmware import native_mpy
from firmware.native_mpy import COMPILERS, FAMILIES

from ..device.engine_files import INSTRUCTION_SETS, suits
from ..device.needed import IN_ASSEMBLER, closure, layers_of, modules

# Processors that MicroPython's compiler emits machine code for, of which boards are made.
VIPER_ARCHES = ("armv6m", "armv7m", "armv7emsp", "armv7emdp", "xtensawin", "rv32imc", "x64")
_CORE = "nnmicro-core"
_OWN = {
    "nnmicro-streaming": ("streaming", "feeding", "stepping"),
    "nnmicro-window": ("tables", "window", "channels"),
    "nnmicro-selftest": ("selftest", "format"),
}
_BACKENDS = ("reference", "vector", "asm_thumb", "viper")


@dataclass(frozen=True)
class Slice:
    """`modules` by their names below the package (`net`, `reference.softmax`), packages left out. `arch`: the code is
    for one processor. `native`: the family of kernels in C that is in it, as `_nnmicro.mpy`."""

    name: str
    about: str
    modules: frozenset[str]
    needs: tuple[str, ...] = (_CORE,)
    arch: str | None = None
    native: str | None = None


def slices() -> list[Slice]:
    """All of them, each after those that it needs."""
    apart = set().union(*_OWN.values())
    core = (set(closure("net")) | set(closure("option")) | set(closure("preprocessing"))) - apart
    found = [
        Slice(_CORE, "loads a model and runs it; needs layers besides", _plain(core), needs=()),
        _layers("nnmicro-float", "every float32 layer in plain Python", "float"),
        _layers("nnmicro-int8", "every int8 layer in plain Python", "int8"),
        Slice(
            "nnmicro-vector",
            "float32 layers through ulab",
            _layers_in("vector", layers_of("vector")) | {"vector.array"},
            needs=("nnmicro-float",),
        ),
        Slice("nnmicro-streaming", "models that run row by row", _own("nnmicro-streaming", core)),
        Slice("nnmicro-window", "weights that stay in the file", _own("nnmicro-window", core)),
        Slice("nnmicro-selftest", "runs a model's golden vectors", _own("nnmicro-selftest", core)),
    ]
    found.append(
        Slice("nnmicro", "all of the engine in Python", frozenset(), needs=tuple(slice.name for slice in found))
    )
    found += [
        Slice(
            f"nnmicro-viper-{arch}",
            f"int8 layers as machine code for {arch}",
            _layers_in("viper", layers_of("viper")),
            needs=("nnmicro-int8",),
            arch=arch,
        )
        for arch in VIPER_ARCHES
    ]
    found += [
        Slice(
            f"nnmicro-asm-thumb-{arch}",
            f"the int8 layers that take nearly all of the time, in assembler for {arch}",
            frozenset(
                name
                for name in _layers_in("asm_thumb", layers_of("asm_thumb")) | {IN_ASSEMBLER}
                if suits(f"{name.replace('.', '/')}.py", arch)
            ),
            needs=(f"nnmicro-viper-{arch}",),
            arch=arch,
        )
        for arch in VIPER_ARCHES
        if arch in INSTRUCTION_SETS
    ]
    found += [
        Slice(
            f"nnmicro-native-{family}-{arch}",
            f"kernels in C for {arch}: {family}",
            frozenset(),
            arch=arch,
            native=family,
        )
        for arch in COMPILERS
        for family in FAMILIES
    ]
    return found


def _layers(name: str, about: str, family: str) -> Slice:
    return Slice(name, about, _layers_in("reference", native_mpy.kernels(family) & layers_of("reference")))


def _layers_in(backend: str, ops: Iterable[str]) -> frozenset[str]:
    return _plain({module for op in ops for module in closure(f"{backend}.{op}") if module.startswith(backend)})


def _own(name: str, core: Iterable[str]) -> frozenset[str]:
    return _plain({module for start in _OWN[name] for module in closure(start)}) - frozenset(core)


def _plain(names: Iterable[str]) -> frozenset[str]:
    """Without the packages: those come along with what is in them."""
    return frozenset(name for name in names if not modules()[name][1])
