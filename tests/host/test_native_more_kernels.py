"""The less common kernels in C against the plain Python layers: int8 to the byte, float32 within 1e-5."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from importlib import import_module

import numpy as np
import pytest

from firmware.native import host
from nnmicro.call import Operand
from nnmicro.port import F32, I8, I16, I32, ITEM_BYTES, U8
from nnmicro.reference import fixed_functions
from tests.host.kernel_call import element_indices
from tests.host.test_native_float_kernels import close, record_of
from tests.host.test_native_int8_kernels import Shape, Trial, call_of, filled, shape, weights

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")

SEEDS = 80
UNKNOWN_TYPE = 6


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


def broadcast(t: Trial, x: Shape) -> Shape:
    return tuple(n if t.rng.random() < 0.5 else 1 for n in x)  # type: ignore[return-value]


def prelu_int8(t: Trial) -> None:
    x = shape(t)
    t.params = {"input_zero": zero(t), "slope_zero": zero(t), "output_zero": zero(t)}
    t.params |= multiplier(t, "positive_", -1) | multiplier(t, "negative_", -6)
    t.add(x)
    t.add(broadcast(t, x))
    t.add(x)


def prelu(t: Trial) -> None:
    x = shape(t)
    t.add(x, F32)
    t.add(broadcast(t, x), F32)
    t.add(x, F32)


def interp_int8(t: Trial) -> None:
    x = shape(t)
    y = (x[0], t.number(1, 16), t.number(1, 16))
    t.params = {"half_pixel": t.number(0, 1)}
    for name, size, wanted in (("scale_h", x[1], y[1]), ("scale_w", x[2], y[2])):
        t.params[name] = (size * 1024 + wanted // 2) // wanted if t.rng.random() < 0.7 else t.number(0, 3000)
    t.add(x)
    t.add(y)


def matrices(t: Trial, dtype: int) -> None:
    c, rows, depth, columns = t.number(1, 4), t.number(1, 6), t.number(1, 20), t.number(1, 6)
    a, b = t.number(0, 1), t.number(0, 1)
    t.params |= {"transpose_a": a, "transpose_b": b}
    t.add((c if t.rng.random() < 0.7 else 1, *((depth, rows) if a else (rows, depth))), dtype, ring=not a)
    t.add((c if t.rng.random() < 0.7 else 1, *((columns, depth) if b else (depth, columns))), dtype, ring=False)
    t.add((c, rows, columns), dtype)


def matmul_int8(t: Trial) -> None:
    t.params = {"a_zero": zero(t), "b_zero": zero(t), "output_zero": zero(t)} | multiplier(t, "", -9)
    matrices(t, I8)


def matmul(t: Trial) -> None:
    matrices(t, F32)


def arg_max(t: Trial) -> None:
    x, axis = shape(t), t.number(0, 2)
    t.params = {"kind": t.number(0, 1), "axis": axis}
    t.add(x, int(t.rng.choice([F32, I8, U8, I16, I32])), ring=axis != 1)
    t.add(tuple(1 if i == axis else n for i, n in enumerate(x)), I32, ring=axis != 1)  # type: ignore[arg-type]


def cast(t: Trial) -> None:
    x = shape(t)
    t.add(x, int(t.rng.choice([F32, I8, U8, I16, I32])))
    t.add(x, int(t.rng.choice([F32, I8, U8, I16, I32])))


def along_axis(t: Trial, dtype: int, table: np.ndarray | None = None) -> None:
    x = (t.number(1, 40), *shape(t)[1:])
    t.params["axis"] = axis = t.number(0, 2)
    t.add(x, dtype, ring=axis != 1)
    if table is not None:
        t.constant(table)
    t.add(x, dtype, ring=axis != 1)


def log_softmax(t: Trial) -> None:
    along_axis(t, F32)


def log_softmax_int8(t: Trial) -> None:
    scale = float(np.float32(t.rng.choice([0.01, 0.05, 0.2])))
    t.params = {"input_scale": scale, "output_scale": float(t.rng.choice([0.0625, 0.03])), "output_zero": zero(t)}
    along_axis(t, I8, np.exp(-scale * np.arange(255, -1, -1)).astype(np.float32))


def l2_normalize(t: Trial) -> None:
    t.params = {"epsilon": float(t.rng.choice([1e-6, 1.5]))}
    along_axis(t, F32)


def l2_normalize_int8(t: Trial) -> None:
    t.params = {"input_zero": zero(t)}
    along_axis(t, I8)


def unary(t: Trial) -> None:
    x = shape(t)
    t.params = {"kind": t.number(0, 39), "a": float(t.rng.choice([0.5, 1.0])), "b": float(t.rng.choice([0.5, 1.0]))}
    t.add(x, F32)
    t.add(x, F32)


def reduce(t: Trial) -> None:
    x, axis = shape(t), t.number(0, 2)
    t.params = {"kind": t.number(0, 9), "axis": axis}
    t.add(x, F32, ring=axis != 1)
    t.add(tuple(1 if i == axis else n for i, n in enumerate(x)), F32, ring=axis != 1)  # type: ignore[arg-type]


def normalization(t: Trial) -> None:
    t.params = {"centred": t.number(0, 1), "epsilon": 0.125}
    along_axis(t, F32)


def svdf_int8(t: Trial) -> None:
    width, outputs, rank, memory = t.number(1, 20), t.number(1, 6), t.number(1, 3), t.number(1, 8)
    filters = outputs * rank
    t.params = {"rank": rank, "input_zero": zero(t), "output_zero": zero(t)} | t.clamp()
    t.params |= multiplier(t, "feature_", 0) | multiplier(t, "output_", -16)
    t.add((1, 1, width))
    t.constant(t.rng.integers(-32768, 32768, filters * memory, dtype=np.int16))
    t.constant(weights(t, filters, width))
    t.constant(t.rng.integers(-2000, 2001, filters * memory, dtype=np.int16))
    t.constant(t.rng.integers(-20000, 20001, outputs, dtype=np.int32))
    t.add((1, 1, outputs))


def svdf(t: Trial) -> None:
    width, outputs, rank, memory = t.number(1, 20), t.number(1, 6), t.number(1, 3), t.number(1, 8)
    filters = outputs * rank
    t.params = {"rank": rank} | activation(t)
    t.add((1, 1, width), F32)
    t.constant(floats(t, filters, memory))
    t.constant(floats(t, filters, width))
    t.constant(floats(t, filters, memory))
    if t.rng.random() < 0.7:
        t.constant(floats(t, outputs))
    t.add((1, 1, outputs), F32)


def lstm(t: Trial) -> None:
    steps, width, cells = t.number(1, 6), t.number(1, 12), t.number(1, 8)
    t.params = {"cell_clip": float(t.rng.choice([0.0, 0.5]))}
    t.add((1, steps, width), F32, ring=False)
    for sizes in ((cells,), (cells,), (4, cells, width), (4, cells, cells), (4, cells)):
        t.constant(floats(t, *sizes))
    t.add((1, steps, cells), F32, ring=False)


def lstm_int8(t: Trial) -> None:
    steps, width, cells = t.number(1, 6), t.number(1, 12), t.number(1, 8)
    t.params = {"input_zero": zero(t), "hidden_zero": zero(t), "output_zero": zero(t), "cell_shift": t.number(9, 15)}
    t.params |= {"cell_clip": t.number(1, 32767) if t.rng.random() < 0.3 else 0} | multiplier(t, "output_", -22)
    t.add((1, steps, width), ring=False)
    t.constant(weights(t, cells))
    t.constant(t.rng.integers(-32768, 32768, cells, dtype=np.int16))
    t.constant(weights(t, 4, cells, width))
    t.constant(weights(t, 4, cells, cells))
    t.constant(t.rng.integers(-5000, 5001, 4 * cells, dtype=np.int32))
    scales = [word for _ in range(8) for word in multiplier(t, "", -2).values()]
    t.constant(np.array(scales, np.int32))
    t.add((1, steps, cells), ring=False)


def recurrent(t: Trial) -> None:
    kind, batch, steps = t.number(0, 3), t.number(1, 2), t.number(1, 5)
    width, cells, gates = t.number(1, 8), t.number(1, 6), (1, 3, 3, 4)[kind]
    t.params = {"kind": kind, "reverse": t.number(0, 1), "with_cell": t.number(0, 1) if kind == 3 else 0}
    t.add((batch, steps, width), F32, ring=False)
    t.add((batch, 1, cells), F32, ring=False)
    for sizes in ((batch, cells), (gates, cells, width), (gates, cells, cells), (2, gates, cells)):
        t.constant(floats(t, *sizes))
    if kind == 3:
        t.add((batch, 1, cells), F32, ring=False)
    t.add((batch, steps, cells * (1 + t.params["with_cell"])), F32, ring=False)


def compare(t: Trial) -> None:
    x = shape(t)
    t.params = {"kind": t.number(0, 2)}
    t.add(x, F32)
    t.add(broadcast(t, x), F32)
    t.add(x, F32)


def where(t: Trial) -> None:
    x = shape(t)
    for _ in range(3):
        t.add(broadcast(t, x), F32)
    t.add(x, F32)


def cumsum(t: Trial) -> None:
    x, axis = shape(t), t.number(0, 2)
    t.params = {"axis": axis, "exclusive": t.number(0, 1), "reverse": t.number(0, 1)}
    t.add(x, F32, ring=axis != 1)
    t.add(x, F32, ring=axis != 1)


def top_k(t: Trial) -> None:
    x, axis = shape(t), t.number(0, 2)
    y = tuple(t.number(1, n) if i == axis else n for i, n in enumerate(x))
    t.params = {"axis": axis, "smallest": t.number(0, 1)}
    t.add(x, F32, ring=axis != 1)
    t.add(y, int(t.rng.choice([F32, I32])), ring=axis != 1)  # type: ignore[arg-type]


def gather(t: Trial) -> None:
    """Indices are random bytes: mostly far outside."""
    c, h, w = shape(t)
    rows, dtype = t.number(1, 6), int(t.rng.choice([F32, I8, U8, I16, I32]))
    t.add((c, h, w), dtype, ring=False)
    t.add((c if t.rng.random() < 0.5 else 1, rows, w if t.rng.random() < 0.5 else 1), I32, ring=False)
    t.add((c, rows, w), dtype, ring=False)


MAKERS: dict[str, Callable[[Trial], None]] = {
    made.__name__: made
    for made in (
        deconvolution_int8,
        deconvolution,
        prelu_int8,
        prelu,
        interp_int8,
        matmul_int8,
        matmul,
        arg_max,
        log_softmax,
        log_softmax_int8,
        l2_normalize,
        l2_normalize_int8,
        svdf,
        svdf_int8,
        lstm,
        lstm_int8,
        cast,
        unary,
        reduce,
        normalization,
        recurrent,
        compare,
        where,
        cumsum,
        top_k,
        gather,
    )  # fmt: skip
}
ANY_TYPE = {"arg_max": 1, "cast": 2, "gather": 1, "top_k": 2}  # how many operands may have any
# Not by rows: always, or where their axis is h.
WHOLE = {"svdf", "svdf_int8", "lstm", "lstm_int8", "recurrent", "gather"}


def test_the_logarithm_is_the_nearest_float(native: host.Library) -> None:
    rng = np.random.default_rng(0)
    given = np.concatenate([
        rng.uniform(1, 300, 20000), np.exp(rng.uniform(-100, 88, 5000)), 1 + 2.0 ** -np.arange(24), np.arange(1, 2000),
        1 - 2.0 ** -np.arange(1, 25), [1e-45, 3.4028234e38],
    ]).astype(np.float32)  # fmt: skip
    for x in given:
        assert native.log(x) == np.float32(math.log(float(x))), x
    assert native.log(math.inf) == math.inf and math.isnan(native.log(math.nan))


def test_the_square_root_is_good_to_2e_7(native: host.Library) -> None:
    rng = np.random.default_rng(0)
    given = np.concatenate([np.exp(rng.uniform(-87, 88, 20000)), np.arange(1, 1000), [1e-45, 1e-40, 3.4e38]])
    for x in given.astype(np.float32):
        assert abs(native.sqrt(x) - math.sqrt(float(x))) <= 2e-7 * math.sqrt(float(x)), x
    assert native.sqrt(0.0) == 0.0 and native.sqrt(math.inf) == math.inf and math.isnan(native.sqrt(math.nan))


def test_the_functions_of_sixteen_bits_equal_the_plain_ones(native: host.Library) -> None:
    for a in range(-32768, 32768, 3):
        assert native.fixed_logistic(a) == fixed_functions.logistic(a), a
        bits = a % 7
        assert native.fixed_tanh(a, bits) == fixed_functions.tanh(a, bits), (a, bits)


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
        for word, value in wrong_words(len(t.params), t, ANY_TYPE.get(op, 0)):
            wrong = list(record)
            wrong[word] = value
            assert native.call(buffers, wrong) < 0, (seed, word, value)
        assert ours == memory


def wrong_words(n_params: int, t: Trial, of_any_type: int) -> list[tuple[int, int]]:
    """(word of the record, wrong value); the first operands may be `of_any_type`."""
    found = [(6, n_params + 1), (4, t.operands[-1].h + 1)]
    for i, operand in enumerate(t.operands):
        first = 12 + 12 * i
        others = [dtype for dtype in (1, 2, 3, 4, 5) if dtype != operand.dtype]
        found.append((first + 9, UNKNOWN_TYPE if i < of_any_type else others[0]))
        found.append((first + 10, ITEM_BYTES[operand.dtype] - 1))
        found.append((first + 1, -1))
        if operand.dtype == I8:
            found.append((first + 8, 0))
    return found
