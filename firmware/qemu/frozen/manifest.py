# ruff: noqa: F821
# mypy: ignore-errors
# What is frozen into the firmware of the QEMU boards. Read by MicroPython's build, not by Python.
include("$(MPY_DIR)/extmod/asyncio")
module("_boot.py", opt=3)
