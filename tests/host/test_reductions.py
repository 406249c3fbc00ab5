"""Layers that take their input some rows at a time, from small rings: plain Python against onnxruntime and LiteRT,
C against plain Python; and what is refused."""

from __future__ import annotations

import pkgutil
import shutil
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmicro.reference
from firmware.native import host
from nnmicro.call import Call
from nnmicro.errors import ModelError
from nnmicro.port import F32
from tests.host import layer_cases, test_native_int8_kernels, test_native_more_kernels
from tests.host.int8_call import TypedBench
from tests.host.kernel_call import GUARD, Bench, Layout, Workspace, element_indices, words
from tests.host.layer_cases import agrees, all_cases
from tests.host.test_native_float_kernels import close, record_of
from tests.host.test_native_int8_kernels import Trial, call_of, filled, shape, window

REDUCTIONS = {"inner_product", "inner_product_int8", "mean_int8", "pooling", "pooling_int8"}
NEEDS_GCC = pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")
SEEDS = 150
BAD_RECORD, BAD_ROWS, BAD_WORKSPACE = -1, -9, -14


def kernel(op: str) -> ModuleType:
    return import_module(f"nnmicro.reference.{op}")


def layers() -> set[str]:
    names = {m.name for m in pkgutil.iter_modules(nnmicro.reference.__path__)}
    return {name for name in names if hasattr(kernel(name), "run")}


def steps(height: int, at_once: int) -> list[range]:
    """Calls that take every row once: `at_once` of them after a first row alone, so that rings wrap; 0: uneven ones."""
    if not at_once:
        starts = [y for y in range(height) if y % 4 < 2]
    else:
        starts = sorted({max(y, 0) for y in range(1 - at_once, height, at_once)})
    return [range(a, b) for a, b in zip(starts, [*starts[1:], height], strict=True)]


def by_rows(b: Bench | TypedBench, calls: Sequence[range], run: Callable[[Call], None]) -> np.ndarray:
    """The output of a call that reduces, which it must not touch before the last of its rows is there."""
    before = b.result().copy()
    for rows in calls:
        assert b.result().tobytes() == before.tobytes()
        for row in rows:
            b.feed(0, row)
        b.call.y0, b.call.y1 = rows.start, rows.stop
        run(b.call)
    return b.result()


def reduces(module: ModuleType, call: Call) -> bool:
    return module.state_bytes(call) > 0


FLOAT_CASES = [
    pytest.param(case, id=case.name)
    for case in (*all_cases(), *(layer_cases.global_pooling(seed) for seed in range(4, 12)))
    if case.op in REDUCTIONS and case.inputs[0].shape[1] > 1
    if case.expected.shape[1] == 1 and not case.params.get("per_row")
]


@pytest.mark.parametrize("at_once", [1, 2, 3, 0])
@pytest.mark.parametrize("interleaved", [False, True], ids=["planar", "interleaved"])
@pytest.mark.parametrize("case", FLOAT_CASES)
def test_rows_from_a_ring_equal_onnxruntime_and_all_at_once(case: layer_cases.Case, interleaved: bool, at_once: int):
    module, layouts = kernel(case.op), case.layouts(interleaved)
    params = words(case.params, module)
    whole = Bench(case.inputs, case.expected.shape, params, layouts)
    module.check(whole.call)
    module.run(whole.call)
    calls = steps(case.inputs[0].shape[1], at_once)
    layouts[0].rows = max(map(len, calls))
    b = Bench(case.inputs, case.expected.shape, params, layouts)
    workspace = Workspace(b.call, module.state_bytes(b.call))
    module.check(b.call)
    result = by_rows(b, calls, module.run)
    assert result.tobytes() == whole.result().tobytes() and agrees(result, case.expected)
    assert b.guards_untouched() and workspace.guards_untouched()


@pytest.mark.parametrize("case", FLOAT_CASES)
def test_the_layers_on_whole_rows_reduce_as_plain_python_does(case: layer_cases.Case):
    calls = steps(case.inputs[0].shape[1], 2)
    results = []
    for package in ("reference", "vector"):
        layouts = case.layouts(False)
        layouts[0].rows = 2
        b = Bench(case.inputs, case.expected.shape, words(case.params, kernel(case.op)), layouts, checked=False)
        Workspace(b.call, kernel(case.op).state_bytes(b.call))
        results.append(by_rows(b, calls, import_module(f"nnmicro.{package}.{case.op}").run).tobytes())
    assert results[0] == results[1]


def unflattened(x: np.ndarray) -> tuple[np.ndarray, Layout]:
    """A row of elements as a map of up to 6 rows that a Flatten of the order h, w, c may have made it from."""
    count = x.size
    h = max(n for n in range(1, 7) if count % n == 0)
    w = max(n for n in (1, 2, 3) if count // h % n == 0)
    seen = np.moveaxis(x.reshape(h, w, -1), -1, 0)
    return seen, Layout(seen.shape, interleaved=True)


@pytest.mark.parametrize("at_once", [1, 2, 3, 0])
@pytest.mark.parametrize("operator", ["AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "SUM", "fully_connected"])
def test_rows_from_a_ring_equal_litert(operator: str, at_once: int):
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert, the oracle of the int8 layers, is not installed")
    from tests.host.test_int8_kernels import layers_of

    done = 0
    for case in layers_of(operator, 80):
        module, layouts, inputs = kernel(case.op), case.layouts(), list(case.inputs)
        if operator == "fully_connected" and not case.params["per_row"]:
            inputs[0], layouts[0] = unflattened(inputs[0])
        height = inputs[0].shape[1]
        calls = steps(height, at_once)
        layouts[0].rows = max(map(len, calls))
        b = TypedBench(inputs, case.expected, words(case.params, module), layouts)
        if height == 1 or not reduces(module, b.call):
            continue
        workspace = Workspace(b.call, module.state_bytes(b.call))
        module.check(b.call)
        assert by_rows(b, calls, module.run).tobytes() == case.expected.tobytes(), case.params
        assert b.guards_untouched() and workspace.guards_untouched()
        done += 1
    assert done >= 5


def test_those_that_can_reduce_say_so():
    assert {op for op in layers() if hasattr(kernel(op), "state_bytes")} == REDUCTIONS


# C, and shapes and steps at random


def inner_product(t: Trial) -> None:
    x, units = shape(t), t.number(1, 9)
    t.params = {"per_row": 0} | test_native_more_kernels.activation(t)
    t.add(x, F32, ring=False)
    t.constant(test_native_more_kernels.floats(t, units, int(np.prod(x))))
    if t.rng.random() < 0.7:
        t.constant(test_native_more_kernels.floats(t, units))
    t.add((1, 1, units), F32, ring=False)


def pooling(t: Trial) -> None:
    x, kind = shape(t), t.number(0, 1)
    (c, _, w), p = window(t, x, dilated=not kind)
    p = {"dilation_h": 1, "dilation_w": 1} | p
    y = (c, 1, w)
    if t.rng.random() < 0.3:
        y, p = (1, x[0], 1), dict.fromkeys(p, 1) | {"kernel_h": x[1], "kernel_w": x[2], "pad_top": 0, "pad_left": 0}
    t.params = p | {"kind": kind, "pad_bottom": t.number(0, 2), "pad_right": 0, "include_pad": t.number(0, kind)}
    t.add(x, F32, ring=False)
    t.add(y, F32, ring=False)


MAKERS: dict[str, Callable[[Trial], None]] = {
    **{op: test_native_int8_kernels.MAKERS[op] for op in REDUCTIONS if op.endswith("_int8")},
    "inner_product": inner_product,
    "pooling": pooling,
}


class Made:
    """A random call, its input's rows, and memory for it; both kinds of kernels run on memories of their own."""

    def __init__(self, op: str, seed: int, held: int):
        self.op, self.module = op, kernel(op)
        self.t = Trial(np.random.default_rng([seed, *op.encode()]), held)
        MAKERS[op](self.t)
        self.memory = filled(self.t)
        self.call, self.params = call_of(self.t, self.memory, self.module)
        self.call.y0, self.call.y1 = 0, self.call.output().h
        x = self.t.operands[0]
        rng = np.random.default_rng(seed)
        if x.dtype == F32:
            self.rows = rng.standard_normal((x.c, x.h, x.w)).astype(np.float32)
            if seed % 5 == 0:
                self.rows[rng.random(self.rows.shape) < 0.1] = np.nan
        else:
            self.rows = rng.integers(-128, 128, (x.c, x.h, x.w), dtype=np.int8)
        self.array = np.frombuffer(self.memory, self.rows.dtype, len(self.memory) // self.rows.itemsize)
        self.workspace: Workspace | None = None
        self.native: host.Library | None = None

    def reduce(self, nbytes: int | None = None) -> None:
        needed = self.module.state_bytes(self.call)
        self.workspace = Workspace(self.call, needed if nbytes is None else nbytes, checked=False)
        self.module.check(self.call)

    def feed(self, _: int, row: int) -> None:
        x = self.call.input(0)
        self.array[element_indices(x)[:, (row + x.phase) % x.rows]] = self.rows[:, row]

    def result(self) -> np.ndarray:
        return self.array[element_indices(self.call.output())]

    def buffers(self) -> list[tuple[int, int, bool]]:
        given = [np.frombuffer(self.memory, np.uint8), np.frombuffer(self.params, np.int32)]
        if self.workspace:
            given.append(self.workspace.array)
        return [(a.ctypes.data, a.nbytes, i != 1) for i, a in enumerate(given)]

    def run(self, call: Call) -> None:
        if self.native is None:
            self.module.run(call)
            return
        error = self.native.call(self.buffers(), record_of(self.native, self.op, call))
        assert error == 0, (self.native.error_text(error), self.t.params)

    def by_rows(self, calls: Sequence[range]) -> np.ndarray:
        self.reduce()
        outside = self.untouchable()
        before = self.array[outside].tobytes()
        result = by_rows(self, calls, self.run)  # type: ignore[arg-type]
        assert self.array[outside].tobytes() == before
        assert self.workspace is not None and self.workspace.guards_untouched()
        return result

    def untouchable(self) -> np.ndarray:
        """What is neither the output's nor input 0's."""
        own = np.ones(len(self.array), bool)
        for operand in (self.call.input(0), self.call.output()):
            own[element_indices(operand).ravel()] = False
        return own

    def all_at_once(self) -> np.ndarray:
        for row in range(self.rows.shape[1]):
            self.feed(0, row)
        self.run(self.call)
        return self.result()


@pytest.fixture(scope="module")
def native() -> host.Library:
    return host.sanitized()


def made(op: str, seed: int, held: int = 0, library: host.Library | None = None) -> Made:
    m = Made(op, seed, held)
    m.native = library
    return m


def reducible(op: str) -> list[int]:
    """Seeds of calls that can reduce."""
    found = [seed for seed in range(SEEDS) if reduces(kernel(op), made(op, seed).call)]
    assert len(found) >= 25
    return found


@NEEDS_GCC
@pytest.mark.parametrize("op", sorted(REDUCTIONS))
def test_row_by_row_is_the_same_in_c_in_python_and_all_at_once(native: host.Library, op: str):
    for n, seed in enumerate(reducible(op)):
        height = made(op, seed).rows.shape[1]
        calls = steps(height, n % 4)
        held = max(map(len, calls))
        ours, theirs = made(op, seed, held, native).by_rows(calls), made(op, seed, held).by_rows(calls)
        whole_ours, whole = made(op, seed, height, native).all_at_once(), made(op, seed, height).all_at_once()
        assert ours.tobytes() == whole_ours.tobytes(), seed
        assert theirs.tobytes() == whole.tobytes(), seed
        assert close(ours, theirs) if ours.dtype == np.float32 else ours.tobytes() == theirs.tobytes(), seed


@NEEDS_GCC
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_rows_in_any_order_on_any_workspace_stay_inside(data: st.DataObject):
    op = data.draw(st.sampled_from(sorted(REDUCTIONS)))
    seed = data.draw(st.integers(0, SEEDS - 1))
    held = data.draw(st.integers(1, 8))
    both = [made(op, seed, held, library) for library in (host.sanitized(), None)]
    if not reduces(kernel(op), both[0].call):
        return
    height, held = both[0].rows.shape[1], both[0].call.input(0).rows
    calls = []
    for _ in range(data.draw(st.integers(1, 4))):
        first = data.draw(st.integers(0, height - 1))
        calls.append(range(first, data.draw(st.integers(first + 1, min(height, first + held)))))
    results = []
    for m in both:
        m.reduce()
        for rows in calls:
            m.call.y0, m.call.y1 = rows.start, rows.stop
            m.run(m.call)
        assert m.workspace is not None and m.workspace.guards_untouched()
        results.append(m.result())
    if results[0].dtype == np.int8:
        assert results[0].tobytes() == results[1].tobytes()


# What is refused


def refused(native: host.Library, m: Made, record: list[int], error: int | None) -> None:
    """A call in C is refused, with that error where it is given, and changes nothing."""
    assert m.workspace is not None
    before = bytes(m.memory), m.workspace.array.tobytes()
    found = native.call(m.buffers(), record)
    assert found < 0 and error in (None, found), (m.op, found, error)
    assert before == (bytes(m.memory), m.workspace.array.tobytes())


WORKSPACE, OFFSET, BYTES, REDUCES = 7, 8, 9, 10


@NEEDS_GCC
@pytest.mark.parametrize("op", sorted(REDUCTIONS))
def test_a_workspace_that_does_not_fit_is_refused_and_nothing_written(native: host.Library, op: str):
    for seed in reducible(op)[:12]:
        m = made(op, seed, 2)
        m.reduce()
        m.call.y1 = 1
        record = record_of(native, op, m.call)
        needed, size = 4 * m.call.output().count, m.buffers()[2][1]
        wrong = [{BYTES: n} for n in (0, -1, needed - 4, needed - 1, -(2**31), size, 2**31 - 1)]
        wrong += [{OFFSET: n} for n in (-16, 4, 8, size - size % 16, 2**31 - 16)]
        wrong += [{WORKSPACE: n} for n in (-1, 1, 3, 9, 2**31 - 1)]
        for change in wrong:
            refused(native, m, [change.get(i, word) for i, word in enumerate(record)], BAD_WORKSPACE)
        for operand in m.t.operands:
            at = operand.base * np.dtype({F32: "f4", 2: "i1", 5: "i4"}[operand.dtype]).itemsize // 16 * 16
            over = {WORKSPACE: 0, OFFSET: at, BYTES: max(needed, 16)}
            refused(native, m, [over.get(i, word) for i, word in enumerate(record)], BAD_WORKSPACE)
        before = bytes(m.params)
        buffers = m.buffers()
        buffers[2] = (buffers[1][0], buffers[1][1], True)  # the parameters, as memory that can be written
        over = {OFFSET: 0, BYTES: buffers[1][1]}
        assert native.call(buffers, [over.get(i, word) for i, word in enumerate(record)]) == BAD_WORKSPACE
        assert before == bytes(m.params)
        buffers = m.buffers()
        buffers[2] = (*buffers[2][:2], False)
        assert native.call(buffers, record) == BAD_WORKSPACE and native.call(m.buffers(), record) == 0


@NEEDS_GCC
@pytest.mark.parametrize("op", sorted(REDUCTIONS))
def test_rows_that_are_not_there_or_not_held_are_refused(native: host.Library, op: str):
    for seed in reducible(op)[:12]:
        m = made(op, seed, 2)
        m.reduce()
        x = m.call.input(0)
        for y0, y1 in ((-1, 1), (0, 0), (1, 1), (x.h, x.h + 1), (x.h - 1, x.h + 1), (0, x.rows + 1), (1, -(2**31))):
            m.call.y0, m.call.y1 = y0, y1
            refused(native, m, record_of(native, op, m.call), BAD_ROWS)
            with pytest.raises(ValueError, match="an input that has"):
                m.module.run(m.call)


@NEEDS_GCC
def test_what_does_not_reduce_refuses_to(native: host.Library):
    makers = test_native_int8_kernels.MAKERS | test_native_more_kernels.MAKERS
    for op, maker in makers.items():
        if op in REDUCTIONS:
            continue
        t = Trial(np.random.default_rng(3))
        maker(t)
        m = Made.__new__(Made)
        m.op, m.memory, m.t = op, filled(t), t
        m.call, m.params = call_of(t, m.memory, kernel(op))
        m.call.y0, m.call.y1 = 0, 1
        m.workspace = Workspace(m.call, 1024)
        ring = t.operands[-1].rows < t.operands[-1].h
        refused(native, m, record_of(native, op, m.call), BAD_ROWS if ring else BAD_RECORD)
        with pytest.raises(ModelError, match="cannot take its input some rows at a time"):
            kernel(op).check(m.call)


def test_every_layer_of_floats_that_does_not_reduce_refuses_to():
    seen = set()
    for case in all_cases():
        layouts = case.layouts(False)
        b = Bench(case.inputs, case.expected.shape, words(case.params_for(layouts), kernel(case.op)), layouts)
        seen.add(case.op)
        Workspace(b.call, 1 << 12)
        if case.op in REDUCTIONS and reduces(kernel(case.op), b.call):
            kernel(case.op).check(b.call)
            continue
        with pytest.raises(ModelError, match="cannot take its input some rows at a time"):
            kernel(case.op).check(b.call)
    others = set(test_native_int8_kernels.MAKERS) | set(test_native_more_kernels.MAKERS)
    assert seen | others == layers()


@NEEDS_GCC
@pytest.mark.parametrize("op", sorted(REDUCTIONS))
def test_a_layer_whose_parameters_let_it_not_reduce_refuses_to(native: host.Library, op: str):
    done = 0
    for seed in range(SEEDS):
        m = made(op, seed, 1)
        if op == "inner_product":
            m.call.params[3] = 1
            x = m.call.input(0)
            m.call.output().c, m.call.output().h = x.c, x.h
            m.call.output().rows = m.call.output().h
        elif op == "pooling":
            m.call.output().h = m.call.output().rows = 2
            m.call.output().c = m.call.input(0).c
        if reduces(m.module, m.call):
            continue
        m.workspace = Workspace(m.call, 1 << 12, checked=False)
        m.call.y0, m.call.y1 = 0, 1
        refused(native, m, record_of(native, op, m.call), None)
        with pytest.raises(ModelError, match="cannot take its input some rows at a time"):
            m.module.check(m.call)
        done += 1
    assert done >= 10


@NEEDS_GCC
def test_a_word_that_is_neither_0_nor_1_is_refused(native: host.Library):
    m = made("mean_int8", reducible("mean_int8")[0], 1)
    m.reduce()
    m.call.y1 = 1
    record = record_of(native, m.op, m.call)
    for word in (2, 3, -1, -(2**31), 0x10001):
        refused(native, m, [*record[:REDUCES], word, *record[REDUCES + 1 :]], BAD_RECORD)


def test_a_workspace_that_is_too_small_is_refused_when_a_model_is_loaded():
    x, y = np.zeros((3, 4, 5), np.float32), (3, 1, 1)
    params = {"kind": 1, "kernel_h": 4, "kernel_w": 5, "stride_h": 1, "stride_w": 1, "include_pad": 0}
    params |= {"pad_top": 0, "pad_left": 0, "pad_bottom": 0, "pad_right": 0, "dilation_h": 1, "dilation_w": 1}
    b = Bench([x], y, words(params, kernel("pooling")), [Layout(x.shape, rows=1), Layout(y)])
    assert kernel("pooling").state_bytes(b.call) == 16
    Workspace(b.call, 12)
    with pytest.raises(ModelError, match="a workspace of 16 bytes, not 12"):
        kernel("pooling").check(b.call)


@pytest.mark.parametrize("count, nbytes", [(1, 16), (4, 16), (5, 32)])
def test_a_state_is_a_word_for_each_output_in_blocks_of_16_bytes(count: int, nbytes: int):
    params = words({"per_row": 0, "activation": 0, "activation_a": 0.0, "activation_b": 0.0}, kernel("inner_product"))
    x, weight = np.zeros((2, 3, 4), np.float32), np.zeros((1, 1, 24 * count), np.float32)
    layouts = [Layout(x.shape), Layout(weight.shape, dense=True), Layout((1, 1, count))]
    b = Bench([x, weight], (1, 1, count), params, layouts)
    assert kernel("inner_product").state_bytes(b.call) == nbytes
    assert GUARD % 4 == 0  # so that the workspaces of these tests start at multiples of 16 bytes
