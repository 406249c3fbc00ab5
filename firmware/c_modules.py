"""The C modules of a firmware: the port's own, `_nnmicro` with what it says about this firmware, and the user's.

A build gets them all in one folder, by MicroPython's convention for USER_C_MODULES: a folder for each, with a
`micropython.mk` (ports that use make) or a `micropython.cmake`.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from firmware import cache
from firmware.errors import FirmwareError
from firmware.order import Order

NATIVE = Path(__file__).parent / "native"
_STAMP = "firmware_build.h"
_SOURCES = (*cache.C_SOURCES, ".cpp", ".S")


def of_user(order: Order, file: str) -> list[Path]:
    """The user's modules that have `file` (`micropython.mk`, `micropython.cmake`), as MicroPython looks for them."""
    if order.modules is None:
        return []
    folder = order.modules.expanduser().absolute()
    found = sorted(path.parent for path in folder.glob(f"*/{file}"))
    if not found and (folder / file).is_file():
        found = [folder]
    if not found:
        raise FirmwareError(f"USER_C_MODULES names {folder}, where no folder has a {file}.")
    return found


def identity(order: Order, own: Sequence[Path], file: str) -> list[str]:
    """What of the C modules goes into a build, for its name in the cache."""
    modules = [*own, *([NATIVE] if order.has_kernels else ()), *of_user(order, file)]
    chosen = [str(order.arena_bytes), *([order.family] if order.has_kernels else ())]
    return chosen + [f"{module.name} {cache.hash_folder(module, _SOURCES)}" for module in modules]


def gather(order: Order, own: Sequence[Path], file: str, stamp: str, target: Path) -> list[Path]:
    """Put the modules into the new folder `target`; `stamp` is what `_nnmicro.BUILD` says.

    Copies of ours, for a build must not write into an installed package; links to the user's, which may refer to
    what lies beside them. No path among them has a space in it, which make could not take.
    """
    target.mkdir()
    for module in own:
        shutil.copytree(module, target / module.name)
    if order.has_kernels:
        native = target / NATIVE.name
        shutil.copytree(NATIVE, native, ignore=shutil.ignore_patterns("__pycache__", "build"))
        (native / _STAMP).write_text(f'#define NN_BUILD "{stamp}"\n#define NN_STATIC_ARENA {order.arena_bytes}\n')
    for module in of_user(order, file):
        if (target / module.name).exists():
            raise FirmwareError(f"{module} has the name of a module of nnmicro's firmware: give its folder another.")
        (target / module.name).symlink_to(module)
    return sorted(path for path in target.iterdir() if (path / file).is_file())
