"""A unix device whose firmware has ulab, built from the checkout that `make test ULAB=<checkout>` names."""

from __future__ import annotations

import os
from pathlib import Path

from firmware import build
from firmware.order import KERNELS, Order
from host_tools.device.unix import UnixDevice

SPEC = "ulab"


def lacking() -> str:
    """Why there is no such device; empty where there can be one."""
    if os.environ.get("ULAB"):
        return ""
    return "ulab is in no package index: give a checkout of it, as in `make test ULAB=~/micropython-ulab`"


def interpreter() -> Path:
    """MicroPython with `_nnmicro` and ulab; built once for each state of the checkout."""
    return build.PORTS["unix"].firmware(Order("unix", KERNELS, modules=Path(os.environ["ULAB"])))


def open_device() -> UnixDevice:
    """The device, without the engine."""
    return UnixDevice(interpreter=interpreter())
