"""Says whether a model fits a board, what that sum is made of, and what would help where it does not."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import boards
from boards import Board, BoardError, Firmware

from ..model_file import ModelFile
from ..packing.cores import CORES, DSP, NOT_HERE, core_of_board
from . import heap, speed


@dataclass(frozen=True)
class Verdict:
    """`reasons` are sentences about what does not fit, `advice` about what would help; `mapped`: the file is used in
    place, from ROMFS."""

    board: Board
    firmware: Firmware
    stock: bool
    backend: str
    mapped: bool
    needs: heap.Needs
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    estimated_ms: float | None

    @property
    def fits(self) -> bool:
        return not self.reasons

    def describe(self) -> dict[str, Any]:
        """The keys that `nnmicro info --board --json` adds."""
        return {
            "board": self.board.key,
            "firmware": "stock" if self.stock else "ours",
            "backend": self.backend,
            "fits": self.fits,
            "needs": {**asdict(self.needs), "total": self.needs.total},
            "has": {
                "free_heap": self.firmware.free_heap,
                "romfs": self.firmware.romfs,
                "storage": self.board.memory.storage,
                "estimated": list(self.firmware.estimated),
            },
            "largest_block": self.firmware.largest_block,
            "in_place": self.mapped,
            "estimated_ms": None if self.estimated_ms is None else float(f"{self.estimated_ms:.3g}"),
            "reasons": list(self.reasons),
            "advice": list(self.advice),
        }


def judge(model: ModelFile, board: Board, *, stock: bool = False) -> Verdict:
    """Whether `model` runs on `board` with our firmware, or with MicroPython as its makers build it (`stock`).

    BoardError where the board has no such firmware.
    """
    found = _judged(model, board, stock)
    return found if found.fits else replace(found, advice=tuple(_advice(found, model)))


def _judged(model: ModelFile, board: Board, stock: bool) -> Verdict:
    firmware = board.stock if stock else board.ours
    if firmware is None:
        raise BoardError(
            f"{board.name} has no profile for MicroPython's own firmware: leave --stock out"
            if stock
            else f"nnmicro has no firmware of its own for {board.name}: ask with --stock"
        )
    backend = _backend(board, firmware, stock)
    mapped = len(model.data) <= firmware.romfs
    needs = heap.needs(
        model,
        "files" if stock else "frozen",
        mapped=mapped,
        native=heap.native_bytes(model, board.module) if stock and backend == "_nnmicro" and board.module else 0,
        outside=0 if stock else int(board.extra.get("firmware", {}).get("arena", 0)),
        word_bytes=board.word_bytes,
    )
    return Verdict(
        board=board,
        firmware=firmware,
        stock=stock,
        backend=backend,
        mapped=mapped,
        needs=needs,
        reasons=tuple(_reasons(model, board, firmware, needs, mapped)),
        advice=(),
        estimated_ms=speed.estimated_ms(model, board, backend),
    )


def _backend(board: Board, firmware: Firmware, stock: bool) -> str:
    if not stock or (board.module and "native code" not in firmware.lacks):
        return "_nnmicro"
    return "viper" if board.arch and "native code" not in firmware.lacks else "reference"


def _reasons(model: ModelFile, board: Board, firmware: Firmware, needs: heap.Needs, mapped: bool) -> list[str]:
    """What does not fit, as sentences."""
    reasons = []
    if model.packed and CORES.get(core_of_board(board)) != DSP:
        reasons.append(NOT_HERE)
    if not mapped and board.memory.storage and len(model.data) > board.memory.storage:
        reasons.append(f"the file has {len(model.data):,} bytes, the board keeps {board.memory.storage:,} of files")
    if needs.total > firmware.free_heap:
        reasons.append(f"it needs {needs.total:,} bytes of heap, {firmware.free_heap:,} are free")
    elif needs.pieces[0] > firmware.largest_block:
        reasons.append(
            f"{needs.pieces[0]:,} bytes have to be in one piece, the largest free block has {firmware.largest_block:,}"
        )
    elif not _placed(needs.pieces, firmware):
        pieces = ", ".join(f"{size:,}" for size in needs.pieces if size)
        beside = firmware.free_heap - firmware.largest_block
        reasons.append(
            f"pieces of {pieces} bytes do not fit beside each other into blocks of {firmware.largest_block:,} and "
            f"{beside:,}"
        )
    return reasons


def _placed(pieces: list[int], firmware: Firmware) -> bool:
    """Whether the pieces, largest first, fit into the largest block and what is free beside it."""
    free = [firmware.largest_block, firmware.free_heap - firmware.largest_block]
    for size in pieces:
        where = 0 if size <= free[0] else 1
        if size > free[where]:
            return False
        free[where] -= size
    return True


def _advice(found: Verdict, model: ModelFile) -> list[str]:
    """What would help, most useful first."""
    board, advice = found.board, []
    if found.stock and board.ours and _judged(model, board, False).fits:
        advice.append(
            "nnmicro's firmware for this board has the engine in flash: with it the model fits (without --stock)"
        )
    elif not found.mapped and found.needs.total - found.needs.weights <= found.firmware.free_heap:
        saved = found.needs.weights
        advice.append(
            f"a ROMFS of {saved:,} bytes or more would keep the weights out of RAM"
            + (f"; this firmware has {found.firmware.romfs:,}" if found.firmware.romfs else "")
        )
        if model.streaming() is None:
            advice.append(
                "weights can stay in the file and be read layer by layer: "
                'nnmicro.Net(path, nnmicro.Option(weights="window"))'
            )
    if any(io["dtype"] == "float32" for io in model.describe()["inputs"]) and not _is_integer(model):
        advice.append("int8 takes about a quarter of the memory: nnmicro convert --quantize")
    elsewhere = [other.name for other in _boards_that_fit(model, found)]
    if elsewhere:
        advice.append(f"it fits {', '.join(elsewhere)}")
    return advice


def _is_integer(model: ModelFile) -> bool:
    return any(op.endswith("_int8") for op in model.net.op_names)


def _boards_that_fit(model: ModelFile, found: Verdict) -> list[Board]:
    """Up to three real boards that it fits, those with the least RAM first."""
    fitting = []
    for name in boards.names():
        other = boards.load(name)
        if other.key == found.board.key or other.qemu or other.core == "host":
            continue
        kinds = [stock for stock in (False, True) if (other.stock if stock else other.ours)]
        if any(_judged(model, other, stock).fits for stock in kinds):
            fitting.append(other)
    return sorted(fitting, key=lambda other: (other.memory.ram, other.key))[:3]
