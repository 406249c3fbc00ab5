"""The less common kernels in C against the plain Python layers: int8 to the byte, float32 within 1e-5 of the largest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib import import_module

import numpy as np
import pytest

from firmware.native import host
from nnmicro.call import Operand
from nnmicro.port import F32, I8, ITEM_BYTES
from tests.host.kernel_call import element_indices
from tests.host.test_native_float_kernels import close, record_of
from tests.host.test_native_int8_kernels import Shape, Trial, call_of, filled, shape, weights

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")

SEEDS = 80


@pytest.fixture(scope="module")
def native() -> host.Library:
    return host.sanitized()


def floats(t: Trial, *sizes: int) -> np.ndarray:
    return t.rng.standard_normal(int(np.prod(sizes))).astype(np.float32)


def zero(t: Trial) -> int:
    return t.number(-128, 127)


def multiplier(t: Trial, name: str, middle: int) -> dict[str, int]:
    many_ties = t.rng.random() < 0.4
    value = 1 << 30 if many_ties else t.number(1 << 30, (1 << 31) - 1)
    return {name + "multiplier": value, name + "shift": t.number(middle - 2, middle + 2)}


def spread(t: Trial, x: Shape) -> tuple[tuple[int, int], dict[str, int]]:
    """The window of a transposed convolution, and the output's height and width: too small and too large ones, too."""
    p = {"kernel_h": t.number(1, 5), "kernel_w": t.number(1, 5), "stride_h": t.number(1, 4), "stride_w": t.number(1, 4)}
    p |= {"dilation_h": t.number(1, 4), "dilation_w": t.number(1, 4) if t.rng.random() < 0.5 else 1}
    p |= {"pad_top": t.number(0, 4), "pad_left": t.number(0, 4)}
    full = [(x[1] - 1) * p["stride_h"] + (p["kernel_h"] - 1) * p["dilation_h"] + 1 - p["pad_top"]]
    full += [(x[2] - 1) * p["stride_w"] + (p["kernel_w"] - 1) * p["dilation_w"] + 1 - p["pad_left"]]
    return (max(1, full[0] + t.number(-2, 2)), max(1, full[1] + t.number(-2, 2))), p


def deconvolution_int8(t: Trial) -> None:
    x = (t.number(1, 9), t.number(1, 5), t.number(1, 5))
    (h, w), p = spread(t, x)
    co = t.number(1, 10)
    t.params = p | {"input_zero": zero(t), "output_zero": zero(t), "half_up": co // 8 * 8} | t.clamp()
    t.add(x)
    t.constant(weights(t, co, p["kernel_h"], p["kernel_w"], x[0]))
    t.rescaling(co, x[0] * p["kernel_h"] * p["kernel_w"])
    t.add((co, h, w))


def activation(t: Trial) -> dict[str, int | float]:
    kind = t.number(0, 4)
    a, b = ((0.0, 0.0), (0.0, 0.0), (0.25, 0.0), (-0.5, 1.5), (0.0, 0.0))[kind]
    return {"activation": kind, "activation_a": a, "activation_b": b}


def deconvolution(t: Trial) -> None:
    group = t.number(1, 3) if t.rng.random() < 0.4 else 1
    x = (group * t.number(1, 4), t.number(1, 5), t.number(1, 5))
    (h, w), p = spread(t, x)
    co = group * t.number(1, 4)
    t.params = p | {"group": group} | activation(t)
    t.add(x, F32)
    t.constant(floats(t, co, x[0] // group, p["kernel_h"], p["kernel_w"]))
    if t.rng.random() < 0.7:
        t.constant(floats(t, co))
    t.add((co, h, w), F32)


MAKERS: dict[str, Callable[[Trial], None]] = {
    made.__name__: made
    for made in (
        deconvolution_int8,
        deconvolution,
    )  # fmt: skip
}
# Not by rows: always, or where their axis is h.
WHOLE = {"matmul", "matmul_int8", "svdf", "svdf_int8", "lstm"}


def needs_all(op: str, t: Trial) -> bool:
    return op in WHOLE or t.params.get("axis") == 1


def bounded(t: Trial) -> bytearray:
    """Random memory, in which floats are neither strange nor large."""
    memory = filled(t)
    for operand, fill in zip(t.operands, t.fills, strict=True):
        if fill is None and operand.dtype == F32:
            array = np.frombuffer(memory, np.float32, len(memory) // 4)
            array[element_indices(operand)] = t.rng.standard_normal((operand.c, operand.rows, operand.w))
    return memory


def states(op: str, t: Trial) -> list[Operand]:
    return [t.operands[i] for i in getattr(import_module(f"nnmicro.reference.{op}"), "_STATES", ())]


def assert_alike(ours: bytearray, theirs: bytearray, written: list[Operand], what: object) -> None:
    """Equal to the byte, but for what is written in float32."""
    same = np.frombuffer(ours, np.uint8) == np.frombuffer(theirs, np.uint8)
    for operand in written:
        if operand.dtype == F32:
            places = element_indices(operand)
            a, b = (np.frombuffer(m, np.float32, len(m) // 4)[places] for m in (ours, theirs))
            assert close(a, b), what
            same[: len(same) // 4 * 4].reshape(-1, 4)[places] = True
    assert same.all(), what


def run_both(native: host.Library, op: str, t: Trial, rows: tuple[int, int] | None) -> None:
    module = import_module(f"nnmicro.reference.{op}")
    memory = bounded(t)
    call, params = call_of(t, memory, module)
    call.y0, call.y1 = rows or (0, call.output().h)
    module.check(call)
    ours = bytearray(memory)
    module.run(call)
    array, words = np.frombuffer(ours, np.uint8), np.frombuffer(params, np.int32)
    buffers = [(array.ctypes.data, array.nbytes, True), (words.ctypes.data, words.nbytes, False)]
    error = native.call(buffers, record_of(native, op, call))
    assert error == 0, (native.error_text(error), t.params)
    assert_alike(ours, memory, [call.output(), *states(op, t)], (t.params, [vars(o) for o in t.operands]))


@pytest.mark.parametrize("op", sorted(MAKERS))
def test_equals_the_plain_python_layer(native: host.Library, op: str) -> None:
    for seed in range(SEEDS):
        t = Trial(np.random.default_rng([seed, *op.encode()]))
        MAKERS[op](t)
        out, rows = t.operands[-1], None
        if not needs_all(op, t) and (out.rows < out.h or seed % 4 == 3):
            first = t.number(0, out.h - 1)
            rows = first, t.number(first + 1, min(out.h, first + out.rows))
        run_both(native, op, t, rows)


@pytest.mark.parametrize(
    "op", [op for op in sorted(MAKERS) if getattr(import_module(f"nnmicro.reference.{op}"), "_IN_PLACE", 0)]
)
def test_in_place_equals_not_in_place(native: host.Library, op: str) -> None:
    for seed in range(30):
        t = Trial(np.random.default_rng([seed, 5]))
        MAKERS[op](t)
        t.operands[-1] = out = t.operands[0]
        run_both(native, op, t, None if needs_all(op, t) else (0, out.rows))


@pytest.mark.parametrize("op", sorted(MAKERS))
def test_a_wrong_record_is_refused_and_changes_nothing(native: host.Library, op: str) -> None:
    module = import_module(f"nnmicro.reference.{op}")
    for seed in range(10):
        t = Trial(np.random.default_rng([seed, 9]))
        MAKERS[op](t)
        memory = bounded(t)
        call, params = call_of(t, memory, module)
        call.y0, call.y1 = 0, call.output().rows
        if needs_all(op, t) and call.y1 < call.output().h:
            continue
        record = record_of(native, op, call)
        ours = bytearray(memory)
        array, words = np.frombuffer(ours, np.uint8), np.frombuffer(params, np.int32)
        buffers = [(array.ctypes.data, array.nbytes, True), (words.ctypes.data, words.nbytes, False)]
        for word, value in wrong_words(call.n_in, len(t.params), t):
            wrong = list(record)
            wrong[word] = value
            assert native.call(buffers, wrong) < 0, (seed, word, value)
        assert ours == memory


def wrong_words(n_in: int, n_params: int, t: Trial) -> list[tuple[int, int]]:
    """(word of the record, wrong value)"""
    found = [(6, n_params + 1), (4, t.operands[-1].h + 1)]
    for i, operand in enumerate(t.operands):
        first = 12 + 12 * i
        others = [dtype for dtype in (1, 2, 3, 4, 5) if dtype != operand.dtype]
        found.append((first + 9, others[0] if ITEM_BYTES[operand.dtype] > 1 else F32 if i == n_in else 3))
        found.append((first + 10, ITEM_BYTES[operand.dtype] - 1))
        found.append((first + 1, -1))
        if operand.dtype == I8:
            found.append((first + 8, 0))
    return found
