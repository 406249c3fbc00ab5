# ruff: noqa: F821
# mypy: ignore-errors
# Read by MicroPython's build, which has the functions that are called here; for every port.
#
# The engine in the firmware: its code runs from flash and costs the heap only its objects. Without the kernels in
# viper and in assembler, without what is CPython's, and of the constants of a file only the format's version
# (`apart/`). With `layers=False`, for a firmware that has the kernels in C, also without the layers in plain Python and
# through ulab (`apart/` says where they are then looked for), and without the numbers of lines for tracebacks.
import os

options.defaults(layers=True)

_LAYERS = ("reference", "vector")
_left_out = ("viper", "asm_thumb") if options.layers else ("viper", "asm_thumb", *_LAYERS)
_level = 0 if options.layers else 3
_HOSTS = ("cpython.py", "format.py")
_engine = os.path.join("..", "nnmicro")
_modules = []
for _folder, _, _names in os.walk(_engine):
    _inside = os.path.relpath(_folder, _engine)
    if _inside.split(os.sep)[0] not in _left_out:
        _files = [name for name in _names if name.endswith(".py") and name not in _HOSTS]
        _modules += [os.path.normpath(os.path.join(_inside, name)) for name in _files]
package("nnmicro", files=sorted(_modules), base_path="..", opt=_level)
_apart = [] if options.layers else [os.path.join(name, "__init__.py") for name in _LAYERS]
package("nnmicro", files=["format.py", *_apart], base_path="apart/frozen", opt=_level)
