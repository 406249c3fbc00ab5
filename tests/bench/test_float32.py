"""float32 on a core with an FPU: instructions of an inference, beside TensorFlow Lite Micro's."""

from __future__ import annotations

import pytest

from host_tools.convert import to_nnm
from host_tools.device import push_engine
from host_tools.device.qemu import QemuDevice
from host_tools.importers import load_model
from host_tools.model_file import ModelFile
from host_tools.remote.benchmark import measure
from tests.models.shared import found

pytestmark = pytest.mark.bench

BOARD = "qemu_cortex_m4f"
HEAP = 3 << 20  # for models of which one has 850 KB
MOST = {"ic": 35_000_000, "vww": 30_000_000}
PEER = {"ic": 99_931_117, "vww": 86_299_595}


@pytest.mark.parametrize("network", MOST)
def test_instructions_of_an_inference(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = found(f"models/mlperf_tiny/{network}_float32.tflite")
    if path is None:
        pytest.skip("the shared models are not there")
    model = ModelFile(to_nnm(load_model(path)), f"{network}.nnm")
    with QemuDevice(f"emu:{BOARD}", BOARD, heap=HEAP) as device:
        push_engine(device)
        device.write_file(model.data, "/m.nnm")
        device.soft_reset()
        cost = measure(device, "/m.nnm", model)
    macs = model.describe()["macs"]
    kinds: dict[str, list[int]] = {}
    for each in cost.layers:
        sums = kinds.setdefault(model.layer_op(each.layer), [0, 0])
        sums[0] += each.count
        sums[1] += model.layer_macs(each.layer)
    with capsys.disabled():
        print(f"\n{network}, float32, {BOARD}: {cost.total:,} instructions, {cost.total / macs:.2f} a MAC; ", end="")
        print(f"TensorFlow Lite Micro takes {PEER[network] / cost.total:.2f} times as many")
        for kind, (count, products) in sorted(kinds.items(), key=lambda item: -item[1][0]):
            print(f"  {kind:14} {count:12,}" + (f" {count / products:6.2f} a MAC" if products else ""))
    assert all(each.native for each in cost.layers)
    assert cost.total <= MOST[network]
