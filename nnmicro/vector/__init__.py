"""Layers on whole rows at once, in float32: through ulab where a board has it, through numpy on a host.

A layer without a module here runs in `nnmicro.reference`. Only what ulab's default build has is used, and as it has it
(`tests/ulab/strict.py`): arrays of at most two dimensions, so rows of all channels (channels x columns), or all rows of
one channel, are the piece that is worked on. Every call of the library takes its objects and its result from the heap:
few calls on large pieces are what pays. Assigning to a slice copies what is assigned, adding to it in place does not.
"""
