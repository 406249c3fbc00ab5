"""Real int8 networks: every intermediate and every output identical in every byte to LiteRT's integer kernels."""

from __future__ import annotations

import numpy as np
import pytest

import nnmicro
from host_tools.device import Device
from host_tools.remote.inference import RemoteInference
from tests.host import int8_models, litert

pytestmark = pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed")

COUNT = 20
NAMES = sorted(int8_models.MODELS)


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert len(expected) >= 4
    for name, right in expected.items():
        assert found[name].shape == right.shape, name
        different = np.flatnonzero(found[name].ravel() != right.ravel())
        assert not different.size, (
            f"{name}: {different.size} of {right.size} elements differ, the first at {different[0]}"
        )


@pytest.mark.parametrize("name", NAMES)
def test_every_blob_in_plain_python_on_the_host(name: str) -> None:
    net = nnmicro.Net(int8_models.converted(name).data, nnmicro.Option(backend="reference"))
    for i in range(COUNT):
        with net.extractor(lightmode=False) as ex:
            ex.input(net.inputs[0], int8_models.inputs(name, COUNT)[i])
            expected = int8_models.expected(name, COUNT)[i]
            found = {}
            for blob, right in expected.items():
                result = ex.extract(blob)
                found[blob] = np.frombuffer(result.tobytes(), result.dtype).reshape(result.shape)
                assert found[blob].dtype == right.dtype
        same(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_every_blob_on_the_device(device: Device, name: str) -> None:
    model = int8_models.converted(name)
    device.write_file(model.data, "/int8.nnm")
    try:
        remote = RemoteInference(device, "/int8.nnm", model, lightmode=False)
        assert remote.backend == "_nnmicro"
        answers = set()
        (output,) = model.net.outputs
        for i, values in enumerate(int8_models.inputs(name, COUNT)):
            remote.input(model.net.inputs[0], values)
            measured = remote.infer(output)
            assert measured.live_peak == model.net.lightmode_off_size
            expected = int8_models.expected(name, COUNT)[i]
            same({blob: remote.output(blob) for blob in expected}, expected)
            answers.add(expected[output].tobytes())
            remote.reset()
        assert len(answers) > 1, "the inputs do not tell anything: all have the same answer"
    finally:
        device.remove("/int8.nnm")


@pytest.mark.parametrize("name", NAMES)
def test_lightmode_on_the_device_takes_what_was_planned(device: Device, name: str) -> None:
    model = int8_models.converted(name)
    device.write_file(model.data, "/int8.nnm")
    try:
        remote = RemoteInference(device, "/int8.nnm", model)
        (output,) = model.net.outputs
        for i in range(2):
            remote.input(model.net.inputs[0], int8_models.inputs(name, COUNT)[i])
            measured = remote.infer(output)
            assert measured.live_peak == model.net.live_peak == model.net.arena_size == remote.arena_size
            assert measured.placement == "plan"
            np.testing.assert_array_equal(remote.output(output), int8_models.expected(name, COUNT)[i][output])
            remote.reset()
        remote.input(model.net.inputs[0], int8_models.inputs(name, COUNT)[0])
        assert remote.heap(output) == 0
    finally:
        device.remove("/int8.nnm")


HEAP_LOCKED = """
import micropython, nnmicro
net = nnmicro.Net("/int8.nnm")
data = bytes(len(net.extractor(lightmode=False).input_view(net.inputs[0])))
name, result = net.inputs[0], net.outputs[0]
def infer():
    ex = net.extractor()
    ex.input(name, data)
    ex.extract(result)
    ex.reset()
    ex.input(name, data)
    ex.extract(result)
    ex.close()
infer()
micropython.heap_lock()
try:
    infer()
finally:
    micropython.heap_unlock()
print(net.backend)
"""


@pytest.mark.parametrize("name", NAMES)
def test_the_second_inference_allocates_nothing(device: Device, name: str) -> None:
    device.write_file(int8_models.converted(name).data, "/int8.nnm")
    try:
        assert device.exec(HEAP_LOCKED).strip() == b"_nnmicro"
    finally:
        device.remove("/int8.nnm")


def test_ten_real_digits_are_recognised(device: Device) -> None:
    model = int8_models.converted("mnist")
    device.write_file(model.data, "/int8.nnm")
    remote = RemoteInference(device, "/int8.nnm", model)
    for i in range(10):
        remote.input(model.net.inputs[0], int8_models.inputs("mnist", COUNT)[i])
        assert remote.output(model.net.outputs[0]).argmax() == i
        remote.reset()


def test_a_real_keyword_is_recognised(device: Device) -> None:
    model = int8_models.converted("kws")
    device.write_file(model.data, "/int8.nnm")
    remote = RemoteInference(device, "/int8.nnm", model)
    remote.input(model.net.inputs[0], int8_models.inputs("kws", COUNT)[0])
    assert remote.output(model.net.outputs[0]).argmax() == 5
