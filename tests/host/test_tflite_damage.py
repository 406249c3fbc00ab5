"""Damaged TFLite files give a ConversionError or a graph, never another exception."""

from __future__ import annotations

import tempfile
from functools import cache
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.graph import ConversionError, Graph
from host_tools.importers import load_model

pytest.importorskip("tflite", reason="the TFLite importer needs the package tflite")

from tests.host.tflite_models import CASES, shape_computation


def assert_consistent(graph: Graph) -> None:
    """Everything is made before it is read, and only the blobs that may have a scale have one."""
    made = {*graph.inputs, *graph.states}
    for layer in graph.layers:
        assert all(name in made or graph.tensor(name).data is not None for name in layer.inputs)
        made.update(layer.outputs)
    assert set(graph.outputs) <= made
    for tensor in graph.blobs():
        assert all(size >= 1 for size in tensor.shape)
        assert tensor.quantisation is None or tensor.dtype == np.int8


def test_a_file_of_another_kind(tmp_path):
    path = tmp_path / "small.tflite"
    path.write_bytes(b"PK\x03\x04 something")
    with pytest.raises(ConversionError, match="not a TFLite model"):
        load_model(path)


@cache
def _content(name: str) -> bytes:
    return CASES[name]() if name else shape_computation()


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(["", *CASES]), st.data())
def test_a_file_with_other_bytes_or_another_length(name, data):
    changed = bytearray(_content(name))
    for _ in range(data.draw(st.integers(0, 4))):
        changed[data.draw(st.integers(8, len(changed) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del changed[data.draw(st.integers(8, len(changed) - 1)) :]
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(folder) / "small.tflite"
            path.write_bytes(changed)
            graph = load_model(path)
        except ConversionError as refused:
            assert str(refused)
        else:
            assert_consistent(graph)
            assert sum(prod(tensor.shape) for tensor in graph.blobs()) < 1 << 32
