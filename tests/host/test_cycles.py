"""The estimate of cycles: sums by hand from the manuals' tables."""

from __future__ import annotations

import re

import pytest

from boards.profile import CORES
from firmware import qemu_plugin
from host_tools.fit import cycles

# A loop of 100 times LDR, MLA, SUBS, BNE, and an LDM of four words before it.
LOOP = {"load": 100, "multiply_add": 100, "plain": 100, "branch": 100, "taken": 99, "load_many": 1, "words": 4}


@pytest.mark.parametrize(
    ("core", "expected"),
    [
        ("cortex-m3", 100 * (2 + 2 + 1 + 1) + 99 * 2 + 1 + 4),
        ("cortex-m4f", 100 * (2 + 1 + 1 + 1) + 99 * 2 + 1 + 4),
    ],
)
def test_a_loop_takes_what_the_manual_says(core: str, expected: int) -> None:
    assert cycles.estimated(LOOP, core) == expected


def test_on_a_pico_and_on_risc_v_a_load_takes_two_cycles_and_a_taken_branch_more() -> None:
    counts = {"load_next": 10, "multiply": 10, "branch": 10, "taken": 5, "store": 1}
    assert cycles.estimated(counts, "cortex-m0plus") == 10 * 2 + 10 + 10 + 5 + 2
    assert cycles.estimated(counts, "rv32imc") == 10 * 2 + 10 + 10 + 5 * 2 + 2


def test_nothing_is_said_of_an_unknown_core_or_of_instructions_that_it_does_not_have() -> None:
    assert cycles.estimated({"plain": 1}, "xtensa-lx6") is None
    assert cycles.estimated({"plain": 1, "multiply_add": 1}, "cortex-m0plus") is None
    assert cycles.estimated({"plain": 1, "multiply_add": 0}, "cortex-m0plus") == 1


def test_every_cost_is_of_something_that_is_counted() -> None:
    source = (qemu_plugin.RECIPE / "classes.h").read_text()
    counted = set(re.findall(r"X\((\w+)\)", source.partition("CLASSES(X)")[2])) | {"words", "taken"}
    assert set(cycles.COSTS) <= set(CORES)
    for core, costs in cycles.COSTS.items():
        assert set(costs) <= counted, core
    assert set(cycles.COSTS["cortex-m4f"]) == counted


def test_the_output_of_the_plugin_is_read_interval_by_interval() -> None:
    first, second = qemu_plugin.counts("plain load words\n1 2 30\n4 5 0\n")
    assert first == {"plain": 1, "load": 2, "words": 30} and second["load"] == 5
    assert qemu_plugin.instructions(first) == 3
    assert qemu_plugin.counts("plain load\n1 2\nplain load\n3 4\n")[1] == {"plain": 3, "load": 4}
