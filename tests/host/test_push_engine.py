"""The engine on a device: sent once, repaired, and never shadowed by what was there before."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from host_tools.device import Device, DeviceError, open_device, push_engine


def names(device: Device, folder: str = "/") -> list[str]:
    return [entry.name for entry in device.listdir(folder)]


@pytest.fixture
def small_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in place of the engine: two modules and a folder."""
    root = tmp_path / "engine"
    (root / "part").mkdir(parents=True)
    (root / "__init__.py").write_text("VALUE = 1\n")
    (root / "other.py").write_text("VALUE = 2\n")
    (root / "part" / "__init__.py").write_text("")
    (root / "part" / "inner.py").write_text("VALUE = 3\n")
    (root / "stub.pyi").write_text("VALUE: int\n")
    monkeypatch.setattr("host_tools.device.engine_files.resources", SimpleNamespace(files=lambda package: root))
    return root


def test_the_engine_is_pushed_once_and_then_only_what_changed(small_engine: Path) -> None:
    with open_device("unix") as device:
        first = push_engine(device)
        assert (first.files, first.sent, first.format, first.warnings) == (4, 4, "mpy", [])
        assert device.eval("__import__('nnmicro.part.inner').part.inner.VALUE") == 3
        second = push_engine(device)
        assert second.sent == 0 and second.wire_bytes < 2000
        (small_engine / "other.py").write_text("VALUE = 20\n")
        assert push_engine(device).sent == 1
        assert device.eval("__import__('nnmicro.other').other.VALUE") == 20


def test_a_stale_source_does_not_shadow_the_new_bytecode(small_engine: Path) -> None:
    with open_device("unix") as device:
        device.makedirs("/lib/nnmicro")
        device.write_file(b"VALUE = 'stale'\n", "/lib/nnmicro/other.py")
        report = push_engine(device)
        assert report.removed == 1
        assert device.eval("__import__('nnmicro.other').other.VALUE") == 2


def test_damaged_engine_files_are_sent_again(small_engine: Path) -> None:
    with open_device("unix") as device:
        push_engine(device)
        size = device.stat("/lib/nnmicro/other.mpy").size
        device.write_file(bytes(size), "/lib/nnmicro/other.mpy")
        assert push_engine(device).sent == 1


def test_an_unknown_bytecode_version_gets_plain_sources(small_engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_device("unix") as device:
        newer = device.info().__class__(**{**vars(device.info()), "mpy_version": 99})
        monkeypatch.setattr(device, "_info", newer)
        report = push_engine(device)
        assert report.format == "py"
        assert ".mpy version 99" in report.warnings[0]
        assert "other.py" in names(device, "/lib/nnmicro")


def test_chosen_modules_bring_their_packages(small_engine: Path) -> None:
    with open_device("unix") as device:
        push_engine(device, modules=["part.inner"])
        assert names(device, "/lib/nnmicro") == ["__init__.mpy", "manifest.json", "part"]
        assert names(device, "/lib/nnmicro/part") == ["__init__.mpy", "inner.mpy"]
        with pytest.raises(DeviceError, match="no module nothing"):
            push_engine(device, modules=["nothing"])
