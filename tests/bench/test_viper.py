"""Instructions of a keyword-spotting inference on an emulated Cortex-M4F: plain Python, viper, C."""

from __future__ import annotations

import numpy as np
import pytest

from host_tools.device import push_engine
from host_tools.device.qemu import QemuDevice
from tests.boards import lacking
from tests.host import int8_models

BOARD = "qemu_cortex_m4f"
pytestmark = pytest.mark.bench

LOAD = """\
import nnmicro
net = nnmicro.Net("/kws.nnm", nnmicro.Option(backend=%r))
ex = net.extractor()
def infer():
    ex.reset()
    ex.input_view(net.inputs[0]).assign_bytes(data)
    return ex.extract(net.outputs[0])
found = bytes(infer().tobytes())
import gc
gc.collect()
"""


def test_instructions_of_an_inference_by_backend(capsys: pytest.CaptureFixture[str]) -> None:
    reason = lacking(f"emu:{BOARD}", may_build=True)
    if reason:
        pytest.skip(reason)
    model = int8_models.converted("kws")
    data = model.storage(model.net.inputs[0], int8_models.inputs("kws", 1)[0])
    (output,) = model.net.outputs
    counts = {}
    with QemuDevice(f"emu:{BOARD}", BOARD) as board:
        push_engine(board)
        board.write_file(model.data, "/kws.nnm")
        for backend in ("_nnmicro", "viper", "reference"):
            board.soft_reset()
            board.exec(f"data = {bytes(data)!r}\n" + LOAD % backend, timeout=3600)
            found = np.frombuffer(board.eval("found"), np.int8)
            np.testing.assert_array_equal(found, int8_models.expected("kws", 1)[0][output].ravel())
            counts[backend] = board.instructions("infer()", timeout=3600)
    with capsys.disabled():
        print(f"\n{BOARD}, one inference of kws, instructions:")
        for backend, count in counts.items():
            print(f"  {backend:10} {count:14,}  {count / counts['_nnmicro']:7.1f} times _nnmicro")
    assert counts["viper"] <= 30 * counts["_nnmicro"]
    assert 10 * counts["viper"] <= counts["reference"]
