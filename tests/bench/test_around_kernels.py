"""What an inference takes besides its kernels: for each layer in the loop in C, and once in Python."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.convert import to_nnm
from host_tools.device import push_engine
from host_tools.device.qemu import QemuDevice
from host_tools.graph import Graph
from host_tools.model_file import ModelFile
from host_tools.remote.benchmark import measure
from tests.boards import lacking

pytestmark = pytest.mark.bench

BOARD = "qemu_cortex_m4f"
FEW, MANY = 4, 36
MOST_A_LAYER, MOST_IN_PYTHON = 1_000, 30_000  # instructions
# Of them in the kernel itself, `nn_inner_product` and `outputs` of inner_product.c, counted by address in QEMU.
KERNEL = 257


def chain(layers: int) -> ModelFile:
    """Fully connected layers of one product each, every one of which takes and gives back a block of the arena."""
    graph = Graph("chain")
    graph.add_tensor("x0", (1, 1))
    for i in range(layers):
        graph.add_tensor(f"x{i + 1}", (1, 1))
        weights = graph.add_constant(f"w{i}", np.ones((1, 1), np.float32))
        plain = {"per_row": 0, "activation": 0, "activation_a": 0.0, "activation_b": 0.0}
        graph.add("inner_product", f"layer{i}", [f"x{i}", weights], [f"x{i + 1}"], **plain)
    graph.inputs, graph.outputs = ["x0"], [f"x{layers}"]
    return ModelFile(to_nnm(graph), f"chain{layers}.nnm")


def test_instructions_besides_the_kernels(capsys: pytest.CaptureFixture[str]) -> None:
    reason = lacking(f"emu:{BOARD}", may_build=True)
    if reason:
        pytest.skip(reason)
    totals = []
    with QemuDevice(f"emu:{BOARD}", BOARD) as device:
        push_engine(device)
        for layers in (FEW, MANY):
            model = chain(layers)
            device.write_file(model.data, "/m.nnm")
            device.soft_reset()
            totals.append(measure(device, "/m.nnm", model, in_total_only=True).total)
    a_layer = (totals[1] - totals[0]) / (MANY - FEW)
    once = totals[0] - FEW * a_layer
    with capsys.disabled():
        print(f"\n{BOARD}: {a_layer:,.0f} instructions a layer, {KERNEL} of them in its kernel; {once:,.0f} once")
    assert a_layer - KERNEL <= MOST_A_LAYER
    assert once <= MOST_IN_PYTHON
