"""Rows of memory that hold all channels of a row, for blobs that are read by rows.

Integers lie so already. float32 blobs are planar: a row's channels are far apart, and no ring could hold some of the
rows. Where every kernel finds elements by their steps alone, they are laid out anew.
"""

from __future__ import annotations

from nnmicro import format as f

from ..layout import Blob, Program, Storage

# They see blobs as runs of bytes, or have steps among their parameters.
_NEED_PLANES = ("share", "permute")


def by_lines(program: Program) -> None:
    """Lay out planar blobs by rows, where no layer needs them planar. The program is changed."""
    fixed = set()
    for layer in program.layers:
        if layer.op in _NEED_PLANES:
            fixed |= {layer.inputs[0], layer.output}
    for index, blob in enumerate(program.blobs):
        if index not in fixed and _is_planar(blob):
            blob.storage = _lines(blob.storage)
    for layer in program.layers:
        if layer.flags & f.IN_PLACE and (program.blobs[layer.inputs[0]].storage != program.blobs[layer.output].storage):
            layer.flags &= ~f.IN_PLACE


def _is_planar(blob: Blob) -> bool:
    at = blob.storage
    return at.c > 1 and at.h > 1 and at.cstep > at.rstep


def _lines(at: Storage) -> Storage:
    line = at.w * at.pstep
    return Storage(at.c, at.h, at.w, line, at.c * line, at.pstep, at.c * at.h * line)
