# ruff: noqa: F821
# mypy: ignore-errors
# Read by MicroPython's build, which has the functions that are called here.
#
# The engine in the firmware: its code runs from flash and costs the heap only its objects. `engine` is a folder
# that the build puts beside this file.
include("manifest.py")
package("nnmicro", base_path="engine")
