"""Instructions of whole inferences on an emulated Cortex-M4F: kernels in C, in assembler, in viper, in plain Python."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from host_tools.device import push_engine
from host_tools.device.qemu import QemuDevice
from host_tools.remote.benchmark import measure
from tests.bench.models import bench_models
from tests.boards import lacking

BOARD = "qemu_cortex_m4f"
# How many times as many instructions as the kernels in C.
MOST = {"asm_thumb": 4, "viper": 30}
pytestmark = pytest.mark.bench

ONCE = """\
import gc, micropython, nnmicro
net = nnmicro.Net("/m.nnm", nnmicro.Option(backend="reference"))
ex = net.extractor()
def infer():
    ex.reset()
    ex.input_view(net.inputs[0]).fill(1)
    ex.extract(net.outputs[0])
gc.collect()
"""


@pytest.fixture(scope="module")
def board() -> Iterator[QemuDevice]:
    reason = lacking(f"emu:{BOARD}", may_build=True)
    if reason:
        pytest.skip(reason)
    with QemuDevice(f"emu:{BOARD}", BOARD) as opened:
        push_engine(opened)
        yield opened


@pytest.mark.parametrize("name", ["kws", "ic", "vww", "ad", "digits_int8"])
def test_instructions_of_an_inference_by_backend(
    board: QemuDevice, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    models = bench_models()
    if name not in models:
        pytest.skip(f"the shared model {name} is not there")
    board.soft_reset()
    board.write_file(models[name].data, "/m.nnm")
    counts = {}
    for backend in ("_nnmicro", *MOST):
        board.soft_reset()
        cost = measure(board, "/m.nnm", models[name], backend)
        counts[backend] = cost.total
        # In viper the quantize and dequantize of the demo's network are plain Python, which leaves floats.
        assert cost.heap_allocated == 0 or (name, backend) == ("digits_int8", "viper")
    with capsys.disabled():
        print(f"\n{BOARD}, one inference of {name}, instructions:")
        for backend, count in counts.items():
            print(f"  {backend:10} {count:14,}  {count / counts['_nnmicro']:7.2f} times _nnmicro")
    for backend, times in MOST.items():
        assert counts[backend] <= times * counts["_nnmicro"]


def test_plain_python_is_far_behind(board: QemuDevice, capsys: pytest.CaptureFixture[str]) -> None:
    models = bench_models()
    if "kws" not in models:
        pytest.skip("the shared model kws is not there")
    board.soft_reset()
    board.write_file(models["kws"].data, "/m.nnm")
    count = measure(board, "/m.nnm", models["kws"], "viper").total
    board.soft_reset()
    board.exec(ONCE)
    reference = board.instructions("infer()", timeout=3600)
    with capsys.disabled():
        print(f"\n{BOARD}, one inference of kws: viper {count:,} instructions, plain Python {reference:,}")
    assert 10 * count <= reference
