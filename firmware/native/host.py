"""The kernels compiled for this computer, called by ctypes: for tests."""

from __future__ import annotations

import ctypes
import functools
import re
import subprocess
import tempfile
from array import array
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Werror")
SANITIZED = ("-O1", "-g", "-fsanitize=undefined", "-fno-sanitize-recover=all")
FAST = ("-O2", "-Wstack-usage=1664")  # most of it a patch and sums of convolutions

RECORD_WORDS = OPERAND_WORDS = 12


def sources() -> list[Path]:
    """All kernels' files, as `sources.mk` lists them."""
    return [HERE / name for name in re.findall(r"\w+\.c", (HERE / "sources.mk").read_text())]


def compile_into(target: Path, flags: Sequence[str], extra: Sequence[Path] = ()) -> Path:
    """Compile the kernels and `extra` into a program or library."""
    files = [str(path) for path in (*extra, *sources())]
    subprocess.run(["gcc", *WARNINGS, *flags, "-I", str(HERE), "-o", str(target), *files], check=True)
    return target


class _Buffer(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t), ("writable", ctypes.c_int)]


class _Inference(ctypes.Structure):
    _fields_ = [
        ("model", ctypes.c_void_p),
        ("model_bytes", ctypes.c_size_t),
        ("at", ctypes.c_void_p),
        ("kernels", ctypes.c_void_p),
        ("n_kernels", ctypes.c_int),
        ("arena", ctypes.c_void_p),
        ("arena_bytes", ctypes.c_size_t),
        ("table", ctypes.c_void_p),
        ("table_words", ctypes.c_int),
        ("slots", ctypes.c_void_p),
        ("n_slots", ctypes.c_int),
        ("left", ctypes.c_void_p),
        ("n_left", ctypes.c_int),
        ("marks", ctypes.c_void_p),
        ("n_marks", ctypes.c_int),
        ("state", ctypes.c_void_p),
        ("first_left", ctypes.c_void_p),
        ("n_first_left", ctypes.c_int),
        ("first_marks", ctypes.c_void_p),
        ("n_first_marks", ctypes.c_int),
    ]


class _Given(ctypes.Structure):
    _fields_ = (
        ("input", ctypes.c_int32),
        ("blob", ctypes.c_int32),
        ("rows", ctypes.c_void_p),
        ("bytes", ctypes.c_size_t),
        ("next", ctypes.c_int32),
    )


class Library:
    """A compiled `nn.h`."""

    def __init__(self, folder: Path, flags: Sequence[str] = SANITIZED):
        path = compile_into(folder / "libnn.so", [*flags, "-shared", "-fPIC"])
        self._library = ctypes.CDLL(str(path))
        self._library.nn_error_text.restype = ctypes.c_char_p
        self._library.nn_kernel.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        self._library.nn_run.restype = self._library.nn_run_steps.restype = ctypes.c_int32
        self._library.nn_exp.argtypes = [ctypes.c_float]
        self._library.nn_exp.restype = ctypes.c_float
        self._library.nn_pow.argtypes = [ctypes.c_float, ctypes.c_float]
        self._library.nn_pow.restype = ctypes.c_float
        self._library.nn_log.argtypes = self._library.nn_sqrt.argtypes = [ctypes.c_float]
        self._library.nn_log.restype = self._library.nn_sqrt.restype = ctypes.c_float
        self.log = self._library.nn_log
        self.sqrt = self._library.nn_sqrt
        self.fixed_logistic = self._library.nn_fixed_logistic
        self.fixed_tanh = self._library.nn_fixed_tanh
        self.function = self._library.nn_function
        self.function.argtypes = [ctypes.c_int, ctypes.c_float, ctypes.c_float, ctypes.c_float]
        self.function.restype = ctypes.c_float
        self.exp = self._library.nn_exp
        self.pow = self._library.nn_pow

    def kernel(self, name: str) -> int:
        return int(self._library.nn_kernel(name.encode(), len(name)))

    def error_text(self, error: int) -> str:
        return str(self._library.nn_error_text(error), "utf-8")

    def call(self, buffers: Sequence[tuple[int, int, bool] | None], record: Sequence[int]) -> int:
        """`nn_call`; a buffer is (address, bytes, writable)."""
        given = (_Buffer * max(len(buffers), 1))(*[_Buffer(*b) if b else _Buffer() for b in buffers])
        words = (ctypes.c_int32 * len(record))(*record)
        return int(self._library.nn_call(given, len(buffers), words, len(record)))

    def run(self, context: Sequence[object], first: int, stop: int, mark: int, budget: int) -> int:
        """`nn_run` over the buffers that `_nnmicro.run` takes."""
        return int(self._library.nn_run(_inference(context), first, stop, mark, budget, None, None))

    def steps(self, context: Sequence[object], first: int, count: int) -> int:
        """`nn_run_steps` over the buffers that `_nnmicro.steps` takes."""
        return self._steps(context, first, count, None)

    def feed(
        self,
        context: Sequence[object],
        first: int,
        count: int,
        number: int,
        blob: int,
        data: bytes,
        at: int,
        rows: array[int],
    ) -> int:
        """`nn_run_steps` with rows of an input, as `_nnmicro.feed` takes them."""
        from nnmicro.port import address

        given = _Given(number, blob, address(data) + at, memoryview(data).nbytes - at, rows[number])
        done = self._steps(context, first, count, ctypes.byref(given))
        rows[number] = given.next
        return done

    def _steps(self, context: Sequence[object], first: int, count: int, given: object) -> int:
        from nnmicro.port import address

        where = [address(buffer) for buffer in context]
        size = [memoryview(buffer).nbytes for buffer in context]  # type: ignore[arg-type]
        inference = _Inference(where[0], size[0], where[1], where[2], size[2] // 2, where[3], size[3])
        base = memoryview(context[4])[0]  # type: ignore[arg-type]
        known = ctypes.c_void_p(where[4] + 4)
        layers = size[4] - 4
        return int(self._library.nn_run_steps(ctypes.byref(inference), base, first, count, known, layers, given, None))

    def begin(self, context: Sequence[object], blob: int) -> int:
        """`nn_begin`."""
        return int(self._library.nn_begin(_inference(context), blob))

    def reset(self, context: Sequence[object], kept: int) -> int:
        """`nn_reset`."""
        return int(self._library.nn_reset(_inference(context), kept))

    def input(self, context: Sequence[object], blob: int, data: bytes) -> int:
        """`nn_set_input`."""
        return int(self._library.nn_set_input(_inference(context), blob, data, ctypes.c_size_t(len(data))))


def _inference(context: Sequence[object]) -> object:
    from nnmicro.port import address

    where = [address(buffer) for buffer in context]
    size = [memoryview(buffer).nbytes for buffer in context]  # type: ignore[arg-type]
    return ctypes.byref(
        _Inference(
            where[0], size[0], where[1], where[2], size[2] // 2, where[3], size[3], where[4], size[4] // 4,
            where[5], size[5] // 2, where[6], size[6] // 2, where[7], size[7], where[8],
            where[9], size[9] // 2, where[10], size[10],
        )
    )  # fmt: skip


_folders: list[tempfile.TemporaryDirectory[str]] = []  # they live as long as this process


@functools.cache
def sanitized(*variant: str) -> Library:
    """The kernels with checks for undefined behaviour, compiled once (a few seconds).

    `variant`: "DSP", as they are where two halfwords are worked on at once, with the kernels that only such cores have;
    "LANES", as they are where one multiplication is for two pixels.
    """
    _folders.append(tempfile.TemporaryDirectory(prefix="nnmicro-native-"))
    return Library(Path(_folders[-1].name), [*SANITIZED, *(f"-DNN_{name}=1" for name in variant)])
