"""Flashes a board by the way its profile names, and asks the board afterwards what it runs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boards
from host_tools.device import Device, DeviceError, ask_build, open_device
from host_tools.device.build import Build
from host_tools.flashing import drive, tools
from host_tools.flashing.firmware import Firmware, FlashError

_BOOT_S = 30.0
_LOOK_AGAIN_S = 0.5


def flash_emulated(device: Any, firmware: Firmware) -> Build | None:
    """Boot loader, UF2, reset, prompt: on an open emulated board. Returns what it says it runs then."""
    device.enter_bootloader()
    device.flash_uf2(firmware.path)
    return confirmed(device, firmware)


def flash_uf2(firmware: Firmware, spec: str | None, open_: Callable[[str], Device] = open_device) -> Build | None:
    """A board on a cable: by its boot loader's drive, or by picotool where no drive appears.

    `spec` is its serial port, None for a board that is in its boot loader already; then nothing is asked back.
    """
    if spec is not None:
        with open_(spec) as device, contextlib.suppress(DeviceError):
            device.exec("import machine\nmachine.bootloader()", timeout=5)  # the port vanishes: there is no answer
    way = boards.load(firmware.board).flashing.bootloader
    picotool = tools.installed([["picotool", "load", "-x", str(firmware.path)]])
    try:
        drive.copy(firmware, drive.wait_for(way))
    except FlashError:
        if picotool is None:
            raise
        tools.run(picotool, firmware)
    return _asked_after_reset(firmware, spec, open_)


def flash_by_tool(firmware: Firmware, spec: str | None, open_: Callable[[str], Device] = open_device) -> Build | None:
    """A board whose flash a program of others writes; FlashError with the commands where none is installed."""
    template = boards.load(firmware.board).flashing.tool
    choices = tools.commands(template, firmware.path, spec)
    if not choices:
        kinds = ", ".join(tools.suffixes(template)) or "no file that is known here"
        raise FlashError(f"{firmware.board} takes {kinds}; {firmware.path.name} is none of these.")
    command = tools.installed(choices)
    if command is None:
        raise FlashError(f"No program to flash {firmware.board} is installed here. By hand:\n{tools.by_hand(choices)}")
    tools.run(command, firmware)
    return _asked_after_reset(firmware, spec, open_)


def _asked_after_reset(firmware: Firmware, spec: str | None, open_: Callable[[str], Device]) -> Build | None:
    if spec is None:
        return None
    deadline = time.monotonic() + _BOOT_S
    while True:
        try:
            with open_(spec) as device:
                return confirmed(device, firmware)
        except FlashError:
            raise
        except DeviceError as error:
            if time.monotonic() > deadline:
                raise FlashError(
                    f"The firmware was sent, but {spec} does not answer within {_BOOT_S:g} s ({error}) "
                    "Press the board's reset button and look with `nnmicro status`."
                ) from None
            time.sleep(_LOOK_AGAIN_S)


def confirmed(device: Device, firmware: Firmware) -> Build | None:
    """What the device says it runs; FlashError unless that is what the file says."""
    answer = ask_build(device)
    if firmware.stamp is None:
        return answer
    if answer is None or replace(answer, abi=firmware.stamp.abi) != firmware.stamp:
        raise FlashError(
            f"{device.spec} runs {answer.text if answer else 'firmware without nnmicro'}, "
            f"and {firmware.path.name} is {firmware.stamp.text}: it was not taken."
        )
    return answer
