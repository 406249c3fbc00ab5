"""Which device a user means."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from serial.tools import list_ports

from host_tools.device.device import Device
from host_tools.device.errors import DeviceError
from host_tools.device.unix import UnixDevice


def _qemu(spec: str, board: str, by_class: bool) -> Device:
    from host_tools.device.qemu import QemuDevice

    return QemuDevice(spec, board, by_class=by_class)


def _pico(spec: str, board: str, by_class: bool) -> Device:
    from host_tools.device.pico import PicoDevice

    return PicoDevice(spec, board)


# What starts the emulator of a board, by the board's name; what it takes to run one is imported only then.
EMULATED_BOARDS: dict[str, Callable[[str, str, bool], Device]] = {
    "qemu_cortex_m0": _qemu,
    "qemu_cortex_m3": _qemu,
    "qemu_cortex_m4f": _qemu,
    "qemu_cortex_m7": _qemu,
    "qemu_rv32": _qemu,
    "rpi_pico": _pico,
}
_SHORT_NAMES = {"a": "/dev/ttyACM", "u": "/dev/ttyUSB", "c": "COM"}  # as mpremote's a0, u0, c0


def open_device(spec: str = "unix", *, heapsize: str = "64M", by_class: bool = False) -> Device:
    """Connect to the device that `spec` names and get its prompt.

    `unix` is a MicroPython process on this computer with a heap of `heapsize`; `emu:<board>` an emulated
    board; anything else what `mpremote connect` takes: a port (`/dev/ttyACM0`, `COM3`, `a0`), `auto`,
    `id:<serial number>`, `port:<path>`, or an address (`rfc2217://host:port`, `socket://host:port`).
    `by_class`: one that counts instructions does so by their class, too. DeviceError says what is wrong.
    """
    if spec == "unix":
        return UnixDevice(heapsize)
    if spec.startswith("emu:"):
        return _emulated(spec, by_class)
    return Device(spec, _address(spec))


def _emulated(spec: str, by_class: bool) -> Device:
    board = spec.removeprefix("emu:")
    if board not in EMULATED_BOARDS:
        known = ", ".join(EMULATED_BOARDS)
        raise DeviceError(f"{spec}: there is no emulator of this board. Boards that can be emulated: {known}.")
    return EMULATED_BOARDS[board](spec, board, by_class)


def _address(spec: str) -> str:
    short = re.fullmatch(r"([auc])(\d{1,3})", spec)
    if short:
        return _SHORT_NAMES[short[1]] + short[2]
    if spec == "auto" or spec.startswith("id:"):
        return _connected_board(spec)
    if spec.startswith("port:"):
        spec = spec.removeprefix("port:")
    if re.fullmatch(r"COM\d{1,3}", spec, re.IGNORECASE) or "://" in spec:
        return spec
    if spec.startswith("/"):
        if not Path(spec).exists():
            raise DeviceError(f"There is no port {spec}. {_ports_here()}")
        return spec
    raise DeviceError(
        f"{spec!r} is no device. Give unix, emu:<board>, auto, a serial port (/dev/ttyACM0, COM3) "
        "or an address (rfc2217://host:port, socket://host:port)."
    )


def _connected_board(spec: str) -> str:
    for port in sorted(list_ports.comports(), key=lambda port: port.device):
        # A port without USB numbers is the computer's own, not a board.
        is_board = port.vid is not None and port.pid is not None
        if is_board and (spec == "auto" or port.serial_number == spec.removeprefix("id:")):
            return str(port.device)
    raise DeviceError(f"{spec}: no such board is connected. {_ports_here()}")


def _ports_here() -> str:
    names = [str(port.device) for port in list_ports.comports()]
    return f"Ports of this computer: {', '.join(names)}." if names else "This computer has no serial ports."
