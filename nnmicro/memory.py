"""New memory at an address that is a multiple of 16, where the heap does not give such."""

from .port import address


def aligned(nbytes):
    """So many bytes."""
    memory = bytearray(nbytes + 16)
    skip = -address(memory) % 16
    return memoryview(memory)[skip : skip + nbytes]
