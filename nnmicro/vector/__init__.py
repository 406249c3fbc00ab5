"""Layers on whole rows at once, in float32: through ulab where a board has it, through numpy on a host.

A layer without a module here runs in `nnmicro.reference`. Only what ulab's default build has is used: arrays
of at most two dimensions, so a row of all channels (channels x columns) is the piece that is worked on.
"""
