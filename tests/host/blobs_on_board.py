"""What a board makes of an int8 model, blob by blob, beside LiteRT's."""

from __future__ import annotations

import numpy as np

from host_tools.device import Device
from host_tools.device.engine_for import push_engine_for
from host_tools.device.models import push_model
from host_tools.model_file import ModelFile
from host_tools.remote.inference import RemoteInference
from tests.host import int8_models
from tests.host.test_int8_models import same


def compare_with_litert(board: Device, name: str, model: ModelFile, count: int) -> None:
    """Push the engine and `model`, which has been made from model `name`, and compare `count` inferences."""
    board.soft_reset()  # what an earlier model has left of the heap is whole again
    engine = push_engine_for(board, model)
    assert engine.backend == "_nnmicro"
    path = push_model(board, model.data, f"/{model.name}").path
    (output,) = model.net.outputs
    remote = RemoteInference(board, path, model, lightmode=False)
    for i, values in enumerate(int8_models.inputs(name, count)):
        remote.input(model.net.inputs[0], values)
        remote.infer(output)
        expected = int8_models.expected(name, count)[i]
        same({blob: remote.output(blob) for blob in expected}, expected)
        remote.reset()
    # And as it is usually run: blobs where the plan has them.
    remote = RemoteInference(board, path, model)
    remote.input(model.net.inputs[0], int8_models.inputs(name, count)[0])
    measured = remote.infer(output)
    assert measured.live_peak == model.net.live_peak and measured.placement == "plan"
    np.testing.assert_array_equal(remote.output(output), int8_models.expected(name, count)[0][output])
    board.remove(path)
