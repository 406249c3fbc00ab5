"""On 32-bit boards, where other things allocate than on 64 bits: a second inference of an int8 model uses no heap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import nnmicro
from host_tools.convert import Options, convert
from host_tools.device import Device, push_engine
from host_tools.device.needed import needed_modules
from host_tools.device.pico import PicoDevice
from host_tools.device.qemu import QemuDevice
from host_tools.device.romfs import push_romfs, remove_from_romfs
from host_tools.model_file import ModelFile
from host_tools.streaming.convert import Streaming
from tests.boards import lacking
from tests.host import int8_models
from tests.host.pico_board import built_firmware

M4F = "qemu_cortex_m4f"
SLOW = {"ic", "vww", "ad"}
# Those that a Pico's heap has no room for are used where they lie, in its ROMFS.
IN_ROMFS_ON_A_PICO = {"vww", "ad"}

PROGRAM = """
import gc, micropython
gc.collect()
import nnmicro
net = nnmicro.Net({path!r})
data = bytes({size})
with open("/input.bin", "rb") as file:
    given = file.read()
def infer(data):
    ex = net.extractor()
    ex.input({input!r}, data)
    ex.extract({output!r})
    ex.reset()
    ex.input({input!r}, data)
    ex.extract({output!r})
    return ex
infer(data).close()
micropython.heap_lock()
try:
    ex = infer(given)
finally:
    micropython.heap_unlock()
print(net.backend, ex.placement, net.mapped, sum(ex.extract({output!r}).view()[i] * (i + 1) for i in range({elements})))
"""


@pytest.fixture(scope="module")
def m4f() -> Iterator[Device]:
    reason = lacking(f"emu:{M4F}")
    if reason:
        pytest.skip(reason)
    models = [int8_models.converted(name).net for name in int8_models.MODELS]
    models.append(nnmicro.Net(convert(int8_models.path("kws"), None, Options(stream=Streaming("max")))))
    with QemuDevice(f"emu:{M4F}", M4F) as device:
        push_engine(device, modules={m for net in models for m in needed_modules(net, "_nnmicro", net.op_names)})
        yield device


@pytest.fixture(scope="module")
def pico() -> Iterator[Device]:
    with PicoDevice(firmware=built_firmware()) as device:
        yield device


def check(device: Device, name: str, stream: Streaming | None = None, romfs: bool = False) -> None:
    model: ModelFile = int8_models.converted(name)
    if stream:
        model = ModelFile(convert(int8_models.path(name), None, Options(stream=stream)))
    net = model.net
    (given,) = int8_models.inputs(name, 1)
    (expected,) = int8_models.expected(name, 1)
    output = expected[str(net.outputs[0])]
    push = push_romfs(device, model.data, "int8.nnm") if romfs else device.write_file(model.data, "/int8.nnm")
    program = PROGRAM.format(
        path=push.path, input=net.inputs[0], output=net.outputs[0], size=given.nbytes, elements=output.nbytes
    )
    device.write_file(given.tobytes(), "/input.bin")
    device.soft_reset()
    try:
        backend, placement, mapped, number = device.exec(program, timeout=300).decode().split()
    finally:
        remove_from_romfs(device, "int8.nnm") if romfs else device.remove(push.path)
    assert (backend, placement, mapped) == ("_nnmicro", "plan", str(romfs))
    flat = output.ravel().view(np.uint8).astype(int)
    assert int(number) == int((flat * np.arange(1, len(flat) + 1)).sum())


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in sorted(int8_models.MODELS)]
)
def test_on_a_cortex_m4f(m4f: Device, name: str) -> None:
    check(m4f, name)


@pytest.mark.parametrize("is_fed", [False, True], ids=["whole input", "fed"])
def test_row_by_row_on_a_cortex_m4f(m4f: Device, is_fed: bool) -> None:
    check(m4f, "kws", Streaming("auto", ["input_1"] if is_fed else []))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(int8_models.MODELS))
def test_on_a_raspberry_pi_pico(pico: Device, name: str) -> None:
    check(pico, name, romfs=name in IN_ROMFS_ON_A_PICO)
