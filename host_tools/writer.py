"""Writes a program and its plan as an `.nnm` file (`nnmicro/FORMAT.md` specifies every byte)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from zlib import crc32

import numpy as np

from nnmicro import format as f

from .graph import Quantisation
from .layout import Blob, Program, align
from .plan import Plan


class _Texts:
    """NUL-terminated texts, each stored once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._at: dict[str, int] = {}

    def add(self, text: str) -> int:
        text = text.replace("\0", "")
        if text not in self._at:
            self._at[text] = len(self.data)
            self.data += text.encode() + b"\0"
        return self._at[text]


def write(
    program: Program, plan: Plan, *, names: bool = True, source: str = "", extras: Sequence[tuple[int, bytes]] = ()
) -> bytes:
    """The file's bytes. `names=False` strips the names of blobs and layers (they are then known by index).

    `extras` are sections whose content is made elsewhere: kind with flags, and bytes.
    """
    texts = _Texts()
    pools = _Pools()
    operands: list[int] = []
    params: list[int] = []
    weights = bytearray()
    kinds = list(dict.fromkeys(layer.op for layer in program.layers))

    def name(text: str) -> int:
        return texts.add(text) if names else -1

    blob_records = b""
    for index, blob in enumerate(program.blobs):
        flags = (f.INPUT if index in program.inputs else 0) | (f.OUTPUT if index in program.outputs else 0)
        flags |= f.STATE if index in program.states else 0
        place = blob.place if blob.owner < 0 else blob.inside
        blob_records += _blob_record(blob, flags, place, pools, name(blob.name))
    for blob in program.constants:
        weights += bytes(-len(weights) % f.ALIGNMENT)
        blob.quantisation = None  # the kernels have it as multipliers
        blob_records += _blob_record(blob, 0, len(weights), pools, -1)
        weights += blob.data
    layer_records = b""
    for layer in program.layers:
        record = [0] * f.LAYER_WORDS
        record[f.L_OP] = kinds.index(layer.op)
        record[f.L_FLAGS] = layer.flags
        record[f.L_OPERANDS] = len(operands)
        record[f.L_INPUTS] = len(layer.inputs)
        record[f.L_OUTPUTS] = 1
        record[f.L_PARAMS] = len(params)
        record[f.L_PARAM_COUNT] = len(layer.params)
        record[f.L_NAME] = name(layer.name)
        record[f.L_WORKSPACE], record[f.L_WORKSPACE_PLACE] = layer.workspace, layer.workspace_place
        operands += [*layer.inputs, layer.output]
        params += layer.params
        layer_records += words(record)
    fused = [word for old, new in program.fused.items() for word in (texts.add(old), new)] if names else []

    sections = [
        (f.BLOBS, blob_records),
        (f.LAYERS, layer_records),
        (f.OPERANDS, words(operands)),
        (f.PARAMS, words(params)),
        (f.SHAPES, words(pools.shapes)),
        (f.IO, words(program.inputs + program.outputs)),
        (f.OPS, text_bytes(kinds)),
    ]
    if names:
        sections.append((f.NAMES, bytes(texts.data) + bytes(-len(texts.data) % 4)))
    if pools.quantisation:
        sections.append((f.QUANTISATION, words(pools.quantisation)))
    if fused:
        sections.append((f.FUSED | f.OPTIONAL, words(fused)))
    if program.labels:
        sections.append((f.LABELS | f.OPTIONAL, text_bytes(program.labels)))
    if source:
        sections.append((f.SOURCE | f.OPTIONAL, text_bytes([source])))
    weights += bytes(-len(weights) % 4)
    # Lazy sections come last, so that the others can be in memory without them.
    sections += [*extras, (f.WEIGHTS | f.LAZY, bytes(weights))]
    sections.sort(key=lambda section: bool(section[0] & f.LAZY))

    header = [0] * f.HEADER_WORDS
    header[f.H_MAGIC] = struct.unpack("<i", f.MAGIC)[0]
    header[f.H_VERSION] = f.VERSION
    header[f.H_ALIGNMENT] = f.ALIGNMENT
    header[f.H_SECTIONS] = len(sections)
    header[f.H_BLOBS] = len(program.blobs)
    header[f.H_CONSTANTS] = len(program.constants)
    header[f.H_LAYERS] = len(program.layers)
    header[f.H_INPUTS] = len(program.inputs)
    header[f.H_OUTPUTS] = len(program.outputs)
    header[f.H_OPS] = len(kinds)
    header[f.H_ARENA_BYTES] = plan.size
    header[f.H_LIVE_PEAK] = plan.live_peak
    header[f.H_LOWER_BOUND] = plan.lower_bound
    header[f.H_LIGHTMODE_OFF] = plan.lightmode_off
    header[f.H_MAX_OPERANDS] = max((len(layer.inputs) + 1 for layer in program.layers), default=2)
    header[f.H_MAX_BLOCKS] = plan.max_blocks
    header[f.H_PLAN_FLAGS] = f.PLAN_OPTIMAL if plan.optimal else 0
    return assemble(header, sections)


def assemble(header: list[int], sections: list[tuple[int, bytes]]) -> bytes:
    """Header, section table and sections, with offsets, sizes and checksums filled in."""
    at = align(4 * (f.HEADER_WORDS + f.SECTION_WORDS * len(sections)))
    table: list[int] = []
    body = bytearray()
    for kind, data in sections:
        table += [kind, at + len(body), len(data), _signed(crc32(data))]
        body += data + bytes(-len(data) % f.ALIGNMENT)
    header = list(header)
    header[f.H_FILE_BYTES] = at + len(body)
    head, entries = words(header[: f.H_CRC]), words(table)
    head += words([_signed(crc32(entries, crc32(head)))])
    front = head + entries
    return front + bytes(at - len(front)) + bytes(body)


class _Pools:
    """What blob records point into."""

    def __init__(self) -> None:
        self.shapes: list[int] = []
        self.quantisation: list[int] = []

    def quantised(self, quantisation: Quantisation | None) -> int:
        """Where this quantisation stands, or -1 for none."""
        if quantisation is None:
            return -1
        scales = np.atleast_1d(quantisation.scales).astype(np.float32)
        zeros = np.atleast_1d(quantisation.zero_points).astype(np.int32)
        axis = -1 if quantisation.axis is None or scales.size == 1 else quantisation.axis
        at = len(self.quantisation)
        self.quantisation += [axis, scales.size, *scales.view(np.int32).tolist(), *zeros.tolist()]
        return at


def _blob_record(blob: Blob, flags: int, place: int, pools: _Pools, name: int) -> bytes:
    record = [0] * f.BLOB_WORDS
    record[f.B_TYPE] = blob.dtype | len(blob.shape) << 8 | blob.order << 16
    record[f.B_FLAGS] = flags
    storage = blob.storage
    record[f.B_BYTES] = storage.nbytes
    record[f.B_C], record[f.B_H], record[f.B_W] = storage.c, storage.h, storage.w
    record[f.B_CSTEP], record[f.B_RSTEP], record[f.B_PSTEP] = storage.cstep, storage.rstep, storage.pstep
    record[f.B_ROWS] = storage.h
    record[f.B_PLACE] = place
    record[f.B_SHAPE] = len(pools.shapes)
    record[f.B_PRODUCER] = blob.producer
    record[f.B_OWNER] = blob.owner + 1
    record[f.B_QUANT] = pools.quantised(blob.quantisation)
    record[f.B_NAME] = name
    pools.shapes += blob.shape
    return words(record)


def words(values: list[int]) -> bytes:
    """Little-endian int32."""
    return struct.pack(f"<{len(values)}i", *values)


def text_bytes(values: list[str]) -> bytes:
    """Texts as a section has them: each ended by a zero byte, all padded to words."""
    data = b"".join(value.replace("\0", "").encode() + b"\0" for value in values)
    return data + bytes(-len(data) % 4)


def _signed(word: int) -> int:
    return word - (1 << 32) if word >= 1 << 31 else word
