"""Streams a model as much as makes it fit a board."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from boards import Board

from ..graph import ConversionError
from ..model_file import ModelFile
from ..streaming.convert import Streaming
from ..streaming.plan import MAX
from .verdict import Verdict, judge

_TRIES = 4  # a streamed file is longer by its steps, which may have to be in RAM, too

Convert = Callable[[Streaming | None], bytes]


@dataclass(frozen=True)
class Fitted:
    """A model that fits; `why` says what was chosen."""

    model: ModelFile
    verdict: Verdict
    why: str


def fitted(convert: Convert, name: str, board: Board, *, stock: bool = False, fed: Sequence[str] = ()) -> Fitted:
    """What `convert` makes with as little streaming as `board` needs; inputs in `fed` are given by rows in any case.

    Raises ConversionError where not even the smallest arena makes it fit, with what is missing, BoardError as `judge`.
    """

    def tried(streaming: Streaming | None) -> tuple[ModelFile, Verdict]:
        model = ModelFile(convert(streaming), name)
        return model, judge(model, board, stock=stock)

    if not fed:
        whole, verdict = tried(None)
        if verdict.fits:
            return Fitted(whole, verdict, f"{board.name} has room for whole tensors: nothing is streamed")
    model, verdict = tried(Streaming(MAX, list(fed)))
    if not verdict.fits:
        raise ConversionError(_refusal(model, verdict, fed))
    room = _room(verdict)
    for _ in range(_TRIES):
        if room <= model.net.arena_size:
            break
        found, sentence = tried(Streaming(fed=list(fed), room=room))
        if sentence.fits:
            model, verdict = found, sentence
            break
        room = room * 7 // 8
    calls = (model.streaming() or {}).get("calls", model.net.n_layers)
    why = (
        f"streamed for {board.name}: an arena of {model.net.arena_size:,} bytes, {calls} kernel calls; the sum is "
        f"{verdict.needs.total:,} of {verdict.firmware.free_heap:,} bytes of heap"
    )
    return Fitted(model, verdict, why)


def _room(verdict: Verdict) -> int:
    """What the board has for an arena beside all else that this file needs."""
    firmware, needs = verdict.firmware, verdict.needs
    if not needs.arena:  # the firmware keeps memory for it outside the heap
        return int(verdict.board.extra["firmware"]["arena"])
    return min(firmware.free_heap - needs.total + needs.arena, firmware.largest_block) // 16 * 16


def _refusal(model: ModelFile, verdict: Verdict, fed: Sequence[str]) -> str:
    advice = list(verdict.advice)
    if not fed:
        advice.insert(0, f"an input that is given by rows may need less: --feed {model.net.inputs[0]}")
    return (
        f"{model.name} does not fit {verdict.board.name}, not even with the smallest arena found, of "
        f"{model.net.arena_size:,} bytes: {'; '.join(verdict.reasons)}. What would help: {'; '.join(advice)}"
    )
