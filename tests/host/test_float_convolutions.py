"""Convolutions in float32 as large as networks have them, by the inner loops in C and in assembler: onnxruntime's
numbers, and the same bytes however the rows are split."""

from __future__ import annotations

import shutil
import struct
from functools import cache

import numpy as np
import pytest

from firmware.native import host
from host_tools.device.qemu import QemuDevice
from nnmicro.reference import convolution as reference
from tests.boards import lacking
from tests.host.kernel_call import Bench, words
from tests.host.layer_cases import Case, activated, all_cases, onnx_result, result_by_rows
from tests.host.test_native_float_kernels import close, record_of, runner

BOARD = "qemu_cortex_m4f"

# Every record from a file and its result into another one: words of the record, the parameters, the array.
ON_BOARD = """
import _nnmicro, struct
from array import array
def run_all(source, target):
    number = _nnmicro.kernel("convolution")
    with open(source, "rb") as f, open(target, "wb") as to:
        head = f.read(12)
        while head:
            sizes = struct.unpack("<3i", head)
            record = array("i", f.read(sizes[0]))
            record[0] = number
            params = f.read(sizes[1])
            data = bytearray(f.read(sizes[2]))
            _nnmicro.call(record, (data, params))
            to.write(data)
            head = f.read(12)
"""


def of(
    seed: int, name: str, shape: tuple[int, int, int], outputs: int, kernel: tuple[int, int], stride: int, pads: int,
    group: int = 1,
) -> Case:  # fmt: skip
    """Padded all around or, with 2 pads, below and to the right by one."""
    rng = np.random.default_rng(seed)
    before, after = ((0, 0), (1, 1), (0, 1))[pads]
    x = rng.standard_normal(shape).astype(np.float32)
    weight = rng.standard_normal((outputs, shape[0] // group, *kernel)).astype(np.float32)
    bias = rng.standard_normal(outputs).astype(np.float32)
    kind = seed % 4
    params = {"kernel_h": kernel[0], "kernel_w": kernel[1], "stride_h": stride, "stride_w": stride}
    params |= {"dilation_h": 1, "dilation_w": 1}
    params |= {"pad_top": before, "pad_left": before, "group": group, "pad_value": 0.0}
    params |= {"activation": kind, "activation_a": (0.0, 0.0, 0.25, -0.5)[kind], "activation_b": 1.5 * (kind == 3)}
    y = onnx_result("Conv", [x[None], weight, bias], strides=[stride] * 2, pads=[before] * 2 + [after] * 2, group=group)
    constants = [part.reshape(1, 1, -1) for part in (weight, bias)]
    return Case(f"{name}-{seed}", "convolution", [x, *constants], activated(y[0], kind, *list(params.values())[-2:]),
        params, 2)  # fmt: skip


@cache
def large() -> list[Case]:
    """More filters and weights than are worked on at a time; rests of fours of pixels, filters and weights."""
    cases = []
    for seed, width in enumerate((3, 4, 5, 6, 13)):
        cases += [
            of(seed, "3x3", (9, 5, width), 37, (3, 3), 1, 1),
            of(seed + 1, "3x3 by twos", (8, 6, width + 1), 6, (3, 3), 2, 2),
            of(seed + 2, "1x1", (61, 3, width), 34, (1, 1), 1, 0),
            of(seed, "1x1 by twos", (7, 4, width), 5, (1, 1), 2, 0),
            of(seed + 3, "5x4", (3, 7, width + 2), 4, (5, 4), 1, 1),
            of(seed, "depthwise", (3, 6, width), 3, (3, 3), 1, 1, 3),
            of(seed + 1, "depthwise by twos", (3, 6, width + 1), 3, (3, 3), 2, 2, 3),
            of(seed + 2, "depthwise 2x3", (2, 6, width), 2, (2, 3), 1, 1, 2),
            of(seed + 3, "two outputs a group", (2, 5, width), 4, (3, 3), 1, 1, 2),
        ]
    return cases


def laid_out(case: Case) -> Bench:
    params = words(case.params, reference)
    return Bench(case.inputs, case.expected.shape, params, case.layouts(False), checked=False)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")
def test_equals_onnxruntime() -> None:
    run = runner(host.sanitized(), "convolution")
    for case in large():
        bench = laid_out(case)
        run(bench.call)
        assert close(bench.result(), case.expected), case.name


@pytest.mark.skipif(shutil.which("gcc") is None, reason="compiling the kernels needs gcc")
@pytest.mark.parametrize("at_once", (1, 2, 3))
def test_rows_in_rings_give_the_bytes_of_all_at_once(at_once: int) -> None:
    run = runner(host.sanitized(), "convolution")
    for case in large():
        bench = laid_out(case)
        run(bench.call)
        by_rows, guards_untouched = result_by_rows(case, run, words(case.params, reference), at_once, checked=False)
        assert guards_untouched and by_rows.tobytes() == bench.result().tobytes(), case.name


class Unknown:
    """Stands in for the library, whose numbers of kernels are not the board's."""

    def kernel(self, name: str) -> int:
        return -1


def packed(bench: Bench) -> bytes:
    record = record_of(Unknown(), "convolution", bench.call)  # type: ignore[arg-type]
    params = bytes(bench.call.params)
    head = struct.pack("<3i", 4 * len(record), len(params), bench.array.nbytes)
    return head + struct.pack(f"<{len(record)}i", *record) + params + bench.array.tobytes()


@pytest.mark.slow
def test_a_core_with_an_fpu_equals_onnxruntime() -> None:
    reason = lacking(f"emu:{BOARD}", may_build=True)
    if reason:
        pytest.skip(reason)
    cases = [case for case in all_cases() if case.op == "convolution"] + large()
    benches = [(case, laid_out(case)) for case in cases]
    with QemuDevice(f"emu:{BOARD}", BOARD) as device:
        device.exec(ON_BOARD)
        device.write_file(b"".join(packed(bench) for _, bench in benches), "/calls")
        device.exec("run_all('/calls', '/results')", timeout=120)
        results = device.read_file("/results")
    at = 0
    for case, bench in benches:
        bench.array[:] = np.frombuffer(results, np.float32, len(bench.array), at)
        at += bench.array.nbytes
        assert close(bench.result(), case.expected), case.name
        assert bench.guards_untouched(), case.name
    assert at == len(results)
