"""The MicroPython process that stands in for a board: the unix port with the boards' REPL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from firmware import cache, port
from firmware.order import Order
from firmware.sizes import Sizes, measure
from firmware.source import Source
from firmware.system_packages import Need, program

RECIPE = Path(__file__).parent / "unix"
FLAGS: dict[str, object] = {"VARIANT": "nnmicro", "MICROPY_PY_SSL": "0", "MICROPY_PY_BTREE": "0", "MICROPY_PY_FFI": "0"}


class UnixPort(port.Port):
    name = "unix"
    boards = ("unix",)
    product = "micropython"
    module_file = "micropython.mk"
    own_modules = (RECIPE / "rawrepl",)

    def needs(self, board: str) -> Sequence[Need]:
        has_headers = Need("libc6-dev", Path("/usr/include/stdio.h").exists)
        return program("gcc", "gcc"), has_headers, program("make", "make")

    def compiler(self, board: str) -> str:
        return "gcc"

    def inputs(self, order: Order, chosen: Source) -> list[str]:
        return [repr(sorted(FLAGS.items())), cache.hash_folder(RECIPE)]

    def compile(self, order: Order, micropython: Path, modules: list[Path], work: Path, target: Path) -> Sizes:
        settings = {**FLAGS, "VARIANT_DIR": work / "recipe" / "variant"}
        port.make("unix", micropython, RECIPE, order, settings, work, target)
        (work / "build" / self.product).rename(work / self.product)
        port.clear(work, "build", "recipe")
        return measure(work / self.product, "", None)
