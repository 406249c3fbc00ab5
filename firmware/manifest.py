# ruff: noqa: F821
# mypy: ignore-errors
# Read by MicroPython's build, which has the function that is called here; for every port.
#
# The engine in the firmware: its code runs from flash and costs the heap only its objects. Without the kernels in
# viper and in assembler (this firmware has those in C), and without what is CPython's.
import os

_engine = os.path.join("..", "nnmicro")
_modules = []
for _folder, _, _names in os.walk(_engine):
    _inside = os.path.relpath(_folder, _engine)
    if _inside.split(os.sep)[0] not in ("viper", "asm_thumb"):
        _files = [name for name in _names if name.endswith(".py") and name != "cpython.py"]
        _modules += [os.path.normpath(os.path.join(_inside, name)) for name in _files]
package("nnmicro", files=sorted(_modules), base_path="..")
