"""Recipes that compile MicroPython for the places nnmicro runs on: `python -m firmware.build unix`."""

from firmware.errors import FirmwareError

__all__ = ["FirmwareError"]
