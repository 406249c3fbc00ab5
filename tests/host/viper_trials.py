"""Runs calls of the engine's layers on a device with kernels in viper or assembler, and compares all memory after them.

A trial is a call on random memory (`Trial`); what the memory is after it, the plain Python layer says here.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module

import numpy as np

from host_tools.device.device import Device
from tests.host.test_native_int8_kernels import Trial, call_of, filled

# What runs in plain Python where the processor has no FPU, and leaves floats on the heap.
FLOATS = ("quantize", "dequantize")

# Reads trials from a file: a line of JSON, then the memory. Each is run twice, the second time with the heap locked.
PROGRAM = """
import gc, json, micropython
from nnmicro.call import Call
from nnmicro.port import F32, I32, crc32, typed

def check(path, backend):
    wrong = []
    with open(path, "rb") as file:
        number = 0
        while True:
            line = file.readline()
            if not line:
                return number, wrong
            t = json.loads(line)
            run = __import__("nnmicro." + backend + "." + t["op"], None, None, ("run",)).run
            before = file.read(t["bytes"])
            memory = bytearray(before)
            words = bytearray(4 * len(t["params"]))
            call = Call(len(t["operands"]))
            call.params, call.float_params = typed(words, I32, len(words)), typed(words, F32, len(words))
            for i, word in enumerate(t["params"]):
                for k in range(4):
                    words[4 * i + k] = word >> 8 * k & 255
            call.first_param, call.n_params = 3, len(t["params"]) - 3
            call.n_in, call.n_out = len(t["operands"]) - 1, 1
            call.y0, call.y1 = t["rows"]
            for i, operand in enumerate(t["operands"]):
                x = call.input(i)
                x.dtype, x.base, x.c, x.h, x.w, x.cs, x.rs, x.ps, x.rows, x.phase = operand
                x.data = typed(memory, x.dtype, len(memory))
            run(call)
            if crc32(memory) != t["after"]:
                wrong.append((number, "differs"))
            memory[:] = before
            if t["lock"]:
                micropython.heap_lock()
            try:
                run(call)
                lacking = False
            except MemoryError:
                lacking = True
            if t["lock"]:
                micropython.heap_unlock()
            if lacking:
                wrong.append((number, "needs the heap"))
            elif crc32(memory) != t["after"]:
                wrong.append((number, "differs the second time"))
            number += 1
            gc.collect()
"""


def by_rows(t: Trial, op: str, seed: int) -> tuple[int, int]:
    """The rows to compute: all, or where the layer can some only."""
    out = t.operands[-1]
    whole = op in ("copy", "permute", "mean_int8") or t.params.get("per_row") == 0 or t.params.get("axis") == 1
    if out.rows < out.h or (not whole and seed % 4 == 3):
        first = t.number(0, out.h - 1)
        return first, t.number(first + 1, min(out.h, first + out.rows))
    return 0, out.h


def written(op: str, make: Callable[[Trial], None], seeds: range, *, in_place: bool = False) -> Iterator[bytes]:
    """Trials of a layer, as the program on the device reads them."""
    module = import_module(f"nnmicro.reference.{op}")
    for seed in seeds:
        t = Trial(np.random.default_rng([seed, *op.encode()]))
        make(t)
        if in_place:
            if not t.operands[0].same_shape(t.operands[-1]):
                continue
            t.operands[-1] = t.operands[0]
        memory = filled(t)
        call, params = call_of(t, memory, module)
        call.y0, call.y1 = by_rows(t, op, seed)
        module.check(call)
        before = bytes(memory)
        module.run(call)
        head = {
            "op": op,
            "bytes": len(before),
            "after": zlib.crc32(memory),
            "params": np.frombuffer(params, np.uint32).tolist(),
            "operands": [[x.dtype, x.base, x.c, x.h, x.w, x.cs, x.rs, x.ps, x.rows, x.phase] for x in t.operands],
            "rows": [call.y0, call.y1],
            "lock": not (op in FLOATS or (op, t.params.get("kind")) == ("mean_int8", 1) or t.params.get("mode")),
        }
        yield json.dumps(head).encode() + b"\n" + before


def wrong_on(
    device: Device,
    op: str,
    make: Callable[[Trial], None],
    seeds: range,
    *,
    in_place: bool = False,
    backend: str = "viper",
) -> object:
    """(how many trials ran, those that went wrong and how)."""
    device.write_file(b"".join(written(op, make, seeds, in_place=in_place)), "/trials.bin")
    device.exec(PROGRAM)
    return device.eval(f"check('/trials.bin', {backend!r})", timeout=300)
