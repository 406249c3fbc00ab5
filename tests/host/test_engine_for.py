"""What of the engine a model brings onto a device with plain MicroPython, and what the device says about it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import nnmicro
from firmware import engine as frozen_engine
from firmware import native_mpy
from firmware.errors import FirmwareError
from firmware.order import ENGINE
from host_tools.demo import digits
from host_tools.device import Device, DeviceError
from host_tools.device.choice import choose
from host_tools.device.engine import FOLDER, NATIVE, SHADOW_FOLDER, EngineReport, push_engine
from host_tools.device.engine_for import push_engine_for
from host_tools.device.engine_there import EngineThere, Kernels, ask_engine
from host_tools.device.errors import RemoteError
from host_tools.device.needed import modules
from host_tools.device.unix import UnixDevice
from host_tools.model_file import ModelFile
from host_tools.remote.inference import RemoteInference
from tests.host import int8_models, stock_boards
from tests.models import model_file

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("make") is None, reason="compiling needs gcc and make"
)


def read(name: str) -> ModelFile:
    return ModelFile.read(model_file(name))


@pytest.fixture(scope="module")
def shared_stock() -> Iterator[Device]:
    with stock_boards.unix() as device:
        yield device


@pytest.fixture
def stock(shared_stock: Device) -> Iterator[Device]:
    """A device with plain MicroPython and no files."""
    assert isinstance(shared_stock, UnixDevice)
    yield shared_stock
    for path in shared_stock.folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (shared_stock.folder / "lib").mkdir()
    shared_stock.soft_reset()


def runs_as_here(device: Device, name: str, backend: str) -> None:
    """The device's outputs are those of plain Python here."""
    model = read(name)
    net = nnmicro.Net(model.data)
    device.write_file(model.data, f"/{name}")
    remote = RemoteInference(device, f"/{name}", model)
    assert remote.backend == backend
    random = np.random.default_rng(5)
    with net.extractor() as here:
        for each in net.inputs:
            shape = model.net.shape(each)
            elements = (random.integers(-128, 128, shape) if name.startswith("int8") else random.random(shape)).astype(
                np.int8 if name.startswith("int8") else np.float32
            )
            remote.elements(each, elements)
            here.input_view(each).view()[:] = memoryview(model.elements(each, elements)).cast("B")
        remote.infer(*net.outputs)
        for each in net.outputs:
            found = remote.output(each)
            wanted = model.array(each, bytes(here.extract(each).view()))
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted.astype(float)).max())


def test_families_have_the_kernels_that_the_headers_list() -> None:
    everything = native_mpy.kernels("all")
    assert {"convolution", "slice", "lstm_int8"} <= everything
    assert native_mpy.kernels("float") & native_mpy.kernels("int8") >= {"slice", "permute"}
    assert native_mpy.kernels("float") | native_mpy.kernels("int8") == everything
    assert native_mpy.family_for(["convolution_int8", "softmax_int8", "share"]) == "int8"
    assert native_mpy.family_for(["convolution", "concat"]) == "float"
    assert native_mpy.family_for(["convolution", "quantize"]) == "all"
    assert native_mpy.family_for(["teleport"]) in native_mpy.FAMILIES


def test_a_stock_device_gets_what_the_model_needs_and_the_family_of_its_kernels(stock: Device) -> None:
    model = read("digits.nnm")
    report = push_engine_for(stock, model)
    assert (report.native, report.backend, report.kernel_abi) == ("float", "_nnmicro", native_mpy.abi())
    assert report.version == nnmicro.__version__ and report.model_format == 1
    assert report.origin == "/lib/nnmicro/__init__.mpy" and report.sent == report.files < 40 and not report.warnings
    assert "reference" not in [entry.name for entry in stock.listdir(FOLDER)]
    assert stock.stat(NATIVE).size == len(native_mpy.module("x64", "float").content)
    runs_as_here(stock, "digits.nnm", "_nnmicro")
    again = push_engine_for(stock, model)
    assert (again.sent, again.removed, again.native, again.kernel_abi) == (0, 0, "float", report.kernel_abi)


def test_modules_of_the_same_engine_stay_and_others_go(stock: Device) -> None:
    model = read("digits.nnm")
    push_engine_for(stock, model, backend="reference")
    stock.write_file(b"stale", f"{FOLDER}/gone.mpy")
    report = push_engine_for(stock, model, backend="_nnmicro")
    assert report.removed == 1 and "gone.mpy" not in [entry.name for entry in stock.listdir(FOLDER)]
    assert stock.exists(f"{FOLDER}/reference/convolution.mpy")
    stock.write_file(b"older", f"{FOLDER}/reference/convolution.mpy")
    assert push_engine_for(stock, model, backend="_nnmicro").removed == 1


def test_a_second_kind_of_model_gets_a_family_for_both(stock: Device) -> None:
    assert push_engine_for(stock, read("digits.nnm")).native == "float"
    int8 = digits.quantised()
    assert native_mpy.family_for(int8.kinds) == "int8"
    assert choose(stock, int8, None).native.family == "all"  # type: ignore[union-attr]


def test_without_a_compiler_a_sentence_says_what_would_help(stock: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    push_engine_for(stock, read("digits.nnm"))

    def none(arch: str, family: str) -> None:
        raise FirmwareError(f"Compiling the kernels for {arch} needs gcc-arm-none-eabi.")

    monkeypatch.setattr(native_mpy, "module", none)
    report = push_engine_for(stock, read("digits.nnm"))
    assert (report.backend, report.native, report.kernel_abi) == ("reference", None, None)
    assert "needs gcc-arm-none-eabi" in report.warnings[0] and "are removed" in report.warnings[1]
    assert not stock.exists(NATIVE)
    runs_as_here(stock, "digits.nnm", "viper" if stock.exists(f"{FOLDER}/viper") else "reference")
    with pytest.raises(DeviceError, match="_nnmicro cannot be had .*gcc-arm-none-eabi"):
        push_engine_for(stock, read("digits.nnm"), backend="_nnmicro")


def test_kernels_of_another_processor_are_taken_back(stock: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    good = native_mpy.module("x64", "float").content
    wrong = native_mpy.NativeModule("float", native_mpy.abi(), good[:2] + bytes([4 << 2 | 3]) + good[3:])
    monkeypatch.setattr(native_mpy, "module", lambda arch, family: wrong)
    assert "loads native code of 6.3" in choose(stock, read("digits.nnm"), None).notes[0]
    # Where nothing here saw it, the device itself says no.
    monkeypatch.setattr(native_mpy.NativeModule, "mpy_version", (6, 3, 2))
    report = push_engine_for(stock, read("digits.nnm"))
    assert report.native is None and "does not load the kernels in C" in report.warnings[0]
    assert not stock.exists(NATIVE)


def test_where_the_heap_is_too_small_for_the_kernels_it_is_said() -> None:
    with stock_boards.unix("96K") as device:
        report = push_engine_for(device, read("digits.nnm"))
        assert report.native is None and "bytes of heap" in report.warnings[0]
        assert not device.exists(NATIVE)


def test_a_firmware_with_kernels_gets_no_others(device: Device) -> None:
    _, kernels = ask_engine(device, ["convolution", "teleport"])
    assert kernels is not None and kernels.built_in and kernels.missing == ("teleport",)
    choice = choose(device, read("digits.nnm"), kernels)
    assert choice.native is None and not [name for name in choice.modules if name.startswith("reference")]
    integer = Kernels(native_mpy.abi(), True, "", tuple(native_mpy.kernels("float") - native_mpy.kernels("int8")))
    choice = choose(device, read("digits.nnm"), integer)
    assert "no kernels in C for activation, " in choice.notes[0] and "FAMILY=all" in choice.notes[0]
    assert choice.backend == "_nnmicro" and "reference.convolution" in choice.modules
    older = Kernels(1, True, "", ())
    choice = choose(device, read("digits.nnm"), older)
    assert "kernel ABI 1 and this engine needs" in choice.notes[0] and choice.backend == "reference"


def test_an_engine_with_another_format_is_refused_before_anything_is_sent(
    stock: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = EngineThere("0.0.1", "frozen", 7)
    monkeypatch.setattr("host_tools.device.engine_for.ask_engine", lambda *args, **options: (frozen, None))
    with pytest.raises(DeviceError, match=r"nnmicro 0\.0\.1\) reads model format 7, this file has format 1"):
        push_engine_for(stock, read("digits.nnm"))
    assert [entry.name for entry in stock.listdir("/lib")] == []


def test_another_frozen_engine_is_said_and_used(stock: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = EngineThere("0.0.1", "frozen", 1)
    for module in ("engine", "engine_for"):
        monkeypatch.setattr(f"host_tools.device.{module}.ask_engine", lambda *args, **options: (frozen, None))
    report = push_engine_for(stock, read("digits.nnm"))
    assert (report.format, report.sent, report.files) == ("frozen", 0, 0)
    assert f"frozen in (nnmicro 0.0.1) than this nnmicro ({nnmicro.__version__})" in report.warnings[-1]


def test_a_frozen_engine_without_layers_in_python_finds_those_that_are_pushed() -> None:
    model = read("digits.nnm")
    with stock_boards.pico(ENGINE) as device:
        report = push_engine_for(device, model)
        assert (report.format, report.sent, report.warnings) == ("frozen", 0, []) and not device.exists(FOLDER)
        device.write_file(model.data, "/digits.nnm")
        with pytest.raises(RemoteError, match="nnmicro push MODEL brings what a model needs"):
            device.exec("import nnmicro\nnnmicro.Net('/digits.nnm', nnmicro.Option(backend='reference'))")
        report = push_engine_for(device, model, backend="reference")
        found = [entry.name for entry in device.listdir(FOLDER)]
        assert (report.format, report.origin) == ("frozen", "frozen") and 5 < report.sent == report.files < 20
        assert sorted(found) == ["manifest.json", "reference"]
        device.exec("import nnmicro\nnet = nnmicro.Net('/digits.nnm', nnmicro.Option(backend='reference'))")
        assert device.eval("net.backend") == "reference"
        device.write_file(b"older", f"{FOLDER}/reference/convolution.mpy")
        report = push_engine_for(device, model)
        assert (report.sent, report.removed) == (0, 1)
        runs_as_here(device, "digits.nnm", "_nnmicro")


def test_layers_in_python_are_those_of_the_frozen_engine_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with stock_boards.pico(ENGINE) as device:
        monkeypatch.setattr(frozen_engine, "identity", lambda: "0" * 16)
        report = push_engine_for(device, read("digits.nnm"))
        assert report.sent == 0 and "another engine frozen in" in report.warnings[-1]
        with pytest.raises(DeviceError, match="lacks .*reference/convolution.py.* of its own only"):
            push_engine_for(device, read("digits.nnm"), backend="reference")
        assert not device.exists(FOLDER)


def test_shadow_comes_first_and_goes_again(stock: Device) -> None:
    push_engine(stock, modules=["net"])
    report = push_engine_for(stock, read("digits.nnm"), shadow=True)
    assert report.origin == "/nnmicro/__init__.mpy" and report.path == SHADOW_FOLDER and not report.warnings
    stock.remove(f"{SHADOW_FOLDER}/manifest.json")  # as a push that broke off leaves it
    report = push_engine_for(stock, read("digits.nnm"))
    assert report.origin == "/lib/nnmicro/__init__.mpy" and not stock.exists(SHADOW_FOLDER)


def test_an_engine_that_somebody_else_put_first_is_said(stock: Device) -> None:
    stock.makedirs("/nnmicro")
    stock.write_file(b"__version__ = '0'\n", "/nnmicro/__init__.py")
    report = push_engine(stock, modules=["net"])
    assert "imports the engine from /nnmicro/__init__.py, not from /lib/nnmicro" in report.warnings[0]
    assert stock.exists("/nnmicro/__init__.py")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"None",
        b"(1, 2)",
        b"(('1', 2, True, 1, None), None)",
        b"(('1', '/lib', True, '1', None), None)",
        b"(('1', '/lib', True, 1, 5), None)",
        b"(None, (2, None, 3, []))",
        b"(None, ('2', None, '', []))",
        b"(" * 5000,
        b"__import__('os')",
        b"\xff\xfe",
    ],
)
def test_answers_that_make_no_sense_are_refused(answer: bytes) -> None:
    class Liar:
        def exec(self, code: str, timeout: float) -> bytes:
            return answer

    with pytest.raises(DeviceError, match="about its engine makes no sense"):
        ask_engine(Liar())  # type: ignore[arg-type]


def test_the_native_module_is_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = native_mpy.module("x64", "int8")
    assert native_mpy.kept("x64", "int8") == built and built.mpy_version[2] == 2
    monkeypatch.setattr(native_mpy, "SHIPPED", tmp_path)
    (tmp_path / native_mpy.file_name("x64", "int8")).write_bytes(b"M\x06\x0b\x1fshipped")
    found = native_mpy.kept("x64", "int8")
    assert found is not None and found.content.endswith(b"shipped")
    with pytest.raises(FirmwareError, match="no native module for xtensawin"):
        native_mpy.module("xtensawin", "int8")


def spots_keywords(device: Device, model: ModelFile) -> EngineReport:
    """Push, run with the kernels in C that came along, and compare with LiteRT; what the push says."""
    report = push_engine_for(device, model)
    device.write_file(model.data, "/kws.nnm")
    remote = RemoteInference(device, "/kws.nnm", model)
    (given,) = int8_models.inputs("kws", 1)
    remote.elements(model.net.inputs[0], given)
    remote.infer(*model.net.outputs)
    found = remote.output(model.net.outputs[0])
    assert (report.native, remote.backend, report.warnings) == ("int8", "_nnmicro", [])
    (expected,) = int8_models.expected("kws", 1)
    np.testing.assert_array_equal(found.ravel(), expected[str(model.net.outputs[0])].ravel())
    return report


@pytest.mark.slow
@pytest.mark.parametrize("board", ["qemu_cortex_m3", "qemu_rv32"])
def test_keyword_spotting_on_a_stock_board(board: str) -> None:
    with stock_boards.qemu(board) as device:
        spots_keywords(device, int8_models.converted("kws"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="gcc-arm-none-eabi is not installed")
def test_keyword_spotting_on_a_stock_pico(capsys: pytest.CaptureFixture[str]) -> None:
    model = int8_models.converted("kws")
    with stock_boards.pico() as pico:
        report = spots_keywords(pico, model)
    with stock_boards.pico() as pico:
        # But what is for float32 through ulab: that is more than the emulated Pico's 640 KB of files hold.
        names = [name for name, (_, is_package) in modules().items() if not is_package]
        everything = push_engine(pico, modules=[name for name in names if not name.startswith("vector.")])
    with capsys.disabled():
        for what, each in (("everything", everything), ("what kws needs", report)):
            print(f"\n{what}: {each.files} files, {each.bytes} bytes, {each.wire_bytes} sent, {each.seconds:.1f} s")
    assert report.files <= everything.files / 3
    # Without the kernels in C, which "everything" does not bring.
    assert report.bytes - len(native_mpy.module("armv6m", "int8").content) < 0.4 * everything.bytes
