"""The cases of ONNX's backend tests that the package stores as files: `simple`, `pytorch-operator`, and `light`, which
are whole networks without their weights. The latter are converted as graphs.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import pytest

from host_tools.graph import ConversionError
from host_tools.importers import load_model
from host_tools.passes import run_passes
from tests.host.test_onnx_backend import CLAIMED, Outcome, outcome_of
from tests.models.onnx_backend import STORED, stored_cases

pytestmark = pytest.mark.slow

# Which are refused, and why.
REFUSED = {
    "test_operator_conv": "initializer name is not unique",  # onnx's own conversion of the old file makes it so
    "test_operator_convtranspose": "initializer name is not unique",
    "test_operator_symbolic_override": "initializer name is not unique",
    "test_operator_maxpool": "batch 20",
}
LIGHT_REFUSED = {
    "light_bvlc_alexnet": ["LRN"],
    "light_inception_v1": ["LRN"],
    "light_vgg19": ["ConstantOfShape"],  # 400 MB of weights
    "light_zfnet512": ["LRN", "ConstantOfShape"],
}
LIGHT = sorted(path.stem for path in (STORED / "light").glob("*.onnx"))


@cache
def outcomes(kind: str) -> dict[str, Outcome]:
    with TemporaryDirectory() as folder:
        cases = [case for case in stored_cases(kind) if not isinstance(case, str) and case.operators <= CLAIMED]
        return {case.name: outcome_of(case, Path(folder)) for case in cases}


@pytest.mark.parametrize(("kind", "passing"), [("simple", 7), ("pytorch-operator", 25)])
def test_no_stored_case_fails(kind: str, passing: int) -> None:
    found = outcomes(kind)
    assert not {name: outcome.failure for name, outcome in found.items() if outcome.failure}
    refused = {name: outcome.refusal for name, outcome in found.items() if outcome.refusal}
    assert all(REFUSED[name] in refusal for name, refusal in refused.items())
    assert len(found) - len(refused) >= passing


@pytest.mark.parametrize("name", LIGHT)
def test_whole_networks_become_graphs_or_are_refused_by_name(name: str) -> None:
    path = STORED / "light" / f"{name}.onnx"
    try:
        graph = load_model(path)
    except ConversionError as refusal:
        layers = [line.split()[0] for line in str(refusal).partition("What helps:")[0].splitlines() if line[:2] == "  "]
        assert sorted(set(layers)) == sorted(LIGHT_REFUSED[name])
        return
    assert name not in LIGHT_REFUSED
    expected = onnx.load_tensor(path.with_name(f"{name}_output_0.pb"))
    before = len(graph.layers)
    run_passes(graph)
    assert len(graph.layers) < before
    assert [graph.tensor(output).shape for output in graph.outputs] == [tuple(expected.dims)]
