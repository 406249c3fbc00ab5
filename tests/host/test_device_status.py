"""What a device says about itself, with an engine and models on it."""

from __future__ import annotations

import hashlib

from host_tools.cli.rm import remove
from host_tools.device import Device, open_device
from host_tools.device.status import status
from tests.models import model_file


def test_the_engine_and_the_models_are_told(device: Device) -> None:
    model = model_file("digits.nnm").read_bytes()
    device.write_file(model, "/status.nnm")
    device.write_file(model[:-16], "/half.nnm")
    told = status(device)
    assert told.engine is not None
    assert told.engine.where == "/lib/nnmicro/__init__.mpy" and told.engine.version == "0.1.0"
    assert told.engine.format == 1
    assert told.engine.kernel_abi == device.eval("__import__('_nnmicro').ABI")
    assert told.engine.backends["_nnmicro"] is None and told.engine.backends["reference"] is None
    assert "ulab" in str(told.engine.backends["vector"])
    models = {each.path: each for each in told.models}
    assert models["/status.nnm"].bytes == len(model) and models["/half.nnm"].bytes == len(model) - 16
    assert models["/status.nnm"].sha256 == hashlib.sha256(model).hexdigest()
    assert not models["/half.nnm"].whole
    assert remove(device, "/status.nnm") == ["/status.nnm"]
    assert remove(device, "/half.nnm") == ["/half.nnm"]


def test_the_largest_block_is_what_can_be_allocated() -> None:
    with open_device("unix", heapsize="256K") as device:
        # Every fourth of some blocks stays, so that the largest is far smaller than all that is free.
        told = status(device)
        device.exec(f"x = bytearray({told.largest_block})\ndel x")
        assert told.largest_block <= told.free_heap
        fails = device.exec(
            f"try:\n x = bytearray({told.largest_block + 4096})\n print('fits')\nexcept MemoryError: print('fails')"
        )
        assert fails == b"fails\n"
