"""Getting firmware onto boards: what a firmware is, the boot loader's drive, the tools of others."""

from host_tools.flashing.firmware import Firmware, FlashError

__all__ = ["Firmware", "FlashError"]
