# ruff: noqa: F821
# mypy: ignore-errors
# Read by MicroPython's build, which has the functions that are called here.
#
# What every build freezes in: the port's own modules and asyncio. Of the stock manifest it lacks the drivers of
# micropython-lib (onewire, ds18x20, dht, neopixel), which the distribution's source package does not carry.
freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
