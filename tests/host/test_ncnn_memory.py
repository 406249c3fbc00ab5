"""The planned memory of three of ncnn's own benchmark graphs beside what ncnn itself takes for its blobs.

ncnn's bytes (`anchors/ncnn_lightmode.json`) hold 4 bytes of reference count for each blob, which nnmicro keeps in the
arena's table; so the ratios are compared with the two decimals that are stated for ncnn.
"""

from __future__ import annotations

import json

import pytest

from host_tools.convert import to_nnm
from host_tools.importers import load_model
from host_tools.model_file import ModelFile
from tests.models.shared import shared

GRAPHS = [
    ("squeezenet", "bench_squeezenet", None, 4.80),
    ("mobilenet_v2", "bench_mobilenet_v2", None, 4.97),
    # Its last layer turns boxes into a list of objects whose length depends on the picture; the anchors stop before it.
    ("yolo-fastest-1.1", "bench_yolo-fastest-1.1", ["120_854", "129_922"], 9.46),
]


@pytest.mark.parametrize("name,file,outputs,ratio", GRAPHS, ids=[graph[0] for graph in GRAPHS])
def test_lightmode_takes_no_more_than_ncnns(name: str, file: str, outputs: list[str] | None, ratio: float) -> None:
    ncnn = json.loads(shared("anchors/ncnn_lightmode.json").read_text())["models"][name]
    graph = load_model(shared(f"models/ncnn/{file}.param"), input_shapes=None, zero_weights=True, outputs=outputs)
    arena = ModelFile(to_nnm(graph, fuse=False)).describe()["arena"]
    found = arena["lightmode_off"] / arena["live_peak"]
    print(
        f"\n{name}: lightmode {arena['live_peak']:,} bytes (ncnn {ncnn['lightmode_on']:,}), "
        f"off {arena['lightmode_off']:,} "
        f"(ncnn {ncnn['lightmode_off']:,}), ratio {found:.4f} (ncnn {ncnn['lightmode_off'] / ncnn['lightmode_on']:.4f})"
    )
    assert arena["live_peak"] <= ncnn["lightmode_on"]
    assert arena["size"] == arena["live_peak"]
    assert round(found, 2) >= ratio
