"""RESULTS.md: no kernel takes more than it says."""

from __future__ import annotations

import pytest

from tests.bench import results


def test_more_than_a_hundredth_is_a_regression() -> None:
    before = {"m4": {"kws": 1000, "ic": 1000}}
    assert results.regressions(before, {"m4": {"kws": 1010, "ic": 900}}) == []
    (sentence,) = results.regressions(before, {"m4": {"kws": 1011, "ic": 1000}})
    assert sentence == "Cortex-M4, keyword spotting: 1,011 instructions instead of 1,000"


@pytest.mark.slow
def test_kernels_take_no_more_instructions_than_committed() -> None:
    if results.lacking():
        pytest.skip(f"not installed: {', '.join(results.lacking())}")
    tools, before = results.committed(results.RESULTS.read_text())
    if tools != results.versions():
        pytest.skip(f"RESULTS.md was measured with {', '.join(tools)}; here are {', '.join(results.versions())}")
    assert all(len(networks) == len(results.NETWORKS) for networks in before.values())
    assert results.regressions(before, results.sums(results.counted())) == []
