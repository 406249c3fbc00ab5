"""Which packing a core's kernels read. Weights in the generic one are read everywhere."""

from __future__ import annotations

from boards import Board

GENERIC = "generic"
DSP = "dsp"

# What `--core` takes, and the packing of each.
CORES = {
    GENERIC: GENERIC,
    "cortex-m0": GENERIC,
    "cortex-m0plus": GENERIC,
    "cortex-m3": GENERIC,
    "cortex-m4": DSP,
    "cortex-m7": DSP,
    "cortex-m33": DSP,
    "rv32imc": GENERIC,
    "xtensa": GENERIC,
    "host": GENERIC,
}
# What profiles of boards call cores beside that.
_BOARDS_NAMES = {"cortex-m4f": "cortex-m4", "xtensa-lx6": "xtensa", "xtensa-lx7": "xtensa"}

# A packed layer is of a kind of its own: the name of the plain one, and this.
_SUFFIX = "_dsp"
NAMES = {DSP: "Cortex-M4/M7/M33"}
# Native modules that are built with the kernels of a packing.
MODULES = {DSP: ("armv7emsp", "armv7emdp")}

# Also said by nnmicro/kernels.py.
NOT_HERE = (
    "the model is packed for the kernels of Cortex-M4, M7 and M33, which are not here or cannot run it: "
    "nnmicro repack MODEL --core generic"
)


def core_of_board(board: Board) -> str:
    """What `--core` calls a board's core."""
    return _BOARDS_NAMES.get(board.core, board.core)


def is_packed_kind(op: str) -> bool:
    return op.endswith(_SUFFIX)


def packed_kind(op: str) -> str:
    return op + _SUFFIX


def plain_kind(op: str) -> str:
    """The kind of layer that computes the same with weights in the generic order."""
    return op.removesuffix(_SUFFIX)
