"""The float32 kernels in C against the plain Python layers: whole, by rows, in place; and their mathematics."""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import re
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from firmware.native import host
from nnmicro.call import Call
from nnmicro.port import ITEM_BYTES
from nnmicro.reference import unary
from tests.host.kernel_call import Bench, element_indices, words
from tests.host.layer_cases import UNARY, Case, all_cases, result_by_rows

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")

SINE, COSINE, TANGENT, ARC_TANGENT = 13, 14, 15, 18
IN_PLACE = {"activation", "scale", "binary_op", "softmax", "unary", "normalization"}
WHOLE = {"inner_product", "copy", "permute", "softmax", "reduce", "normalization"}
WHOLE_ALONG_H = ("cumsum-h", "top_k-h")  # cases of layers that go from row to row


@pytest.fixture(scope="module")
def native() -> host.Library:
    return host.sanitized()


def record_of(library: host.Library, op: str, call: Call) -> list[int]:
    """A call as the words that a kernel in C takes; all operands in buffer 0, a reduction's workspace in buffer 2."""
    record = [library.kernel(op), call.n_in, 1, call.y0, call.y1, 4 * call.first_param, call.n_params]
    record += [2, 4 * call.first_word, call.workspace_bytes, 1, 0] if call.reduces else [0] * 5
    for i in range(call.n_in + 1):
        x = call.input(i)
        item = ITEM_BYTES[x.dtype]
        last = (x.c - 1) * x.cs + (x.rows - 1) * x.rs + (x.w - 1) * x.ps
        record += [0, x.base * item, x.c, x.h, x.w, x.cs * item, x.rs * item, x.ps * item, x.rows, x.dtype]
        record += [(last + 1) * item, x.phase]
    return record


def runner(library: host.Library, op: str) -> Callable[[Call], None]:
    """A kernel in C as a `run(call)`."""

    def run(call: Call) -> None:
        array = call.output().array
        params = np.frombuffer(call.params, np.int32)
        buffers = [(array.ctypes.data, array.nbytes, True), (params.ctypes.data, params.nbytes, False)]
        error = library.call(buffers, record_of(library, op, call))
        assert error == 0, library.error_text(error)

    return run


def reference(op: str):
    return import_module(f"nnmicro.reference.{op}")


def bench(case: Case, interleaved: bool = False, in_place: bool = False) -> Bench:
    layouts = case.layouts(interleaved)
    params = words(case.params_for(layouts), reference(case.op))
    return Bench(case.inputs, case.expected.shape, params, layouts, in_place, checked=False)


def close(result: np.ndarray, expected: np.ndarray) -> bool:
    """max|a - b| <= 1e-5 * max|expected|, and NaNs and infinities in the same places."""
    finite = np.isfinite(expected)
    if not np.array_equal(result[~finite], expected[~finite], equal_nan=True):
        return False
    if not finite.any():
        return True
    return bool(np.abs(result[finite] - expected[finite]).max() <= 1e-5 * np.abs(expected[finite]).max())


def cases(*ops: str) -> list:
    return [pytest.param(case, id=case.name) for case in all_cases() if not ops or case.op in ops]


@pytest.mark.parametrize("interleaved", [False, True], ids=["planar", "interleaved"])
@pytest.mark.parametrize("case", cases())
def test_equals_the_plain_python_layer(native: host.Library, case: Case, interleaved: bool) -> None:
    ours, theirs = bench(case, interleaved), bench(case, interleaved)
    reference(case.op).run(theirs.call)
    runner(native, case.op)(ours.call)
    assert close(ours.result(), theirs.result())
    # What is no element of the output is as the reference leaves it.
    own = np.zeros(len(ours.array), bool)
    own[element_indices(ours.call.output()).ravel()] = True
    assert np.array_equal(ours.array[~own].view(np.int32), theirs.array[~own].view(np.int32))


@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize(
    "case", [p for p in cases() if p.values[0].op not in WHOLE and not p.values[0].name.startswith(WHOLE_ALONG_H)]
)
def test_rows_in_rings_equal_all_at_once(native: host.Library, case: Case, at_once: int) -> None:
    params = words(case.params, reference(case.op))
    expected, _ = result_by_rows(case, reference(case.op).run, params, at_once, checked=False)
    result, guards_untouched = result_by_rows(case, runner(native, case.op), params, at_once, checked=False)
    assert close(result, expected)
    assert guards_untouched


@pytest.mark.parametrize(
    "case", [p for p in cases(*IN_PLACE) if p.values[0].inputs[0].shape == p.values[0].expected.shape]
)
def test_in_place_equals_not_in_place(native: host.Library, case: Case) -> None:
    apart, in_place = bench(case), bench(case, in_place=True)
    runner(native, case.op)(apart.call)
    runner(native, case.op)(in_place.call)
    assert np.array_equal(apart.result(), in_place.result(), equal_nan=True)
    assert in_place.guards_untouched()


@pytest.mark.parametrize("case", cases())
def test_nan_and_infinity_are_no_trouble(native: host.Library, case: Case) -> None:
    rng = np.random.default_rng(1)
    strange = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, -3e38, 1e-45], np.float32)
    layouts = case.layouts(False)
    params = words(case.params_for(layouts), reference(case.op))
    inputs = [rng.choice(strange, x.shape) for x in case.inputs]
    b = Bench(inputs, case.expected.shape, params, layouts, checked=False)
    runner(native, case.op)(b.call)
    assert b.guards_untouched()


STRANGE = [0.0, -0.0, 1.0, -1.0, -8.0, 3e38, -3e38, math.inf, -math.inf, math.nan, 0.5, 2.0, 3.0, -3.0, -0.5, 1e-40]


def test_power_outside_the_reals_follows_ieee_754(native: host.Library) -> None:
    name = ctypes.util.find_library("m")
    if name is None:
        pytest.skip("the C library's powf cannot be found")
    powf = ctypes.CDLL(name).powf
    powf.argtypes, powf.restype = [ctypes.c_float, ctypes.c_float], ctypes.c_float
    for a in STRANGE:
        for b in STRANGE:
            ours, theirs = native.pow(a, b), powf(a, b)
            assert np.isclose(ours, theirs, rtol=1e-6, atol=0, equal_nan=True), (a, b, ours, theirs)
            if ours == 0:
                assert math.copysign(1, ours) == math.copysign(1, theirs), (a, b)


def test_the_exponential_is_good_to_2e_7(native: host.Library) -> None:
    rng = np.random.default_rng(0)
    given = np.concatenate([rng.uniform(-87, 88.7, 20000), [0.0], rng.normal(0, 1e-3, 100)]).astype(np.float32)
    for x in given:
        exact = math.exp(float(x))
        assert abs(native.exp(x) - exact) <= 2e-7 * exact
    assert native.exp(89.0) == math.inf and native.exp(-200.0) == 0.0 and native.exp(-math.inf) == 0.0
    assert math.isnan(native.exp(math.nan))
    assert math.isclose(native.exp(-100.0), math.exp(-100), abs_tol=2e-45)


def test_the_power_is_good_to_1e_6(native: host.Library) -> None:
    rng = np.random.default_rng(0)
    checked = 0
    bases = np.exp(rng.normal(0, 1, 20000) * rng.choice([1e-6, 1e-3, 1, 20], 20000)).astype(np.float32)
    exponents = (rng.normal(0, 1, 20000) * rng.choice([0.5, 1, 30, 1e5], 20000)).astype(np.float32)
    for a, b in zip(bases, exponents, strict=True):
        y = float(b) * math.log(float(a))
        if -87 < y < 88.7:
            exact = math.exp(y)
            # What math.log and math.exp lose on the way is far below.
            assert abs(native.pow(a, b) - exact) <= 1e-6 * exact, (a, b)
            checked += 1
    assert checked > 10000


FUNCTIONS = [f.__name__ for f in unary._FUNCTIONS]


@pytest.mark.parametrize("kind", range(len(FUNCTIONS)), ids=FUNCTIONS)
def test_each_function_is_good_to_1e_6(native: host.Library, kind: int) -> None:
    """Against the plain Python ones in double precision: of the largest of 1 and the result."""
    rng = np.random.default_rng(kind)
    given = np.concatenate([rng.uniform(-1, 1, 1500), rng.uniform(-9, 9, 1500), np.exp(rng.uniform(-80, 85, 300))])
    a, b = UNARY[kind][1:3]
    a, b = float(np.float32(a)), float(np.float32(b))
    checked = 0
    for x in (float(v) for v in given.astype(np.float32)):
        exact, ours = unary._FUNCTIONS[kind](x, a, b), native.function(kind, x, a, b)
        if not abs(exact) < 3.4e38 or kind == TANGENT and abs(exact) > 1e3:
            assert kind == TANGENT or ours == exact or math.isnan(exact) and math.isnan(ours) or abs(ours) > 3.4e38, x
        else:
            # What lies at the edge of what may be rounded to the neighbour.
            assert abs(ours - exact) <= 1e-6 * max(1.0, abs(exact)), (x, ours, exact)
            checked += 1
    assert checked > 700


def test_the_circular_functions_of_any_number(native: host.Library) -> None:
    rng = np.random.default_rng(1)
    given = np.concatenate([rng.uniform(-1e5, 1e5, 5000), np.exp(rng.uniform(0, 88, 5000)), 2.0 ** np.arange(-30, 128)])
    for x in (float(v) for v in given.astype(np.float32)):
        assert abs(native.function(SINE, x, 0.0, 0.0) - math.sin(x)) <= 3e-7, x
        assert abs(native.function(COSINE, x, 0.0, 0.0) - math.cos(x)) <= 3e-7, x
    for x in (float(v) for v in np.exp(rng.uniform(-80, 88, 5000)).astype(np.float32)):
        assert abs(native.function(ARC_TANGENT, x, 0.0, 0.0) - math.atan(x)) <= 3e-7, x


@pytest.mark.parametrize("kind", range(len(FUNCTIONS)), ids=FUNCTIONS)
def test_functions_outside_the_reals_equal_the_plain_ones(native: host.Library, kind: int) -> None:
    a, b = UNARY[kind][1:3]
    for x in (float(np.float32(v)) for v in STRANGE):
        ours, theirs = native.function(kind, x, a, b), np.float32(unary._FUNCTIONS[kind](x, a, b))
        assert np.isclose(ours, theirs, rtol=1e-6, atol=1e-6, equal_nan=True), (x, ours, theirs)


def header_params() -> dict[str, list[str]]:
    """The parameters of each kernel in params.h."""
    text = (Path(host.HERE) / "params.h").read_text()
    found = {}
    for name, body in re.findall(r"enum nn_(\w+) \{([^}]*)\}", text):
        entries = [entry.strip() for entry in body.split(",") if entry.strip()]
        prefix = name.upper() + "_"
        assert entries[-1] == prefix + "PARAMS" and all(entry.startswith(prefix) for entry in entries)
        found[name] = [entry[len(prefix) :] for entry in entries[:-1]]
    return found


@pytest.mark.parametrize("op", sorted(header_params()))
def test_the_header_names_parameters_as_the_reference_does(op: str) -> None:
    try:
        module = reference(op)
    except ImportError:
        pytest.skip(f"nnmicro/reference/{op}.py is not there yet")
    numbered = sorted((value, name[3:]) for name, value in vars(module).items() if name.startswith("_P_"))
    assert [name for _, name in numbered] == header_params()[op]


def test_every_kernel_has_parameters_in_the_header(native: host.Library) -> None:
    assert sorted(native.kernel(op) for op in header_params()) == list(range(len(header_params())))
    assert native.kernel("share") == native.kernel("convolutio") == native.kernel("") == -1
