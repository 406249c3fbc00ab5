"""`_nnmicro` as a native module, a .mpy file for one architecture, with the kernels of one family.

`python -m firmware.native_mpy ARCHITECTURE… --into firmware/native/built` puts files where an installed package has
them; without such a file it is built on demand and kept in the cache, where this machine has the compiler.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware import cache, compiling, source, system_packages
from firmware.errors import FirmwareError
from firmware.progress import step

RECIPE = Path(__file__).parent / "native"
SHIPPED = RECIPE / "built"
_PRODUCT = "_nnmicro.mpy"
_SOURCES = (*cache.C_SOURCES, "Makefile")
_HASH_DIGITS = 16
# What MicroPython's linker of native modules imports, by the package that brings it.
_LINKER = {"elftools": "pyelftools", "ar": "ar"}
_ARM = ("arm-none-eabi-gcc", ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi"))
_RISCV = ("riscv64-unknown-elf-gcc", ("gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf"))
# The compiler for each architecture of MicroPython's, and the Debian packages that bring it.
COMPILERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "x64": ("gcc", ("gcc", "libc6-dev")),
    "armv6m": _ARM,
    "armv7m": _ARM,
    "armv7emsp": _ARM,
    "armv7emdp": _ARM,
    "rv32imc": _RISCV,
}
# The lists of kernel.h that a family is made of, the smallest family first.
_LISTS = {"float": ("FLOAT", "MOVEMENT"), "int8": ("MOVEMENT", "INT8"), "all": ("FLOAT", "MOVEMENT", "INT8")}
FAMILIES = tuple(_LISTS)


@dataclass(frozen=True)
class NativeModule:
    """A native module's file: its family, and the version of the kernels' calls (`_nnmicro.ABI`)."""

    family: str
    abi: int
    content: bytes

    @property
    def mpy_version(self) -> tuple[int, int, int]:
        """Version, sub-version and number of the architecture, as a device has them in sys.implementation._mpy."""
        return self.content[1], self.content[2] & 3, self.content[2] >> 2 & 0xF


def kernels(family: str) -> frozenset[str]:
    """The kinds of layers that a family has."""
    text = (RECIPE / "kernel.h").read_text(encoding="utf-8")
    found: set[str] = set()
    for name in _LISTS[family]:
        listed = re.search(rf"#define NN_KERNELS_{name}\(X\)((?:[^\n]*\\\n)*[^\n]*)", text)
        assert listed is not None
        found |= set(re.findall(r"X\((\w+)\)", listed[1]))
    return frozenset(found)


def family_for(ops: Collection[str]) -> str:
    """The smallest family with all of these kinds of layers that any has; `share` needs no kernel."""
    wanted = set(ops) & kernels("all")
    return next(family for family in FAMILIES if wanted <= kernels(family))


def abi() -> int:
    """The ABI of the modules built here."""
    found = re.search(r"#define NN_ABI (\d+)\n", (RECIPE / "nn.h").read_text(encoding="utf-8"))
    assert found is not None
    return int(found[1])


def kept(arch: str, family: str) -> NativeModule | None:
    """The module if it is here already: in the package, or built before. Nothing is built."""
    places = [SHIPPED / file_name(arch, family)]
    if arch in COMPILERS and shutil.which(COMPILERS[arch][0]):
        places.append(_target(arch, family, source.candidates()[0]) / _PRODUCT)
    for path in places:
        if path.is_file():
            return NativeModule(family, abi(), path.read_bytes())
    return None


def module(arch: str, family: str) -> NativeModule:
    """The module, built first if need be (some seconds, once); FirmwareError says what is missing for that."""
    if arch not in COMPILERS:
        raise FirmwareError(f"There is no native module for {arch}; there are some for {', '.join(COMPILERS)}.")
    found = kept(arch, family)
    if found is not None:
        return found
    _require(arch)
    chosen, micropython = source.first_available(source.candidates())
    target = _target(arch, family, chosen)
    with cache.locked("native-build"):
        if not (target / _PRODUCT).is_file():
            with step(f"Compiling the kernels for {arch} ({family}; some seconds, only this once)"):
                _build(arch, family, micropython, target)
    return NativeModule(family, abi(), (target / _PRODUCT).read_bytes())


def _require(arch: str) -> None:
    program, packages = COMPILERS[arch]
    lacking = system_packages.missing(
        [system_packages.program(program, " ".join(packages)), system_packages.program("make", "make")]
    )
    if lacking:
        raise FirmwareError(
            f"Compiling the kernels for {arch} needs {', '.join(lacking)}. "
            f"On Debian or Ubuntu: apt-get install -y --no-install-recommends {' '.join(lacking)}"
        )
    packages = tuple(package for name, package in _LINKER.items() if importlib.util.find_spec(name) is None)
    if packages:
        raise FirmwareError(f"Linking the kernels for {arch} needs: pip install {' '.join(packages)}")


def _identity() -> str:
    """A hash of the kernels' sources."""
    digest = hashlib.sha256()
    for file in sorted(RECIPE.iterdir()):
        if file.is_file() and file.name.endswith(_SOURCES):
            digest.update(f"{file.name}\0{cache.hash_file(file)}\0".encode())
    return digest.hexdigest()[:_HASH_DIGITS]


def file_name(arch: str, family: str) -> str:
    """What a module is called in the installed package: with a hash of the kernels' sources."""
    return f"{arch}-{family}-{_identity()}.mpy"


def _target(arch: str, family: str, chosen: source.Source) -> Path:
    compiler = subprocess.run(
        [COMPILERS[arch][0], "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    key = hashlib.sha256(f"{chosen.identity}\n{compiler.stdout.splitlines()[:1]}".encode()).hexdigest()[:_HASH_DIGITS]
    return cache.folder() / "native" / f"{arch}-{family}-{_identity()}-{key}"


def _build(arch: str, family: str, micropython: Path, target: Path) -> None:
    if any(" " in str(path) for path in (micropython, target, Path(sys.executable))):
        raise FirmwareError(
            f"make takes no path with a space in it, as {target.parent} or {sys.executable} has: set NNMICRO_CACHE to "
            "another folder, or use a Python elsewhere."
        )
    with cache.unfinished(target) as work:
        # make must not write into an installed package, and takes no path with a space in it: hence a copy and a link.
        copy = work / "native"
        shutil.copytree(RECIPE, copy, ignore=shutil.ignore_patterns("__pycache__", "build", "built"))
        (work / "mpy-cross").symlink_to(compiling.mpy_cross())
        settings = {
            "MPY_DIR": micropython,
            "ARCH": arch,
            "FAMILY": family,
            "PYTHON": sys.executable,
            "MPY_CROSS": work / "mpy-cross",
        }
        command = ["make", "-C", str(copy), f"-j{os.cpu_count() or 1}"]
        compiling.run([*command, *(f"{name}={value}" for name, value in settings.items())], work / "log.txt", target)
        (copy / ("_nnmicro.mpy" if family == "all" else f"_nnmicro_{family}.mpy")).rename(work / _PRODUCT)
        shutil.rmtree(copy)
        for name in ("mpy-cross", "log.txt"):
            (work / name).unlink()


def main(arguments: Sequence[str]) -> int:
    """Build all families for architectures into a folder; 0 if that went well, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m firmware.native_mpy", description="Build the native modules.")
    parser.add_argument("arch", nargs="+", choices=COMPILERS)
    parser.add_argument("--into", type=Path, default=SHIPPED, help="default: where the installed package has them")
    given = parser.parse_args(arguments)
    try:
        for arch in given.arch:
            for family in FAMILIES:
                built = module(arch, family)
                given.into.mkdir(parents=True, exist_ok=True)
                path = given.into / file_name(arch, family)
                path.write_bytes(built.content)
                print(path)
    except FirmwareError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
