"""Measures on the emulated Pico how much heap models need, and writes host_tools/fit/heap.toml.

    python -m tests.bench.measure_heap              # prints what it would write, and predictions beside measurements
    python -m tests.bench.measure_heap --write
    python -m tests.bench.measure_heap frozen kws   # one kind (also with --write), or some models

The smallest heap with which a model loads and runs is found by bisection: a ballast, allocated first, takes the rest.
`frozen` is our firmware with the file used in place; `files` the firmware without engine, everything from littlefs,
and of the engine what `nnmicro push` brings for these models. Modules are measured one by one; the constants are those
with which the largest error, relative to the whole, is least.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import boards
import host_tools.fit
from firmware import build, compiling, source
from firmware.native import host
from firmware.order import ENGINE, STOCK
from host_tools.device import RemoteError, push_engine
from host_tools.device.needed import closure, modules, needed_modules
from host_tools.device.pico import FLASH_BYTES, PicoDevice
from host_tools.fit import heap, tables
from host_tools.model_file import ModelFile
from nnmicro import format as f
from tests.bench.models import bench_models
from tests.boards import without_arena

FLASH_START = 0x10000000
STEP = 32  # bytes up to which the smallest heap is found
ABOVE = (512, 256, 128, 64)  # bytes above it at which the model has to run, too
SMALL_ARENA = 5000  # bytes up to which loading needs more than an arena in the heap
# What the constants are fitted to; tests/bench/test_fit.py has others beside them. Where the arena is outside the heap
# they tell what loading takes, where a large one is in it what running takes.
FITTED = ("hello", "digits", "speech", "mnist_float", "kws", "vww")
FIRST_WIDTH = 256  # bytes beside the guess where it is looked for first; then four times as far, and so on

# Prints the free heap before, and what was allocated at the end; a program that is too large for the heap raises.
PROBE = """\
from uctypes import bytearray_at as flash
def probe(ballast, infer):
    import gc
    gc.collect()
    free = gc.mem_free()
    ballast = bytearray(ballast)
    import nnmicro
    net = nnmicro.Net(SOURCE, OPTION)
    ex = net.extractor()
    for name, size in INPUTS:
        ex.input(name, flash(FLASH, size))
    for name in OUTPUTS:
        if infer:
            ex.extract(name)
    return free
"""
# Twice, for what stays behind a module (its name, a larger table) is there from the first time on.
GROWTH = """\
import gc
def grown(name):
    gc.collect()
    before = gc.mem_alloc()
    __import__(name)
    gc.collect()
    return gc.mem_alloc() - before
def engine():
    return grown("nnmicro.net")
def modules(names):
    import nnmicro.call, nnmicro.errors, nnmicro.kernels
    from nnmicro.modules import forget
    for _ in range(2):
        found = [grown("nnmicro." + name) for name in names]
        forget("reference")
    return found
"""


class Bench:
    """An emulated Pico with engine (kind `frozen` or `files`) and one model at a time; a context manager.

    `static_arena`: with the memory outside the heap that our firmware has for a net, which is `outside` bytes.
    """

    def __init__(self, kind: str, static_arena: bool = False) -> None:
        self.kind = kind
        self.outside = int(boards.load("rpi_pico").extra["firmware"]["arena"]) if static_arena else 0
        self._folder = tempfile.TemporaryDirectory(prefix="nnmicro-bench-")
        self._flash = Path(self._folder.name) / "flash"
        self.source = ""
        self._probe = ""
        contents = ENGINE if kind == "frozen" else STOCK
        firmware = build.firmware("rpi_pico", contents) if static_arena else without_arena("rpi_pico", contents)
        self.device = PicoDevice(flash=self._flash, firmware=firmware)
        if kind == "files":
            self.device.makedirs("/lib")
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
            push_engine(self.device, modules=needed_modules(model.net, "_nnmicro", model.net.op_names))
            self.device.write_file(model.data, "/m.nnm")
            self.source = "'/m.nnm'"
            self._probe = _probe(model, self.source)
            return
        # Where a ROMFS would have it, in flash; at its end there is room for any. The emulator reads that at its start.
        self.device.close()
        at = (FLASH_BYTES - len(model.data)) // 4096 * 4096
        with self._flash.open("r+b") as flash:
            flash.seek(at)
            flash.write(model.data)
        self.device = PicoDevice(flash=self._flash)
        self.source = f"__import__('uctypes').bytearray_at({FLASH_START + at}, {len(model.data)})"
        self._probe = _probe(model, self.source)

    def free_heap(self, ballast: int, infer: bool = False) -> int | None:
        """Free heap before the model; None where the rest beside the ballast is too small for it. Without `infer`, an
        inference only begins: what needs most is loading."""
        self.device.soft_reset()
        self.device.exec(self._probe)
        try:
            return int(self.device.eval(f"probe({ballast}, {infer})", timeout=900))
        except RemoteError as error:
            if error.kind in ("MemoryError", "ArenaFull"):
                return None
            raise

    def smallest_heap(self, guess: int) -> int:
        """The free heap from which on the model runs, to STEP bytes; found quickly where `guess` is near.

        Just above the smallest heap with which it happens to run there can be some with which it does not: what holes
        the collector leaves is a matter of chance. Those count as too small.
        """
        free = self.free_heap(0)
        if free is None:
            raise MemoryError(f"the model does not fit the {self.kind} Pico at all")
        low, high = 0, free  # it fails with `low` bytes, and runs with `high`
        size, width, infer = guess, FIRST_WIDTH, False
        while True:
            while high - low > STEP:
                size = min(max(size // 16 * 16, low + 16), high - 16)
                if self.free_heap(free - size, infer) is None:
                    low = size
                else:
                    high = size
                if low and high < free:
                    size = (low + high) // 2
                else:
                    size = low + width if low else high - width
                    width *= 4
            above = [high + more for more in ABOVE if high + more < free]
            low = next((size for size in above if self.free_heap(free - size) is None), 0)
            if not low and self.free_heap(free - high, infer=True) is not None:
                return high
            infer = not low
            low, high, size, width = low or high, free, (low or high) + FIRST_WIDTH, FIRST_WIDTH

    def sizes(self) -> dict[str, Any]:
        """What importing the engine takes and, from files, the modules of the layers in Python."""
        if self.kind == "files":  # all of it is more than the file system holds
            core = [name for name in closure("net") if not modules()[name][1]]
            push_engine(self.device, modules=[*core, "reference"])
        self.device.soft_reset()
        self.device.exec(GROWTH)
        found: dict[str, Any] = {"engine": int(self.device.eval("engine()", timeout=120))}
        if self.kind == "files":
            names = list(dict.fromkeys(m for op in heap.layer_kinds() for m in heap.closure(f"reference.{op}")))
            names = [name for name in names if name.startswith("reference.")]
            found["modules"] = dict(zip(names, self._modules(names), strict=True))
        return found

    def _modules(self, names: list[str]) -> list[int]:
        """The heap that each module takes beside the ones before it."""
        imported = [name.removesuffix(".__init__") for name in names]
        found: list[int] = self.device.eval(f"modules({imported})", timeout=300)
        return found


def _probe(model: ModelFile, source: str) -> str:
    """The program for a model; its inputs are whatever the flash begins with, where they take no heap."""
    inputs = [(name, model.net.words[model.net.record(model.net.index(name)) + f.B_BYTES]) for name in model.net.inputs]
    text = PROBE.replace("SOURCE", source).replace("FLASH", str(FLASH_START))
    # Where memory is short the engine would leave the weights in the file, which is not what is measured here.
    text = text.replace("OPTION", "nnmicro.Option(weights='memory')" if "/m.nnm" in source else "None")
    return text.replace("INPUTS", repr(inputs)).replace("OUTPUTS", repr(model.net.outputs))


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


def needs(model: ModelFile, kind: str, outside: int = 0) -> heap.Needs:
    """What is predicted, as the bench has the model."""
    native = heap.native_bytes(model, "armv6m") if kind == "files" else 0
    return heap.needs(model, kind, mapped=kind == "frozen", native=native, outside=outside)


def measure(kind: str, models: dict[str, ModelFile]) -> dict[tuple[str, int], int]:
    """The smallest heaps by model and by what is outside the heap; the table of the kind is made anew from them."""
    constants = tables.table("heap.toml")[kind]
    smallest: dict[tuple[str, int], int] = {}
    # First where nothing but loading counts.
    for static_arena in (True, False) if kind == "frozen" else (False,):
        with Bench(kind, static_arena) as found:
            if not smallest:
                constants.clear()
                constants.update(loading=0, running=0, **found.sizes())
            for name, model in models.items():
                if measurable(model, kind):
                    found.put(model)
                    smallest[name, found.outside] = found.smallest_heap(needs(model, kind, found.outside).total)
                    print(f"{kind} {name}: {smallest[name, found.outside]:,}", file=sys.stderr, flush=True)
    loading: list[tuple[int, int]] = []
    running: list[tuple[int, int]] = []
    for (name, outside), measured in smallest.items():
        model = models[name]
        told = needs(model, kind, outside)
        pieces = told.native + told.weights
        bounds = (heap.while_loading(model, kind) + pieces, heap.while_running(model, kind) + pieces + told.arena)
        # By what differs most between the two moments: the arena, which is in the heap for the second only.
        of_loading = told.arena < SMALL_ARENA
        (loading if of_loading else running).append((measured - bounds[not of_loading], measured))
    constants["loading"], constants["running"] = balanced(loading), balanced(running)
    return smallest


def balanced(found: list[tuple[int, int]]) -> int:
    """The constant for which the largest error is least, from what it would have to be and the whole of each model."""
    low, high = min(rest for rest, _ in found), max(rest for rest, _ in found)
    return min(range(low, high + 1), key=lambda constant: max(abs(constant - rest) / whole for rest, whole in found))


def measurable(model: ModelFile, kind: str) -> bool:
    """Whether the Pico has room for it and, with files, its kernels are in the int8 family, which is what is pushed."""
    if kind == "frozen":
        return bool(model.net.arena_size < 200_000)
    integer = {"share", "copy", "quantize", "dequantize"}
    return len(model.data) < 60_000 and all(op in integer or op.endswith("_int8") for op in model.net.op_names)


def as_toml(kind: str) -> str:
    """The table of a kind, as heap.toml has it."""
    found = tables.table("heap.toml")[kind]
    lines = [f"[{kind}]"] + [f"{name} = {found[name]}" for name in ("engine", "loading", "running")]
    if "modules" in found:
        lines += [f"[{kind}.modules]", *(f'"{name}" = {size}' for name, size in found["modules"].items())]
    return "\n".join([*lines, ""])


def main(arguments: list[str]) -> None:
    target = Path(host_tools.fit.__path__[0]) / "heap.toml"
    kept = target.read_text().partition("\n[frozen]")[0] + "\n"
    models = bench_models()
    names = [name for name in models if name in arguments] or list(FITTED)
    kinds = [kind for kind in heap.KINDS if kind in arguments] or list(heap.KINDS)
    if "--write" in arguments and (names != list(FITTED) or not set(FITTED) <= set(models)):
        raise SystemExit(f"--write is for the models {', '.join(FITTED)}, which have to be there")
    for kind in kinds:
        smallest = measure(kind, {name: models[name] for name in names})
        for (name, outside), measured in smallest.items():
            told = needs(models[name], kind, outside).total
            print(
                f"{kind:7} {name:12} outside {outside:6,} predicted {told:8,} measured {measured:8,} "
                f"{told / measured - 1:+.1%}",
                file=sys.stderr,
            )
    text = kept + "\n".join(map(as_toml, heap.KINDS))
    if "--write" in arguments:
        target.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
