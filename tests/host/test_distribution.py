"""What `make dist` hands out: slices of the engine that are whole, and packages that mpremote installs."""

from __future__ import annotations

import fnmatch
import functools
import http.server
import json
import platform
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware import native_mpy, shipped
from firmware.order import ENGINE, Order
from host_tools.demo.digits import quantised
from host_tools.device.needed import ONLY_IN_FIRMWARE, modules, needed_modules
from host_tools.device.unix import UnixDevice
from host_tools.distribution import mip
from host_tools.distribution.slices import slices
from host_tools.distribution.wheel import PACKAGES, ROOT
from nnmicro import Net

NATIVE = {("armv6m", "int8"): b"M\x06\x11 stands for a native module"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything but the native modules, which would have to be compiled: one stands for them."""
    target = tmp_path_factory.mktemp("mip")
    mip.write(target, "1.2.3", NATIVE)
    return target


def test_the_slices_are_all_of_the_engine_and_an_int8_board_carries_no_float() -> None:
    by_name = {each.name: each for each in slices()}
    everything = set().union(*(each.modules for each in by_name.values()))
    assert everything | {ONLY_IN_FIRMWARE} == {name for name, (_, is_package) in modules().items() if not is_package}
    int8 = by_name["nnmicro-int8"].modules | by_name["nnmicro-core"].modules
    assert not int8 & {"reference.softmax", "reference.lstm", "vector.softmax", "viper.softmax_int8", "window"}
    for name in by_name:
        assert all(other in by_name for other in by_name[name].needs)


def test_core_and_int8_have_what_push_finds_that_an_int8_model_needs() -> None:
    by_name = {each.name: each for each in slices()}
    needed = needed_modules(Net(quantised().data), "reference")
    has = set().union(*(by_name[f"nnmicro-{name}"].modules for name in ("core", "int8", "window", "selftest")))
    assert set(needed) <= has


def test_every_file_that_a_package_names_is_there_and_has_its_hash(packages: Path) -> None:
    files = mip.check(packages)
    assert files == sum(path.is_file() for path in (packages / "file").rglob("*"))
    forms = {path.name for path in (packages / "package").iterdir()}
    assert forms == {"6", "py"}
    complete = dict(json.loads((packages / "nnmicro-native-int8-armv6m/package.json").read_text())["urls"])
    assert {"nnmicro/net.mpy", "_nnmicro.mpy"} <= set(complete)
    assert not (packages / "nnmicro-native-float-armv6m").exists()


@pytest.mark.parametrize("what", ["damaged", "missing"])
def test_a_file_that_is_not_as_named_is_found(packages: Path, tmp_path: Path, what: str) -> None:
    copy = tmp_path / "mip"
    shutil.copytree(packages, copy)
    file = next(path for path in (copy / "file").rglob("*") if path.is_file())
    if what == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes() + b"!")
    with pytest.raises(ValueError, match=file.name):
        mip.check(copy)


@pytest.fixture
def server(packages: Path) -> Iterator[str]:
    """The packages on a web server of this computer's own; its address."""
    handler = functools.partial(_Quiet, directory=str(packages))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


_PLAIN = tuple(f"nnmicro-{name}" for name in ("core", "float", "int8", "streaming", "window", "selftest"))
PROGRAM = """
import nnmicro
net = nnmicro.Net("/digits_int8.nnm", nnmicro.Option(backend="reference"))
with net.extractor() as ex:
    ex.input("image", list({image}))
    print(net.labels[ex.extract("scores").argmax()])
try:
    import nnmicro.vector.softmax
except ImportError:
    print("no float")
"""


@pytest.mark.parametrize("by", ["index", "address"])
def test_mpremote_installs_a_slice_that_runs_a_network(
    server: str, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pty", reason="the unix device needs an operating system with ptys")
    from mpremote.mip import _install_package

    from host_tools.demo.digits import held_out

    seen = held_out()
    device = UnixDevice()
    transport = device._link._transport
    try:
        device.write_file(quantised().data, "/digits_int8.nnm")
        for name in ("nnmicro-int8", "nnmicro-window"):
            # What `mpremote mip install NAME`, or ADDRESS, calls.
            wanted = name if by == "index" else f"{server}/{name}/package.json"
            _install_package(transport, wanted, server, "/lib", "1.2.3" if by == "index" else None, True)
        assert "/lib/nnmicro/reference/convolution_int8.mpy" in capsys.readouterr().out
        answer = device.exec(PROGRAM.format(image=seen.images[0].ravel().tolist())).decode()
        assert answer.split() == [str(seen.labels[0]), "no", "float"]
        if by == "index":
            # Every module loads; those through ulab cannot here.
            others = ["nnmicro", *(["nnmicro-viper-x64"] if platform.machine() == "x86_64" else [])]
            for name in others:
                _install_package(transport, name, server, "/lib", None, True)
            loaded = [
                module for each in slices() if each.name in ("nnmicro-viper-x64", *_PLAIN) for module in each.modules
            ]
            if len(others) == 1:
                loaded = [module for module in loaded if not module.startswith("viper")]
            program = f"for name in {sorted(set(loaded))}:\n    __import__('nnmicro.' + name)\nprint('all')\n"
            assert device.exec(program).decode().strip() == "all"
            # What is there is left alone.
            capsys.readouterr()
            _install_package(transport, "nnmicro-int8", server, "/lib", None, True)
            said = capsys.readouterr().out
            assert "Exists: /lib/nnmicro/net.mpy" in said and "Installing: " not in said
    finally:
        device.close()


def test_firmware_that_came_with_nnmicro_is_used_unless_something_else_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from firmware.build import PORTS

    port, order = PORTS["rpi_pico"], Order("rpi_pico", ENGINE)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    monkeypatch.delenv("MICROPYTHON", raising=False)
    given = (port.own_modules, port.module_file, port.product)
    assert shipped.find(order, *given) is None
    image = tmp_path / shipped.name(order, *given)
    image.write_bytes(b"firmware")
    assert image.suffix == ".uf2" and port.firmware(order) == image
    assert shipped.find(Order("rpi_pico", ENGINE, arena=1024), *given) is None
    monkeypatch.setattr("firmware.engine.identity", lambda: "another engine")
    assert shipped.find(order, *given) is None
    monkeypatch.undo()
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    monkeypatch.setenv("MICROPYTHON", "/somewhere/else")
    assert shipped.find(order, *given) is None


def test_native_modules_are_named_as_the_installed_package_has_them() -> None:
    assert native_mpy.file_name("armv6m", "int8").startswith("armv6m-int8-")


def test_every_file_of_the_packages_gets_into_the_wheel() -> None:
    """By the patterns of pyproject.toml: a wheel without a page's style is noticed only by users."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a checkout")
    text = (ROOT / "pyproject.toml").read_text()
    patterns = re.findall(r'"([^"]+)"', text.split("[tool.setuptools.package-data]")[1].split("]\n")[0])
    for name in listed.stdout.splitlines():
        if name.split("/")[0] in PACKAGES and not name.endswith(".py"):
            assert any(fnmatch.fnmatch(Path(name).name, pattern) for pattern in patterns), name
