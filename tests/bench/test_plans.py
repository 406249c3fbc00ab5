"""Prints one table over all models: what the planner reaches, its bound, and what other engines take: `make bench`."""

from __future__ import annotations

import copy
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from host_tools.convert import to_nnm
from host_tools.importers import load_model
from host_tools.layout import Blob, Program, Step, lower, plain
from host_tools.model_file import ModelFile
from host_tools.passes import run_passes
from host_tools.plan import lifetimes
from host_tools.planner import plan_memory
from nnmicro import format as f
from nnmicro.port import F32, I8
from tests.models.branching import NETWORKS, tflite_model
from tests.models.shared import shared

pytestmark = pytest.mark.bench

# Where a network is in the anchors. TFLite Micro's persistent part holds what nnmicro has outside the arena.
_TFLM = {
    "ad_float32": "ad_f32",
    "ad_int8": "ad_int8",
    "ic_float32": "ic_f32",
    "ic_int8": "ic_int8",
    "kws_int8": "kws_int8",
    "vww_float32": "vww_f32",
    "vww_int8": "vww_int8",
    "hello_world_float": "hello_world_f32",
    "hello_world_int8": "hello_world_int8",
    "micro_speech_quantized": "micro_speech_int8",
}
# What MLPerf Tiny's networks have to reach: TFLite Micro's non-persistent arena.
_AT_MOST = {"kws_int8": 16_000, "ic_int8": 49_728, "vww_int8": 73_728, "ad_int8": 768}
_NCNN = {
    "bench_squeezenet": "squeezenet",
    "bench_mobilenet_v2": "mobilenet_v2",
    "bench_yolo-fastest-1.1": "yolo-fastest-1.1",
}
# Its last layer's output depends on the picture; the anchors stop before it.
_OUTPUTS = {"bench_yolo-fastest-1.1": ["120_854", "129_922"]}


def test_every_model_at_its_bound(capsys: pytest.CaptureFixture[str]) -> None:
    tflm = json.loads(shared("anchors/mcu_engines.json").read_text())
    ncnn = json.loads(shared("anchors/ncnn_lightmode.json").read_text())["models"]
    table = Table(title="arena of an inference, whole tensors, bytes (kernels need no workspace)")
    for column in ("network", "size", "bound", "ratio", "optimal", "seconds", "off"):
        table.add_column(column, justify="left" if column == "network" else "right", no_wrap=True)
    for column in ("TFLM non-persistent", "TFLM arena_used", "ncnn lightmode"):
        table.add_column(f"of {column}", justify="right")
    for path in sorted(p for p in shared("models").rglob("*") if p.suffix in (".tflite", ".onnx", ".param")):
        name = path.stem
        graph = load_model(
            path, None, input_shapes=None, zero_weights=path.suffix == ".param", outputs=_OUTPUTS.get(name)
        )
        began = time.monotonic()
        data = to_nnm(graph)
        seconds = time.monotonic() - began
        model = ModelFile(data, name)
        arena = model.describe()["arena"]
        size, bound = arena["size"], arena["lower_bound"]
        peers = _peers(name, tflm, ncnn)
        table.add_row(
            name, f"{size:,}", f"{bound:,}", f"{size / bound:.3f}", "yes" if model.net.optimal else "no",
            f"{seconds:.2f}", f"{arena['lightmode_off']:,}", *(_ratio(size, peer) for peer in peers),
        )  # fmt: skip
        assert model.net.optimal and size == bound
        assert size <= _AT_MOST.get(name, size)
        assert seconds < 20
        in_use, everything, ncnns = peers
        assert everything is None or size <= everything
        assert ncnns is None or size <= ncnns
        assert in_use is None or size <= in_use
    with capsys.disabled():
        Console(width=190).print("\n", table)


def _peers(name: str, tflm: dict[str, Any], ncnn: dict[str, Any]) -> list[int | None]:
    """TFLite Micro's non-persistent part and whole arena, with the kernels that take less; ncnn's blobs."""
    found: list[int | None] = [None] * 3
    if name in _TFLM:
        builds = [tflm["tflm"][build].get(_TFLM[name]) for build in ("m4_ref_O2", "m4_cmsis_O2")]
        found[0] = min(entry["arena_nonpersistent"] for entry in builds if entry)
        found[1] = min(entry["arena_used"] for entry in builds if entry)
    if name in _NCNN:
        found[2] = ncnn[_NCNN[name]]["lightmode_on"]
    return found


def _ratio(size: int, peer: int | None) -> str:
    return f"{size / peer:.3f}" if peer else "–"


def test_graphs_that_branch(capsys: pytest.CaptureFixture[str]) -> None:
    """The models above are nearly chains. What the planner does where there is much to choose: cells of networks that
    were found by search, each with five blocks that add two of what is there."""
    table = Table(title="order and places of graphs that branch, bytes")
    for column in ("cells", "layers", "file order", "live peak", "bound", "gap", "size", "optimal", "seconds"):
        table.add_column(column, justify="right")
    for cells in (1, 2, 3, 4, 6, 8):
        program = searched_network(cells)
        own = lifetimes(program).live_peak
        began = time.monotonic()
        plan = plan_memory(program)
        seconds = time.monotonic() - began
        optimal, gap = "yes" if plan.optimal else "no", f"{plan.size / plan.lower_bound - 1:.1%}"
        table.add_row(
            f"{cells}", f"{len(program.layers)}", f"{own:,}", f"{plan.live_peak:,}", f"{plan.lower_bound:,}",
            gap, f"{plan.size:,}", optimal, f"{seconds:.2f}",
        )  # fmt: skip
        assert plan.lower_bound <= plan.live_peak <= own and seconds < 30
    with capsys.disabled():
        Console(width=120).print("\n", table)


def test_networks_that_concatenate(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What it is worth that slices and concatenations need not copy: arena, and bytes that they move."""
    table = Table(title="slices and concatenations that copy, and the plan, int8 and SqueezeNet (float32), bytes")
    for column in ("network", "copying: arena", "moved", "plan: arena", "moved", "ratio", "bound", "seconds"):
        table.add_column(column, justify="left" if column == "network" else "right", no_wrap=True)
    for name in (*NETWORKS, "squeezenet"):
        path = shared("models/ncnn/bench_squeezenet.param") if name == "squeezenet" else tmp_path / f"{name}.tflite"
        if name != "squeezenet":
            path.write_bytes(tflite_model(name))
        graph = load_model(path, None, input_shapes=None, zero_weights=name == "squeezenet")
        run_passes(graph)
        program = lower(graph)
        copying = copy.deepcopy(program)
        without = plan_memory(copying, views=False)
        began = time.monotonic()
        plan = plan_memory(program)
        seconds = time.monotonic() - began
        table.add_row(
            name, f"{without.size:,}", f"{_moved(copying):,}", f"{plan.size:,}", f"{_moved(program):,}",
            f"{plan.size / without.size:.3f}", f"{plan.lower_bound:,}", f"{seconds:.1f}",
        )  # fmt: skip
        assert plan.lower_bound <= plan.size <= without.size and _moved(program) < _moved(copying) and seconds < 20
    with capsys.disabled():
        Console(width=120).print("\n", table)


def _moved(program: Program) -> int:
    """Bytes that slices and concatenations copy in an inference."""
    moved = 0
    for step in program.layers:
        if step.op == "slice" and not step.flags & f.SHARE:
            moved += _elements(program, step.output)
        elif step.op == "concat":
            block = program.block_of(step)
            moved += sum(_elements(program, blob) for blob in step.inputs if program.blobs[blob].owner != block)
    return moved


def _elements(program: Program, blob: int) -> int:
    at = program.blobs[blob].storage
    return at.c * at.h * at.w * at.pstep if program.blobs[blob].dtype == F32 else at.c * at.h * at.w


def searched_network(cells: int) -> Program:
    """Seeded random cells; each block is two layers that shrink or keep an operand, and their sum."""
    generator = random.Random(cells)
    program = Program("cells", inputs=[0])

    def blob(nbytes: int) -> int:
        program.blobs.append(Blob(f"b{len(program.blobs)}", (nbytes,), I8, plain(nbytes, 1), producer=-1))
        return len(program.blobs) - 1

    def layer(op: str, inputs: list[int], nbytes: int, params: list[int], flags: int = 0) -> int:
        out = blob(nbytes)
        program.blobs[out].producer = len(program.layers)
        program.layers.append(Step(f"{op}{len(program.layers)}", op, inputs, out, params, flags))
        return out

    before = last = blob(4096)
    for _ in range(cells):
        there = [before, last]
        read: set[int] = set()
        for _ in range(5):
            pair = [generator.choice(there), generator.choice(there)]
            read.update(pair)
            made = [layer("concat", [source], 1024 * generator.choice((1, 1, 2)), [0]) for source in pair]
            sizes = [program.blobs[i].storage.nbytes for i in made]
            alike = f.IN_PLACE if sizes[0] >= sizes[1] else 0
            there.append(layer("binary_op", made, max(sizes), [0, 0, 0, 0], alike))
        ends = [b for b in there[2:] if b not in read]
        before, last = last, layer("concat", ends, sum(program.blobs[b].storage.nbytes for b in ends), [0])
    program.outputs = [last]
    return program
