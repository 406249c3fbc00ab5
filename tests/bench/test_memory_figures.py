"""Prints the table of memory figures that the README names: `make bench`."""

from __future__ import annotations

import json

import pytest
from rich.console import Console
from rich.table import Table

from host_tools.convert import to_nnm
from host_tools.demo.digits import converted
from host_tools.importers import load_model
from host_tools.model_file import ModelFile
from tests.models.shared import shared

pytestmark = pytest.mark.bench

NCNN = [
    ("squeezenet", "bench_squeezenet", None),
    ("mobilenet_v2", "bench_mobilenet_v2", None),
    ("yolo-fastest-1.1", "bench_yolo-fastest-1.1", ["120_854", "129_922"]),
]


def show(capsys: pytest.CaptureFixture[str], table: Table) -> None:
    with capsys.disabled():
        Console(width=120).print("\n", table)


def test_memory_beside_ncnn(capsys: pytest.CaptureFixture[str]) -> None:
    anchors = json.loads(shared("anchors/ncnn_lightmode.json").read_text())["models"]
    table = Table(
        "network", "lightmode", "ncnn", "off", "ncnn", "off/on", "ncnn", "arena size", title="bytes of blobs, float32"
    )
    for name, file, outputs in NCNN:
        graph = load_model(shared(f"models/ncnn/{file}.param"), input_shapes=None, zero_weights=True, outputs=outputs)
        arena, ncnn = ModelFile(to_nnm(graph, fuse=False)).describe()["arena"], anchors[name]
        table.add_row(
            name,
            f"{arena['live_peak']:,}",
            f"{ncnn['lightmode_on']:,}",
            f"{arena['lightmode_off']:,}",
            f"{ncnn['lightmode_off']:,}",
            f"{arena['lightmode_off'] / arena['live_peak']:.4f}",
            f"{ncnn['lightmode_off'] / ncnn['lightmode_on']:.4f}",
            f"{arena['size']:,}",
        )
        assert arena["live_peak"] <= ncnn["lightmode_on"]
    show(capsys, table)


def test_memory_of_the_digits_network(capsys: pytest.CaptureFixture[str]) -> None:
    arena = converted().describe()["arena"]
    table = Table("lightmode", "off", "off/on", "arena size", title="digits network, float32, bytes")
    table.add_row(
        f"{arena['live_peak']:,}",
        f"{arena['lightmode_off']:,}",
        f"{arena['lightmode_off'] / arena['live_peak']:.2f}",
        f"{arena['size']:,}",
    )
    show(capsys, table)
