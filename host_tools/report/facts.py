"""What the page shows, as one JSON object."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import boards

from .. import __version__
from ..fit import judge
from ..graph import ConversionError
from ..model_file import ModelFile
from ..pictures.panels import COLOURS, Panel, panels, short
from ..reader import read_plan, read_program
from . import streamed
from .graph import nodes_and_edges
from .noise import QUANTISED


def facts(
    model: ModelFile,
    *,
    board: str | None = None,
    bench: dict[str, Any] | None = None,
    noise: dict[str, float | None] | None = None,
    twin: str | None = None,
) -> dict[str, Any]:
    """bench: what `nnmicro bench --json` printed; noise: see `noise.py`, and `twin` the name of the float model.

    Raises ValueError for a bench of another model.
    """
    program = read_program(model.net)
    plan = read_plan(program, model.net)
    maps: list[Panel] = panels(program, plan)
    note = ""
    try:
        maps.append(streamed.panel(model, program))
    except ConversionError as error:
        note = f"This network cannot be streamed: {error}"
    told = model.describe()
    return {
        "title": model.name,
        "version": __version__,
        "colours": COLOURS,
        "told": told,
        "graph": nodes_and_edges(program),
        "panels": [_panel(each) for each in maps],
        "streamed_note": note,
        "runs": "streamed" if model.net.steps_at else "lightmode on",
        "layers": _layers(model, bench, noise or {}),
        "cost": _cost(bench),
        "noise": _about_noise(model, noise, twin),
        "boards": [_verdicts(model, name) for name in boards.names()],
        "board": board,
    }


def _panel(panel: Panel) -> dict[str, Any]:
    told = asdict(panel)
    for box, values in zip(panel.boxes, told["boxes"], strict=True):
        values["label"] = box.label
    return told


def _layers(model: ModelFile, bench: dict[str, Any] | None, noise: dict[str, float | None]) -> list[dict[str, Any]]:
    net = model.net
    rows: list[dict[str, Any]] = []
    measured = bench["per_layer"] if bench else []
    if bench is not None and [each["op"] for each in measured] != [model.layer_op(i) for i in range(net.n_layers)]:
        raise ValueError(f"the bench has other layers than {model.name}: it is of another model")
    made_by = {net.producer(blob): net.name(blob) for blob in range(net.n_blobs)}
    for layer in range(net.n_layers):
        blob = made_by.get(layer)
        row = {
            "name": short(str(net.layer_name(layer))),
            "op": model.layer_op(layer),
            "shape": list(net.shape(blob)) if blob is not None else [],
            "macs": model.layer_macs(layer),
            "cost": measured[layer][_unit(bench)] if bench else None,
        }
        name = str(blob).removesuffix(QUANTISED)
        if name in noise:
            row["noise"] = noise[name]
        rows.append(row)
    return rows


def _unit(bench: dict[str, Any] | None) -> str:
    return "instructions" if bench and "instructions" in bench else "time_us"


def _cost(bench: dict[str, Any] | None) -> dict[str, Any] | None:
    if bench is None:
        return None
    unit = _unit(bench)
    return {
        "unit": {"instructions": "instructions", "time_us": "µs"}[unit],
        "total": bench[unit],
        "device": bench["device"],
        "backend": bench["backend"],
        "per_mac": bench.get(f"{unit}_per_mac"),
    }


def _about_noise(model: ModelFile, noise: dict[str, float | None] | None, twin: str | None) -> str:
    if not any(op.endswith("_int8") for op in model.net.op_names):
        return "The network computes in float32: there is nothing that quantising did to it."
    if noise is None:
        return (
            "Not measured: that takes the float32 model that this one was quantised from. Give it with --float, and "
            "inputs with --inputs."
        )
    if not noise:
        return f"Not measured: {twin} has no blob of the same name and size as one of this model."
    return f"Against {twin}. Below 20 dB a layer may cost accuracy, above 30 dB it rarely does."


def _verdicts(model: ModelFile, name: str) -> dict[str, Any]:
    board = boards.load(name)
    told: dict[str, Any] = {"board": name, "name": board.name, "core": board.core, "emulated": bool(board.qemu)}
    for what, stock in (("ours", False), ("stock", True)):
        if (board.stock if stock else board.ours) is not None:
            told[what] = judge(model, board, stock=stock).describe()
    return told
