"""The kernels for packed weights against the plain Python layers with the weights as they were, byte for byte."""

from __future__ import annotations

import shutil
from importlib import import_module

import numpy as np
import pytest

from firmware.native import host
from host_tools.packing import dsp
from nnmicro.call import Call, Operand
from tests.host.test_native_float_kernels import record_of
from tests.host.test_native_int8_kernels import Trial, call_of, filled, window
from tests.host.test_packing import random_weights

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")

SEEDS = 150
Buffers = list[tuple[int, int, bool]]


@pytest.fixture(scope="module")
def native() -> host.Library:
    return host.sanitized("DSP")


def test_only_builds_for_such_a_core_have_them(native: host.Library) -> None:
    for op in ("convolution_int8_dsp", "inner_product_int8_dsp"):
        assert native.kernel(op) >= 0 and host.sanitized().kernel(op) == -1


def side_by_side(t: Trial, c: int, h: int, w: int, ring: bool = True) -> Operand:
    """An operand whose channels lie next to each other, with gaps between pixels and rows."""
    x = t.add((c, h, w), ring=ring)
    x.cs, x.ps = 1, c + t.number(0, 1)
    x.rs = w * x.ps + t.number(0, 3)
    t.end = (x.base + x.rows * x.rs + 31) // 16 * 16
    return x


def constants(t: Trial, outputs: int, products: int, together: int) -> None:
    """The four constants of a plain layer, then the two of the packed one."""
    zero = int(t.params["input_zero"])
    weights = random_weights(t.rng, outputs, products)
    plain = np.zeros(outputs, np.int32), np.ones(outputs, np.int32), np.full(outputs, -1, np.int32)
    while dsp.why_not(weights, *plain, zero) == dsp.TOO_LARGE:
        weights = weights // 2
    bias = t.rng.integers(-2000, 2000, outputs, dtype=np.int32)
    multiplier = t.rng.integers(1 << 30, (1 << 31) - 1, outputs, dtype=np.int32)
    multiplier[t.rng.random(outputs) < 0.4] = 1 << 30  # many ties
    # Few results at the ends of the range; and some shifts of any length.
    spread = np.log2(np.abs(weights.astype(np.float64)).mean() * 70 * products**0.5 + 1) - 6
    shift = -np.clip(t.rng.integers(-2, 3, outputs) + int(spread), 1, 22).astype(np.int32)
    odd = t.rng.random(outputs) < 0.1
    shift[odd] = -t.rng.integers(1, 23, int(odd.sum()))
    assert dsp.why_not(weights, bias, multiplier, shift, zero) is None
    for values in (weights.ravel(), bias, multiplier, shift):
        t.constant(values)
    t.constant(dsp.pack_weights(weights, together))
    t.constant(dsp.pack_channels(bias, multiplier, shift, int(t.params["output_zero"]), together))


def convolution_int8(t: Trial) -> None:
    large = t.rng.random() < 0.15
    c = t.number(30, 60) if large else t.number(1, 9)
    h, w = (t.number(1, 4), t.number(1, 4)) if large else (t.number(1, 8), t.number(1, 8))
    outputs = 2 * (t.number(1, 24) if large else t.number(1, 9))
    (_, out_h, out_w), p = window(t, (c, h, w))
    t.params = p | {"group": 1, "input_zero": t.number(-128, 127), "output_zero": t.number(-128, 127)} | t.clamp()
    side_by_side(t, c, h, w)
    constants(t, outputs, c * p["kernel_h"] * p["kernel_w"], dsp.PAIR)
    side_by_side(t, outputs, out_h, out_w)


def inner_product_int8(t: Trial) -> None:
    large = t.rng.random() < 0.2
    count, outputs = (t.number(100, 900), t.number(1, 41)) if large else (t.number(1, 40), t.number(1, 13))
    t.params = {"per_row": 0, "input_zero": t.number(-128, 127), "weight_zero": 0, "output_zero": t.number(-128, 127)}
    t.params |= t.clamp()
    x = t.add((1, 1, count), ring=False)
    if t.rng.random() < 0.5 and count % 3 == 0:  # three channels, pixel after pixel, or one after the other
        x.c, x.w = 3, count // 3
    x.cs, x.ps, x.rs = (1, x.c, count) if t.rng.random() < 0.5 else (x.w, 1, x.w)
    t.end = (x.base + count + 31) // 16 * 16
    constants(t, outputs, count, dsp.QUAD)
    y = t.add((1, 1, outputs), ring=False)
    y.ps, y.rs, y.cs = 1, outputs, outputs
    t.end = (y.base + outputs + 31) // 16 * 16


MAKERS = {made.__name__: made for made in (convolution_int8, inner_product_int8)}


def packed_and_plain(op: str, seed: int) -> tuple[Trial, bytearray, Call, Call, bytearray]:
    """A trial, its memory, and the call of the plain layer and of the packed one, which write the same output."""
    t = Trial(np.random.default_rng([seed, 11]))
    MAKERS[op](t)
    memory = filled(t)
    module = import_module(f"nnmicro.reference.{op}")
    everything = t.operands
    calls = []
    for names in ((0, 1, 2, 3, 4, 7), (0, 5, 6, 7)):
        t.operands = [everything[i] for i in names]
        made, params = call_of(t, memory, module)
        calls.append(made)
    out = everything[-1]
    for each in calls:
        each.y0, each.y1 = 0, out.h
    if out.rows < out.h or (op == "convolution_int8" and seed % 4 == 3):
        first = t.number(0, out.h - 1)
        last = t.number(first + 1, min(out.h, first + out.rows))
        for each in calls:
            each.y0, each.y1 = first, last
    return t, memory, *calls, params


@pytest.mark.parametrize("op", sorted(MAKERS))
def test_packed_layers_give_what_the_plain_ones_do(native: host.Library, op: str) -> None:
    module = import_module(f"nnmicro.reference.{op}")
    values = set()
    for seed in range(SEEDS):
        t, memory, plain, packed, params = packed_and_plain(op, seed)
        module.check(plain)
        before = bytearray(memory)
        module.run(plain)
        ours, words = np.frombuffer(before, np.uint8), np.frombuffer(params, np.int32)
        buffers = [(ours.ctypes.data, ours.nbytes, True), (words.ctypes.data, words.nbytes, False)]
        error = native.call(buffers, record_of(native, op + "_dsp", packed))
        assert error == 0, (seed, native.error_text(error), t.params)
        assert before == memory, (seed, t.params, [vars(o) for o in t.operands])
        out = plain.output()
        values |= set(memory[out.at(0, plain.y0) : out.at(0, plain.y0) + out.w])
    assert len(values) > 60, "the results tell little"


@pytest.mark.parametrize("op", sorted(MAKERS))
def test_constants_of_other_sizes_are_refused_and_nothing_is_written(native: host.Library, op: str) -> None:
    for seed in range(20):
        t, memory, _, packed, params = packed_and_plain(op, seed)
        words = np.frombuffer(params, np.int32)
        for operand, less in ((1, 1), (1, 4), (1, -4), (2, 1), (2, 4), (2, -1)):
            before = bytearray(memory)
            ours = np.frombuffer(before, np.uint8)
            buffers = [(ours.ctypes.data, ours.nbytes, True), (words.ctypes.data, words.nbytes, False)]
            x = packed.input(operand)
            kept = x.w
            x.w = x.cs = x.rs = kept - less
            assert native.call(buffers, record_of(native, op + "_dsp", packed)) != 0, (seed, operand, less)
            assert before == memory
            x.w = x.cs = x.rs = kept
        assert t.operands
