"""An estimate of the time of an inference: work of each layer x cost of its kernel / clock.

The costs in speed.toml are measured (its first lines say how); what a core does in a cycle is an assumption there. So
this is an estimate: flash wait states, caches and interrupts are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from boards import Board
from nnmicro import format as f

from ..model_file import ModelFile
from .tables import table

BACKENDS = ("_nnmicro", "viper", "reference")


@dataclass(frozen=True)
class Work:
    """What a layer has to do: multiply-accumulates, elements that it writes, elements that it reads (the larger of both
    is what movement costs)."""

    kind: str
    macs: int
    elements: int


def works(model: ModelFile) -> Iterator[Work]:
    """Each layer's work, in the order they run."""
    net, w = model.net, model.net.words
    for layer in range(net.n_layers):
        r = net.layers_at + layer * f.LAYER_WORDS
        operands = net.operands_at + w[r + f.L_OPERANDS]
        n_in = w[r + f.L_INPUTS]
        kind = net.op_names[w[r + f.L_OP]]
        macs = model.layer_macs(layer)
        written = _elements(net, w[operands + n_in])
        read = max((_elements(net, w[operands + i]) for i in range(n_in) if w[operands + i] < net.n_blobs), default=0)
        yield Work(kind, macs, written if macs else max(written, read))


def _elements(net: Any, blob: int) -> int:
    r = net.record(blob)
    return int(net.words[r + f.B_C] * net.words[r + f.B_H] * net.words[r + f.B_W])


def estimated_ms(model: ModelFile, board: Board, backend: str) -> float | None:
    """Milliseconds of one inference; None where nothing is known about the core (the computer at hand)."""
    cycles = estimated_cycles(model, board.core, backend)
    return None if cycles is None or not board.clock else cycles / board.clock * 1e3


def estimated_cycles(model: ModelFile, core: str, backend: str) -> float | None:
    """Cycles of one inference on a core."""
    costs = _costs(backend, core)
    if costs is None:
        return None
    total = costs.inference
    for work in works(model):
        mac, element = costs.of(work.kind)
        total += costs.layer + mac * work.macs + element * work.elements
    return total


@dataclass(frozen=True)
class _Costs:
    """Cycles: of an inference beside its layers, of a layer whatever it does, and by kind of layer of a
    multiply-accumulate and of an element."""

    inference: float
    layer: float
    kinds: dict[str, tuple[float, float]]

    def of(self, kind: str) -> tuple[float, float]:
        if kind == "share":
            return 0.0, 0.0  # nothing is moved
        return self.kinds.get(kind) or self.kinds.get("default") or (self._typical(0), self._typical(1))

    def _typical(self, column: int) -> float:
        """For a kind that was not measured: the median of those that were."""
        known = sorted(costs[column] for costs in self.kinds.values() if costs[column])
        return known[len(known) // 2] if known else 0.0


@cache
def _costs(backend: str, core: str) -> _Costs | None:
    """The costs of a backend on a core, in cycles; those of the core that stands in for one that was not measured."""
    read = table("speed.toml")
    per_instruction = read["cycles_per_instruction"].get(core)
    measured = read["costs"].get(backend, {})
    stand_in = core if core in measured else read["stands_in"].get(core)
    if per_instruction is None or stand_in not in measured:
        return None
    raw = measured[stand_in]
    scale = per_instruction / (1.0 if raw["unit"] == "instructions" else read["cycles_per_instruction"][stand_in])
    return _Costs(
        raw["inference"] * scale,
        raw["layer"] * scale,
        {kind: (costs[0] * scale, costs[1] * scale) for kind, costs in raw["kinds"].items()},
    )
