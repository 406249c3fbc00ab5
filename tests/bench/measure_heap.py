"""Measures on the emulated Pico how much heap models need, and writes host_tools/fit/heap.toml.

    python -m tests.bench.measure_heap            # prints what it would write, and predictions beside measurements
    python -m tests.bench.measure_heap --write
    python -m tests.bench.measure_heap frozen kws # one kind, or some models

The smallest heap with which a model loads and runs is found by bisection: a ballast, allocated first, takes the rest.
`frozen` is our firmware with the file used in place; `files` the firmware without engine, everything from littlefs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import host_tools.fit
from firmware import compiling, source
from firmware.native import host
from firmware.order import ENGINE, STOCK
from host_tools.device import RemoteError, push_engine
from host_tools.device.pico import FLASH_BYTES, PicoDevice
from host_tools.fit import heap, tables
from host_tools.model_file import ModelFile
from tests.bench.models import bench_models
from tests.boards import without_arena

FLASH_START = 0x10000000
STEP = 32  # bytes up to which the smallest heap is found
ABOVE = (1024, 512, 256, 128, 64)  # bytes above it at which the model has to run, too

# Prints the free heap before, and what was allocated at the end; a program that is too large for the heap raises.
PROBE = """\
def probe(ballast, backend):
    import gc
    gc.collect()
    free = gc.mem_free()
    ballast = bytearray(ballast)
    import nnmicro
    net = nnmicro.Net(SOURCE, nnmicro.Option(backend=backend))
    ex = net.extractor()
    for name in net.inputs:
        ex.input_view(name).fill(0)
    for name in net.outputs:
        ex.extract(name)
    return free
"""
GROWTH = """\
import gc
def growth(name):
    gc.collect()
    before = gc.mem_alloc()
    __import__(name)
    gc.collect()
    return gc.mem_alloc() - before
"""


class Bench:
    """An emulated Pico with engine (kind `frozen` or `files`) and one model at a time; a context manager."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._folder = tempfile.TemporaryDirectory(prefix="nnmicro-bench-")
        self._flash = Path(self._folder.name) / "flash"
        self.source = ""
        firmware = without_arena("rpi_pico", ENGINE if kind == "frozen" else STOCK)
        self.device = PicoDevice(flash=self._flash, firmware=firmware)
        if kind == "files":
            push_engine(self.device)
            self.device.write_file(native_module(), "/lib/_nnmicro.mpy")

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.device.close()
        self._folder.cleanup()

    def put(self, model: ModelFile) -> None:
        """Make a model the one that is measured."""
        if self.kind == "files":
            self.device.soft_reset()
            self.device.write_file(model.data, "/m.nnm")
            self.source = "'/m.nnm'"
            return
        # Where a ROMFS would have it, in flash; at its end there is room for any. The emulator reads that at its start.
        self.device.close()
        at = (FLASH_BYTES - len(model.data)) // 4096 * 4096
        with self._flash.open("r+b") as flash:
            flash.seek(at)
            flash.write(model.data)
        self.device = PicoDevice(flash=self._flash)
        self.source = f"__import__('uctypes').bytearray_at({FLASH_START + at}, {len(model.data)})"

    def free_heap(self, ballast: int, backend: str | None = None) -> int | None:
        """Free heap before the model; None where the rest beside the ballast is too small for it."""
        self.device.soft_reset()
        self.device.exec(PROBE.replace("SOURCE", self.source))
        try:
            return int(self.device.eval(f"probe({ballast}, {backend!r})", timeout=900))
        except RemoteError as error:
            if error.kind in ("MemoryError", "ArenaFull"):
                return None
            raise

    def smallest_heap(self, guess: int, backend: str | None = None) -> int:
        """The free heap from which on the model runs, to STEP bytes; found quickly where `guess` is near.

        Just above the smallest heap with which it happens to run there can be some with which it does not: what holes
        the collector leaves is a matter of chance. Those count as too small.
        """
        free = self.free_heap(0, backend)
        if free is None:
            raise MemoryError(f"the model does not fit the {self.kind} Pico at all")
        low, high, width = 0, free, 512  # it fails with `low` bytes, and runs with `high`
        while True:
            while high - low > STEP:
                middle = (low + high) // 2
                if low == 0:
                    middle = min(max(guess - width, 1), high - 16)
                    width *= 4
                elif high == free:
                    middle = min(low + width, high - 16)
                    width *= 4
                middle = middle // 16 * 16
                if self.free_heap(free - middle, backend) is None:
                    low = middle
                else:
                    high = middle
            above = (high + more for more in ABOVE if high + more < free)
            failing = next((size for size in above if self.free_heap(free - size, backend) is None), None)
            if failing is None:
                return high
            low, high = failing, free
            width = 256

    def growth(self, names: Iterable[str]) -> dict[str, int]:
        """The heap that each import takes, one after the other."""
        self.device.soft_reset()
        self.device.exec(GROWTH)
        return {name: int(self.device.eval(f"growth({name!r})", timeout=120)) for name in names}


def native_module(family: str = "int8") -> bytes:
    """The native module of a family for the Pico, built by firmware/native/Makefile."""
    _, micropython = source.first_available(source.candidates())
    with tempfile.TemporaryDirectory(prefix="nnmicro-native-") as folder:
        work = Path(folder) / "native"
        shutil.copytree(host.HERE, work, ignore=shutil.ignore_patterns("build", "__pycache__"))
        command = ["make", "-s", "-C", str(work), f"MPY_DIR={micropython}", "ARCH=armv6m", f"FAMILY={family}"]
        command += [f"MPY_CROSS={compiling.mpy_cross()}", f"PYTHON={sys.executable}"]
        subprocess.run(command, check=True, timeout=300, stdout=sys.stderr)
        return (work / f"_nnmicro_{family}.mpy").read_bytes()


def predicted(model: ModelFile, kind: str) -> int:
    return heap.needs(
        model,
        kind,
        mapped=kind == "frozen",
        native=heap.native_bytes(model, "armv6m") if kind == "files" else 0,
    ).total


def constants(found: Bench, models: dict[str, ModelFile]) -> tuple[str, dict[str, int]]:
    """The table of a kind as TOML, and the smallest heaps by model."""
    modules: dict[str, None] = {}
    for op in heap.layer_kinds():
        modules |= dict.fromkeys(heap.closure(f"reference.{op}"))
    modules_toml = {module: 0 for module in modules if module.startswith("reference.")}
    sizes = found.growth(["nnmicro.net", *(f"nnmicro.{module}".removesuffix(".__init__") for module in modules_toml)])
    engine = sizes.pop("nnmicro.net")
    modules_toml = dict(zip(modules_toml, sizes.values(), strict=True))
    tables.table("heap.toml")[found.kind]["modules"] = modules_toml
    smallest, rows, rest = {}, [], []
    for name, model in models.items():
        if not measurable(model, found.kind):
            continue
        found.put(model)
        smallest[name] = found.smallest_heap(predicted(model, found.kind))
        pieces = heap.needs(model, found.kind, mapped=found.kind == "frozen", native=_native(model, found)).pieces
        rows.append(heap.counts(model, found.kind))
        rest.append(smallest[name] - sum(pieces))
        print(f"{found.kind} {name}: {smallest[name]:,}, of which pieces {sum(pieces):,}", file=sys.stderr, flush=True)
    net = fitted(np.array(rows), np.array(rest, float), np.array(list(smallest.values()), float))
    tables.table("heap.toml")[found.kind].update(engine=engine, net=net)
    lines = [f"[{found.kind}]", f"engine = {engine}", f"net = [{', '.join(f'{factor:.5g}' for factor in net)}]"]
    lines += [f"[{found.kind}.modules]", *(f'"{name}" = {size}' for name, size in modules_toml.items()), ""]
    return "\n".join(lines), smallest


def measurable(model: ModelFile, kind: str) -> bool:
    """Whether the Pico has room for it and, with files, its kernels are in the int8 family, which is what is pushed."""
    if kind == "frozen":
        return model.net.arena_size < 200_000
    integer = {"share", "copy", "quantize", "dequantize"}
    return len(model.data) < 60_000 and all(op in integer or op.endswith("_int8") for op in model.net.op_names)


def _native(model: ModelFile, found: Bench) -> int:
    return heap.native_bytes(model, "armv6m") if found.kind == "files" else 0


def fitted(rows: np.ndarray, rest: np.ndarray, totals: np.ndarray) -> list[float]:
    """Factors of the counts: least squares of the error relative to the whole, none of them negative."""
    columns = list(range(rows.shape[1]))
    while True:
        found = np.linalg.lstsq(rows[:, columns] / totals[:, None], rest / totals, rcond=None)[0]
        if (found >= 0).all():
            factors = np.zeros(rows.shape[1])
            factors[columns] = found
            return [float(factor) for factor in factors]
        columns.pop(int(found.argmin()))


def main(arguments: list[str]) -> None:
    target = Path(host_tools.fit.__path__[0]) / "heap.toml"
    head, mark, rest = target.read_text().partition("\n# Measured.")
    kept = head + mark + rest.partition("\n")[0] + "\n"
    models = {name: model for name, model in bench_models().items() if name in arguments} or bench_models()
    kinds = [kind for kind in heap.KINDS if kind in arguments] or list(heap.KINDS)
    tables_toml, comparison = [], []
    for kind in kinds:
        with Bench(kind) as found:
            text, smallest = constants(found, models)
        tables_toml.append(text)
        for name, measured in smallest.items():
            told = predicted(models[name], kind)
            comparison.append(
                f"{kind:8} {name:14} predicted {told:8,} measured {measured:8,} {told / measured - 1:+.1%}"
            )
    text = kept + "\n".join(tables_toml)
    print(text)
    print("\n".join(comparison), file=sys.stderr)
    if "--write" in arguments:
        if set(arguments) != {"--write"}:
            raise SystemExit("--write is for all kinds and all models")
        target.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
