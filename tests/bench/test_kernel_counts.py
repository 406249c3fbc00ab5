"""The int8 kernels alone: what they cost on each core, and that every core gives what this computer gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware import qemu_plugin
from tests.bench.kernels.count import CORES, Counted, count, here, table

pytestmark = pytest.mark.bench


def outputs(rows: list[Counted]) -> dict[tuple[str, str], int]:
    return {(row.network, row.layer): row.output for row in rows}


def test_instructions_of_the_kernels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lacking = sorted({tool for core in CORES.values() for tool in core.lacks()})
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    expected = outputs(here(tmp_path))
    assert all(expected.values())  # 0: refused
    counted = {name: count(core, tmp_path) for name, core in CORES.items()}
    for name, rows in counted.items():
        assert outputs(rows) == expected, name
        # The clock counts what the plugin does, and the same few instructions each time that it is read; RV32's clock
        # is read in ticks of 0.8 instructions.
        read = {row.instructions - qemu_plugin.instructions(row.classes) for row in rows}
        assert 0 < min(read) <= max(read) <= min(read) + 2 < 100, name
    with capsys.disabled():
        print("\n" + table(counted))
