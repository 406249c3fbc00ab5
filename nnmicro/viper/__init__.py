"""The int8 layers as machine code that `mpy-cross` makes of Python, for boards without the module `_nnmicro`.

A layer without a module here runs in `nnmicro.reference`: see README.md.
"""
