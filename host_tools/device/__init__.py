"""One notion of device for every command: a MicroPython process here, an emulated board, or a connected one.

with open_device("unix") as device:
    push_engine(device)
    device.write_file(Path("digits.nnm"), "/digits.nnm")
    print(device.eval("1 + 1"))
"""

from host_tools.device.build import Build, ask_build
from host_tools.device.device import Device
from host_tools.device.engine import EngineReport, push_engine
from host_tools.device.errors import DeviceError, DeviceFileNotFound, RemoteError
from host_tools.device.files import Entry, FileStat
from host_tools.device.info import DeviceInfo
from host_tools.device.open import open_device
from host_tools.device.transfer import WriteReport

__all__ = [
    "Build",
    "Device",
    "DeviceError",
    "DeviceFileNotFound",
    "DeviceInfo",
    "EngineReport",
    "Entry",
    "FileStat",
    "RemoteError",
    "WriteReport",
    "ask_build",
    "open_device",
    "push_engine",
]
