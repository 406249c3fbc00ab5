"""What the kernels do as on RV32, against the plain Python layers, byte for byte.

Convolutions, where one multiplication is for two pixels, with elements and weights as large as there are: what could
carry from one sum into the other. Fully connected layers, which leave elements out, with few of them and with many.
"""

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


def channels(t: Trial, outputs: int, products: int) -> None:
    """Bias, multiplier, and shifts of any length, so that sums' lower bits are seen, too."""
    t.constant(t.rng.integers(-2000, 2000, outputs, dtype=np.int32))
    t.constant(t.rng.integers(1 << 30, (1 << 31) - 1, outputs, dtype=np.int32))
    t.constant(-t.rng.integers(1, int(np.log2(products * 255 * 128)) - 6, outputs, dtype=np.int32))


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
    channels(t, outputs, size)
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
    compare(t, memory, "convolution_int8")


@pytest.mark.parametrize("outputs", [15, 16, 17, 40])
@pytest.mark.parametrize(
    ("count", "part"), [(1, 0), (7, 0.7), (130, 0), (130, 0.5), (130, 0.74), (130, 0.8), (700, 0.5), (700, 1)]
)
def test_elements_that_are_nothing_are_left_out(count: int, part: float, outputs: int) -> None:
    t = Trial(np.random.default_rng([count, outputs, int(100 * part)]))
    zero = int(t.rng.choice([-128, -3, 127]))
    t.params = {"per_row": 0, "input_zero": zero, "weight_zero": 0, "output_zero": t.number(-128, 127)} | t.clamp()
    x = t.add((1, 1, count), ring=False)
    x.cs, x.ps, x.rs = 1, 1, count
    t.constant(t.rng.choice(ENDS, outputs * count))
    channels(t, outputs, count)
    t.add((1, 1, outputs), ring=False)
    memory = filled(t)
    elements = np.frombuffer(memory, np.int8)[x.base : x.base + count]
    elements[:] = np.where(t.rng.random(count) < part, t.rng.choice(ENDS, count), zero)
    compare(t, memory, "inner_product_int8")


def compare(t: Trial, memory: bytearray, op: str) -> None:
    module = import_module(f"nnmicro.reference.{op}")
    call, params = call_of(t, memory, module)
    out = t.operands[-1]
    call.y0, call.y1 = 0, min(out.h, out.rows)
    module.check(call)
    ours = np.frombuffer(bytearray(memory), np.uint8)
    words = np.frombuffer(params, np.int32)
    native = host.sanitized("LANES")
    record = record_of(native, op, call)
    module.run(call)
    assert native.call([(ours.ctypes.data, ours.nbytes, True), (words.ctypes.data, words.nbytes, False)], record) == 0
    assert ours.tobytes() == bytes(memory)
