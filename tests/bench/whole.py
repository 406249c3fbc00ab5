"""Whole inferences on the emulated boards, from the user's call to the answer, by backend."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import boards
import nnmicro
from firmware import build
from firmware.order import KERNELS, STOCK
from host_tools.device import Device, DeviceError
from host_tools.device.engine_for import push_engine_for
from host_tools.device.models import push_model
from host_tools.device.pico import PicoDevice
from host_tools.device.qemu import QemuDevice
from host_tools.device.romfs import push_romfs
from host_tools.model_file import ModelFile
from host_tools.remote.benchmark import estimated_cycles, measure
from tests.bench.rows import BACKENDS, CORES, MPY, NETWORKS, PACKED, Core, Row, model, packed

# What takes minutes and tells nothing new: plain Python, hundreds of times as slow.
TOO_LONG = {(net, core, "reference") for core in CORES for net in ("ic", "vww")}
TOO_LONG |= {(net, "pico", backend) for net in ("ic", "vww") for backend in ("viper", "asm_thumb")}
TOO_LONG |= {("kws", "pico", "reference")}
_USED = dict.fromkeys((PACKED, MPY), "_nnmicro")
# What runs on MicroPython without anything of ours; on the Pico also what our firmware leaves out.
_ON_STOCK = dict.fromkeys(CORES, (MPY,)) | {"pico": (MPY, "asm_thumb", "viper")}
# A session: a core, and the backends that one firmware of it runs.
Session = tuple[str, tuple[str, ...]]


def sessions(backends: Iterable[str] = BACKENDS) -> list[Session]:
    """All of them, those that take long first."""
    wanted = tuple(backends)
    found: list[Session] = []
    for stock in (False, True):
        for core in ("pico", *(core for core in CORES if core != "pico")):
            found.append((core, tuple(each for each in wanted if (each in _ON_STOCK[core]) == stock)))
    return [session for session in found if session[1]]


def measured(wanted: list[Session], at_a_time: int = 2) -> list[Row]:
    """Rows of sessions, an emulator for each of them, with a line on standard error for every network."""
    with ThreadPoolExecutor(at_a_time) as pool:
        return [row for rows in pool.map(_session, wanted) for row in rows]


def _session(session: Session) -> list[Row]:
    core, backends = session
    started = time.monotonic()
    rows = []
    with _device(CORES[core], stock=backends[0] in _ON_STOCK[core]) as device:
        for network in NETWORKS:
            rows += [_row(device, Row(network, core, backend)) for backend in backends]
            seconds = time.monotonic() - started
            print(f"{CORES[core].name}, {', '.join(backends)}: {network} done after {seconds:.0f} s", file=sys.stderr)
    return rows


def _device(core: Core, *, stock: bool) -> Device:
    """The emulated board: with the kernels in its firmware, or as its makers build MicroPython."""
    spec = f"emu:{core.board}"
    if core.board == "rpi_pico":
        return PicoDevice(spec, core.board, firmware=build.firmware(core.board, STOCK) if stock else None)
    firmware = build.firmware(core.board, STOCK if stock else KERNELS)
    return QemuDevice(spec, core.board, firmware=firmware, by_class=True)


def _row(device: Device, row: Row) -> Row:
    """The row with its figures, or why it has none."""
    core, used = CORES[row.core], _USED.get(row.backend, row.backend)
    if row.backend == "asm_thumb" and not core.is_arm:
        return replace(row, why="for Arm only")
    if row.backend == PACKED and not core.has_packing:
        return replace(row, why="its kernels read generic weights")
    if row.key in TOO_LONG:
        return replace(row, why="takes too long")
    if used not in dict(nnmicro.backends()):
        return replace(row, why="not there")
    file = packed(row.network, row.core) if row.backend == PACKED else model(row.network)
    try:
        in_place = isinstance(device, PicoDevice) and row.backend not in _ON_STOCK[row.core]
        path = _push(device, file, used, in_place)
        if dict(device.eval("__import__('nnmicro').backends()"))[used] is not None:
            return replace(row, why="not there")
        device.soft_reset()
        cost = measure(device, path, file, used, in_total_only=True)
        if isinstance(device, PicoDevice) and not in_place:
            device.soft_reset()
            device.remove(path)  # its flash holds one model beside the engine
    except DeviceError as error:  # it does not fit, above all
        return replace(row, why=str(error).strip().splitlines()[-1])
    instructions = cost.total if cost.unit == "instructions" else None
    return replace(row, instructions=instructions, cycles=estimated_cycles(cost, boards.load(core.board)))


def _push(device: Device, file: ModelFile, backend: str, in_place: bool) -> str:
    """Engine and model onto the device, into its ROMFS to be used in place; all modules where there is room."""
    everything = not isinstance(device, PicoDevice)
    push_engine_for(device, file, backend=backend, everything=everything, mapped=in_place)
    if in_place:
        return push_romfs(device, file.data, file.name).path
    return push_model(device, file.data, f"/{file.name}").path
