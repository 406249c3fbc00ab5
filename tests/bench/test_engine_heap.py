"""What the engine costs of a 32-bit board's heap, with its kernels in the firmware: frozen, and from the file system.

Counted is what a user has: all that stays in memory after a model was loaded and has run (`engine`), what one loaded
net with its extractor takes beyond its arena (`net`; the file lies in a buffer of the caller, as it would in ROMFS),
and the least free heap in which loading and a first inference succeed, less the arena (`peak`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from rich.console import Console
from rich.table import Table

from firmware.order import ENGINE, KERNELS
from host_tools.convert import to_nnm
from host_tools.device import Device, RemoteError, push_engine
from host_tools.device.needed import needed_modules
from host_tools.device.pico import PicoDevice
from host_tools.device.qemu import QemuDevice
from host_tools.importers import load_model
from host_tools.model_file import ModelFile
from tests.boards import lacking, without_arena
from tests.models.shared import shared

pytestmark = pytest.mark.bench

BOARD = "qemu_cortex_m4f"
PLACE = """
import gc, os, uctypes
def heap():
    gc.collect()
    return gc.mem_alloc()
def place(path):
    size = os.stat(path)[6]
    memory = bytearray(size + 16)
    skip = -uctypes.addressof(memory) & 15
    with open(path, "rb") as file:
        file.readinto(memoryview(memory)[skip : skip + size])
    return memoryview(memory)[skip : skip + size]
def leave(free):
    held = [None] * 2048
    gc.collect()
    i = 0
    while gc.mem_free() > free + 256:
        held[i] = bytearray(min(16384, gc.mem_free() - free - 128))
        i += 1
        gc.collect()
    return held
def infer():
    ex.reset()
    ex.input(0, data)
    return ex.extract(OUTPUT).argmax()
buffer = place("/model.nnm")
data = bytes(SIZE)
"""
LOAD = "import nnmicro\nnet = nnmicro.Net(buffer)\nex = net.extractor()\ninfer()\ninfer()\n"
DROP = "ex.close()\nex = net = None"


@dataclass
class Figures:
    engine: int
    net: int
    peak: int


@pytest.fixture(scope="module")
def kws() -> ModelFile:
    graph = load_model(shared("models/mlperf_tiny/kws_int8.tflite"))
    return ModelFile(to_nnm(graph, names=False))


def measured(device: Device, model: ModelFile) -> Figures:
    (shape,) = [model.net.shape(name) for name in model.net.inputs]
    size = 1
    for axis in shape:
        size *= axis
    prepare = PLACE.replace("OUTPUT", repr(model.net.outputs[0])).replace("SIZE", str(size))
    device.write_file(model.data, "/model.nnm")
    device.soft_reset()
    device.exec(prepare)
    # A program of its own for each, for a frame that is still there may hold on to what it is done with.
    start = int(device.eval("heap()"))
    start = int(device.eval("heap()"))
    device.exec(LOAD)
    everything = int(device.eval("heap()")) - start
    assert device.eval("net.backend") == "_nnmicro"
    # What a net takes is seen with a second one: an address of the first may be left on the interpreter's stack, and
    # keeps it.
    device.exec(DROP)
    device.exec(LOAD)
    both = int(device.eval("heap()"))
    device.exec(DROP)
    net = both - int(device.eval("heap()"))
    low, high = model.net.arena_size, 4 * 65536
    while high - low > 256:
        middle = (low + high) // 2
        device.soft_reset()
        device.exec(prepare)
        device.exec(f"held = leave({middle})")
        try:
            device.exec(LOAD)
            high = middle
        except RemoteError as error:
            assert error.kind == "MemoryError", error
            low = middle
    return Figures(everything - net, net - model.net.arena_size, high - model.net.arena_size)


@pytest.fixture(scope="module")
def figures() -> dict[str, Figures]:
    return {}


@pytest.fixture(scope="module", autouse=True)
def table(figures: dict[str, Figures], request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    shown = Table("board", "engine", "net + extractor", "load peak", title="bytes of heap, keyword spotting, int8")
    for name, found in figures.items():
        shown.add_row(name, f"{found.engine:,}", f"{found.net:,}", f"{found.peak:,}")
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        Console(width=120).print("\n", shown)


def test_from_littlefs(kws: ModelFile, figures: dict[str, Figures]) -> None:
    reason = lacking(f"emu:{BOARD}", may_build=True)
    if reason:
        pytest.skip(reason)
    with QemuDevice(f"emu:{BOARD}", BOARD, firmware=without_arena(BOARD, KERNELS)) as device:
        push_engine(device, modules=needed_modules(kws.net, "_nnmicro", kws.net.op_names))
        found = figures["Cortex-M4F, engine in littlefs"] = measured(device, kws)
    assert found.engine <= 16 * 1024
    assert found.net <= 2048
    assert found.peak <= 20 * 1024


def test_frozen(kws: ModelFile, figures: dict[str, Figures]) -> None:
    reason = lacking("emu:rpi_pico", may_build=True)
    if reason:
        pytest.skip(reason)
    with PicoDevice(firmware=without_arena("rpi_pico", ENGINE)) as device:
        found = figures["Raspberry Pi Pico, engine frozen"] = measured(device, kws)
    assert found.engine <= 5 * 1024
    assert found.net <= 2048
    assert found.peak <= 12 * 1024
