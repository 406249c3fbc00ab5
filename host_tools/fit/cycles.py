"""An estimate of cycles from instructions counted by class (firmware/qemu_plugin): nothing was measured on silicon.

The costs are those of Arm's and lowRISC's manuals, with code and data in memory without wait states. What depends on
the data or on neighbours is taken as the text beside it says.
"""

from __future__ import annotations

from collections.abc import Mapping

# What an instruction of each class takes; `words` for each word moved, `taken` for a jump beside its instruction.
_ARMV6M: dict[str, float] = {  # Cortex-M0+ Technical Reference Manual r0p1, table 3-1; the multiplier of one cycle
    "plain": 1,
    "load": 2,
    "load_next": 2,
    "store": 2,
    "load_many": 1,
    "store_many": 1,
    "words": 1,
    "branch": 1,
    "taken": 1,  # BL takes one more, POP with the program counter too
    "multiply": 1,
}
_ARMV7M: dict[str, float] = {  # Cortex-M3 Technical Reference Manual r2p1, section 3.3.1
    "plain": 1,
    "load": 2,
    "load_next": 1,  # section 3.3.2: neighbours overlap
    "store": 1,  # section 3.3.2: the write buffer takes it
    "load_many": 1,
    "store_many": 1,
    "words": 1,
    "branch": 1,
    "taken": 2,  # 1 to 3, the pipeline's refill
    "multiply": 1,
    "multiply_add": 2,
    "multiply_long": 4,  # 3 to 5
    "multiply_long_add": 5.5,  # 4 to 7
    "divide": 7,  # 2 to 12
}
_ARMV7EM: dict[str, float] = {  # Cortex-M4 Technical Reference Manual r0p1, sections 3.3.1 and 7.2.3
    **_ARMV7M,
    "multiply_add": 1,
    "multiply_long": 1,
    "multiply_long_add": 1,
    "float_multiply_add": 3,
    "float_divide": 14,
}
_RV32: dict[str, float] = {  # Ibex, an in-order core of two stages: its reference guide, "Pipeline Details"
    "plain": 1,
    "load": 2,
    "load_next": 2,
    "store": 2,
    "branch": 1,
    "taken": 2,
    "multiply": 1,  # the multiplier of one cycle
    "multiply_long": 2,
    "divide": 37,
}
COSTS: dict[str, Mapping[str, float]] = {
    "cortex-m0plus": _ARMV6M,
    "cortex-m3": _ARMV7M,
    "cortex-m4f": _ARMV7EM,
    "cortex-m7": _ARMV7EM,  # an upper bound: it issues up to two instructions at a time, and predicts branches
    "rv32imc": _RV32,
}
UPPER_BOUNDS = ("cortex-m7",)


def estimated(counts: Mapping[str, int], core: str) -> int | None:
    """Cycles on a core for counts by class; None for a core whose costs are not known, or that lacks such
    instructions."""
    costs = COSTS.get(core)
    if costs is None or any(count and name not in costs for name, count in counts.items()):
        return None
    return round(sum(costs[name] * count for name, count in counts.items() if count))
