"""RESULTS.md: neither kernels nor inferences take more than it says."""

from __future__ import annotations

import pytest

from tests.bench import results, results_file, whole
from tests.bench.results_file import COLUMNS, RESULTS
from tests.bench.rows import BACKENDS, CORES, FIRMWARE, NETWORKS, PACKED, TINY, Row

# Those that a few minutes are enough for.
CHECKED = (FIRMWARE, PACKED)


def test_a_kernel_of_more_than_a_hundredth_is_slower() -> None:
    before = {"m4": {"kws": 1000, "ic": 1000}}
    assert results.slower_kernels(before, {"m4": {"kws": 1010, "ic": 900}}) == []
    (sentence,) = results.slower_kernels(before, {"m4": {"kws": 1011, "ic": 1000}})
    assert sentence == "Cortex-M4F, keyword spotting: 1,011 instructions instead of 1,000"


def test_an_inference_of_more_than_a_hundredth_or_that_is_gone_is_slower() -> None:
    before = [Row("kws", "m4", "viper", 1000, 1500), Row("ad", "pico", "viper", None, 1000), Row("ic", "m4", "viper")]
    same = [
        Row("kws", "m4", "viper", 1010, 9999),
        Row("ad", "pico", "viper", None, 1010),
        Row("ic", "m4", "viper", 5, 5),
    ]
    assert results.slower_inferences(before, same) == []
    assert results.slower_inferences(before, same[:1]) == []  # what was not measured now is not compared
    now = [Row("kws", "m4", "viper", why="not there"), Row("ad", "pico", "viper", None, 1011)]
    assert results.slower_inferences(before, now) == [
        "Cortex-M4F, keyword spotting, viper: not there instead of 1,000 instructions",
        "Pico, anomaly detection, viper: 1,011 cycles instead of 1,000",
    ]


def test_the_file_says_what_was_put_into_it() -> None:
    tools, rows, kernels = results_file.parsed(RESULTS.read_text())
    assert {row.key for row in rows} == {(net, core, each) for net in NETWORKS for core in CORES for each in BACKENDS}
    assert all(bool(row.why) == (row.cycles is None) for row in rows)
    # What is for RV32IMC and for asm_thumb differs, and so does what the Pico's emulator counts.
    assert any(row.instructions is None and row.cycles for row in rows) and any(row.why for row in rows)
    assert tools and all(set(kernels[core]) == set(TINY) and all(kernels[core].values()) for core in COLUMNS)
    assert results_file.whole_text(rows) in RESULTS.read_text()


def same_tools() -> None:
    """Skips where the figures were measured with other tools."""
    tools, _, _ = results_file.parsed(RESULTS.read_text())
    if tools != results.versions():
        pytest.skip(f"RESULTS.md was measured with {', '.join(tools)}; here are {', '.join(results.versions())}")


@pytest.mark.slow
def test_kernels_take_no_more_instructions_than_committed() -> None:
    if results.lacking():
        pytest.skip(f"not here: {', '.join(results.lacking())}")
    same_tools()
    _, _, before = results_file.parsed(RESULTS.read_text())
    assert results.slower_kernels(before, results_file.sums(results.counted())) == []


@pytest.mark.slow
def test_inferences_take_no_more_instructions_than_committed() -> None:
    lacking = results.lacking() + results.lacking_boards()
    if lacking:
        pytest.skip(f"not here: {', '.join(lacking)}")
    same_tools()
    _, before, _ = results_file.parsed(RESULTS.read_text())
    assert results.slower_inferences(before, whole.measured(whole.sessions(CHECKED))) == []
