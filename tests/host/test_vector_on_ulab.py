"""The vector backend on a device with a real ulab: every kernel's cases, and whole networks."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import onnx
import pytest

from host_tools.convert import to_nnm
from host_tools.device import Device
from host_tools.importers import load_model
from tests.host.graph_oracle import onnx_blobs, random_inputs
from tests.host.kernel_call import Bench, words
from tests.host.layer_cases import Case, agrees, all_cases
from tests.models import architectures
from tests.ulab import device as ulab
from tests.ulab.kernels import LAYERS, vector

NETWORKS = ("resnet_8", "mobilenet_v2", "u_net", "vision_transformer", "gru_keywords")
TOLERANCE = 1e-4  # of the largest element: single precision, sums in another order


@pytest.fixture(scope="module")
def device(pytestconfig: pytest.Config) -> Iterator[Device]:
    if ulab.lacking():
        pytest.skip(ulab.lacking())
    found = pytestconfig.pluginmanager.get_plugin("session_devices").get(ulab.SPEC)
    found.write_file(Path(ulab.__file__).with_name("on_device.py"), "/vector_calls.py")
    found.soft_reset()
    found.exec("import vector_calls")
    yield found
    found.remove("/vector_calls.py")


def there(device: Device, op: str, bench: Bench) -> None:
    """Run a call on the device, and take over what it left in memory."""
    call = bench.call
    operands = [call.input(i) for i in range(call.n_in + 1)]
    places = [(int(o.base), o.c, o.h, o.w, o.cs, o.rs, o.ps) for o in operands]
    buffer = b64encode(bench.buffer).decode()
    params = b64encode(bytes(bench._params)).decode()
    code = f"vector_calls.run({op!r}, {call.n_in}, {call.first_param}, {params!r}, {places}, {buffer!r})"
    bench.array[:] = struct.unpack(f"<{len(bench.array)}f", b64decode(device.exec(code, timeout=60)))


def bench(case: Case) -> Bench:
    layouts = case.layouts(False)
    params = words(case.params_for(layouts), import_module(f"nnmicro.reference.{case.op}"))
    return Bench(case.inputs, case.expected.shape, params, layouts, checked=False)


@pytest.mark.parametrize("op", sorted({case.op for case in all_cases()} & set(LAYERS)))
def test_a_layers_cases(device: Device, op: str):
    for case in all_cases():
        if case.op == op:
            ours, theirs = bench(case), bench(case)
            there(device, op, ours)
            assert agrees(ours.result(), case.expected), case.name
            assert ours.guards_untouched()
            vector(op)(theirs.call)
            assert agrees(theirs.result(), ours.result())


RUN = """
import nnmicro
from array import array
net = nnmicro.Net("/network.nnm", nnmicro.Option(backend="vector"))
with net.extractor() as ex:
    for name in net.inputs:
        with open("/" + name + ".bin", "rb") as file:
            ex.input(name, file.read())
    with open("/found.bin", "wb") as file:
        for name in net.outputs:
            file.write(ex.extract(name).tobytes())
print(net.backend)
"""


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network(device: Device, tmp_path: Path, name: str):
    path = tmp_path / "network.onnx"
    onnx.save(getattr(architectures, name)(), path)
    graph = load_model(path)
    inputs = random_inputs(graph)
    expected = onnx_blobs(onnx.load(path), inputs)
    device.write_file(to_nnm(graph), "/network.nnm")
    for given, values in inputs.items():
        device.write_file(values.astype(np.float32).tobytes(), f"/{given}.bin")
    assert device.exec(RUN, timeout=120).decode().strip() == "vector"
    found = np.frombuffer(device.read_file("/found.bin"), np.float32)
    right = np.concatenate([expected[output].ravel() for output in graph.outputs])
    assert np.abs(found - right).max() <= TOLERANCE * np.abs(right).max()
