# What is frozen into the unix interpreter: the same asyncio that boards carry, and the start of the device.
include("$(MPY_DIR)/extmod/asyncio")
module("unix_device.py")
