"""Packing of weights for the kernels of a core, in a converted model: `pack` and `unpack` of whole files."""

from host_tools.packing.cores import CORES, DSP, GENERIC, NOT_HERE, core_of_board, is_packed_kind, plain_kind
from host_tools.packing.model import Packed, pack, packed_layers, unpack

__all__ = [
    "CORES",
    "DSP",
    "GENERIC",
    "NOT_HERE",
    "Packed",
    "core_of_board",
    "is_packed_kind",
    "pack",
    "packed_layers",
    "plain_kind",
    "unpack",
]
