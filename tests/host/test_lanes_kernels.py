"""Convolutions where one multiplication is for two pixels, with elements and weights as large as there are: what could
carry from one pixel's sum into the other's. Against the plain Python layer, byte for byte."""

from __future__ import annotations

import shutil
from importlib import import_module

import numpy as np
import pytest

from firmware.native import host
from tests.host.test_native_float_kernels import record_of
from tests.host.test_native_int8_kernels import Trial, call_of, filled, window

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")

ENDS = np.array([-128, -127, 127], np.int8)


def extreme(seed: int, group: int, inputs: int, outputs: int) -> Trial:
    """A convolution of elements and weights that are nearly all at the ends of int8."""
    t = Trial(np.random.default_rng([seed, 23]))
    shape = (group * inputs, t.number(1, 3), t.number(1, 4))
    (_, h, w), p = window(t, shape)
    zero = int(t.rng.choice([-128, -1, 0, 127]))
    t.params = p | {"group": group, "input_zero": zero, "output_zero": t.number(-128, 127)} | t.clamp()
    size = inputs * p["kernel_h"] * p["kernel_w"]
    t.add(shape)
    # Runs of the same sign, so that neighbours' products add up.
    weights = t.rng.choice(ENDS, (outputs, size))
    weights[t.rng.random(outputs) < 0.5] = -128
    t.constant(weights.ravel())
    t.constant(t.rng.integers(-2000, 2000, outputs, dtype=np.int32))
    t.constant(t.rng.integers(1 << 30, (1 << 31) - 1, outputs, dtype=np.int32))
    fits = int(np.log2(size * 255 * 128)) - 7  # so that sums' lower bits are seen, too
    t.constant(-t.rng.integers(1, fits + 1, outputs, dtype=np.int32))
    t.add((outputs, h, w))
    return t


@pytest.mark.parametrize(
    ("group", "inputs", "outputs"), [(1, 1, 1), (1, 2, 3), (1, 5, 2), (1, 40, 4), (1, 3, 131), (3, 2, 99), (70, 1, 70)]
)
@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_carried_from_one_pixel_to_the_other(seed: int, group: int, inputs: int, outputs: int) -> None:
    t = extreme(seed, group, inputs, outputs)
    memory = filled(t)
    x = t.operands[0]
    ends = np.frombuffer(memory, np.int8)[x.base : t.operands[1].base]
    ends[:] = t.rng.choice(ENDS, ends.size, p=[0.7, 0.1, 0.2])
    module = import_module("nnmicro.reference.convolution_int8")
    call, params = call_of(t, memory, module)
    out = t.operands[-1]
    call.y0, call.y1 = 0, min(out.h, out.rows)
    module.check(call)
    ours = np.frombuffer(bytearray(memory), np.uint8)
    words = np.frombuffer(params, np.int32)
    native = host.sanitized("LANES")
    record = record_of(native, "convolution_int8", call)
    module.run(call)
    assert native.call([(ours.ctypes.data, ours.nbytes, True), (words.ctypes.data, words.nbytes, False)], record) == 0
    assert ours.tobytes() == bytes(memory)
