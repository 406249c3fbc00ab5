"""Every ncnn layer that is claimed, with random parameters, shapes and weights, beside the `ncnn` package."""

from __future__ import annotations

from zlib import crc32

import pytest

from host_tools.importers import load_model
from host_tools.importers.ncnn.operators import TABLE
from host_tools.importers.ncnn.registry import NOT_IMPORTED
from tests.host.graph_oracle import assert_same_blobs, engine_blobs, ncnn_blobs, random_inputs
from tests.host.ncnn_layers import GENERATORS, Draw
from tests.host.ncnn_models import write_param
from tests.models.ncnn_weights import write_random_weights


def test_every_claimed_layer_has_a_generator() -> None:
    assert set(GENERATORS) == set(TABLE)


def test_every_layer_of_the_registry_is_imported_or_said_not_to_be() -> None:
    """ncnn counts its types from 0 on, and has no names for -1 and for what is behind the last."""
    ncnn = pytest.importorskip("ncnn")
    named = [*TABLE, *NOT_IMPORTED, "Input"]
    assert sorted(ncnn.layer_to_index(name) for name in named) == list(range(len(named)))
    assert ncnn.create_layer(len(named)) is None and ncnn.layer_to_index("no such layer") == -1


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("cases", [range(5), pytest.param(range(5, 100), marks=pytest.mark.slow)], ids=["few", "many"])
def test_random_layers_give_what_ncnn_gives(kind, cases, tmp_path):
    for i in cases:
        seed = crc32(f"{kind} {i}".encode())
        param = write_param(tmp_path, *GENERATORS[kind](Draw(seed)))
        binary = param.with_suffix(".bin")
        write_random_weights(param, binary, seed=seed)
        graph = load_model(param, binary)
        inputs = random_inputs(graph, seed)
        outputs = list(graph.outputs)
        ours = engine_blobs(graph, inputs, fuse=False, backend="reference")
        try:
            assert_same_blobs(graph, ours, ncnn_blobs(param, binary, inputs, outputs))
        except AssertionError as problem:
            raise AssertionError(f"case {i}: {problem}\n{param.read_text(encoding='utf-8')}") from problem
