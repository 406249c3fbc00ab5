"""Packs the weights of a whole model file, and unpacks them: from bytes to bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from nnmicro import ModelError

from .cores import CORES, GENERIC, is_packed_kind, packed_kind
from .layers import KINDS, pack_layer, unpack_layer
from .parts import Parts


@dataclass(frozen=True)
class Packed:
    """A file, and its packing. `packed` of `of` layers of the kinds that can be; `stayed`: why others are not, and how
    many for each reason."""

    data: bytes
    packing: str
    packed: int
    of: int
    stayed: dict[str, int]


def pack(data: bytes, core: str) -> Packed:
    """A model file packed for a core, whatever core it was packed for before.

    Packed for a core without a packing of its own it is generic, as `unpack` makes it. Results are the same in every
    byte. Raises ModelError for a file that is damaged, ValueError for an unknown core.
    """
    if core not in CORES:
        raise ValueError(f"there is no core {core!r}; there are {', '.join(CORES)}")
    plain = unpack(data)
    parts = Parts(plain)
    able = [index for index, layer in enumerate(parts.layers) if layer.op in KINDS]
    if CORES[core] == GENERIC:
        return Packed(plain, GENERIC, 0, len(able), {})
    reasons = [pack_layer(parts, index) for index in able]
    stayed = Counter(reason for reason in reasons if reason)
    packed = len(able) - stayed.total()
    # Without a packed layer the file is what it was.
    return Packed(parts.write() if packed else plain, CORES[core] if packed else GENERIC, packed, len(able), stayed)


def unpack(data: bytes) -> bytes:
    """The same model with generic weights, which every engine runs; `data` itself where it has them already.

    Raises ModelError for a file that is damaged, and for weights that are not what `pack` makes: what a core's kernels
    compute with them would be something else.
    """
    if not _may_be_packed(data):
        return data
    parts = Parts(data)
    if not any(is_packed_kind(layer.op) for layer in parts.layers):
        return data
    for index, layer in enumerate(parts.layers):
        if is_packed_kind(layer.op):
            unpack_layer(parts, index)
    plain = parts.write()
    again = Parts(plain)
    for index, layer in enumerate(Parts(data).layers):
        if is_packed_kind(layer.op):
            pack_layer(again, index)
    if again.write() != Parts(data).write():
        raise ModelError("the model is packed for a core, and its weights are not what packing makes: convert it again")
    return plain


def packed_layers(data: bytes) -> tuple[int, int]:
    """How many layers of a file are packed, and how many there are of the kinds that can be; 0, 0 for a generic one."""
    layers = Parts(data).layers if _may_be_packed(data) else []
    if not any(is_packed_kind(layer.op) for layer in layers):
        return 0, 0
    packed = sum(is_packed_kind(layer.op) for layer in layers)
    return packed, packed + sum(layer.op in KINDS for layer in layers)


def _may_be_packed(data: bytes) -> bool:
    """Whether a file has a packed kind's name somewhere: most have not, and need not be taken apart."""
    return any(packed_kind(op).encode() in data for op in KINDS)
