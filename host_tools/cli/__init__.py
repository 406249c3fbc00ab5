"""The command `nnmicro`."""
