"""Runs every test of this folder here in CPython, and on devices over the real link: on the one that is asked for, else
on unix and, where that is quick, on two emulated boards.

The tests are plain functions with `assert`, in modules that MicroPython can import. On the device each gets a
fresh heap: module pushed, soft reset, import, call. What a module can say about its tests, at its top level:

    FILES = ("digits.nnm",)      model files it opens, found by tests.models.model_file, in its current folder
    HOST_ONLY = ("test_a",)      tests that make sense in CPython only
    DEVICE_ONLY = ("test_b",)    tests that make sense on a device only
    LONG = ("test_c",)           tests that take long on a board: on an emulated one only where that is asked for
    ARRAYS = ("test_d",)         tests that need numpy or ulab: here, and on the device that is asked for, else on one
                                 with ulab

A test that finds something missing raises SkipTest (on the host unittest's, on the device any class of that
name). Modules here whose names do not begin with test_ can be imported by the tests on both sides.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from host_tools.device import DeviceError, RemoteError
from nnmicro import format as model_format
from tests.ulab import device as ulab

_SILENCE_S = 300.0
_NO_SECOND_CORE = "the second core"  # what firmware/emulator says of a program that starts it


_UNASKED = ("unix", "emu:qemu_cortex_m4f", "emu:rpi_pico")
# What runs on the slowest of them without being asked for.
_ON_THE_PICO = ("test_state_rules", "test_static_arena")


class DeviceTest(pytest.Item):
    """One test function of a module, run on the device `spec`."""

    def __init__(self, *, function: Any, spec: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.function = function
        self.spec = spec

    def runtest(self) -> None:
        if self.config.getoption("--device") is None:
            reason = _lacking(self.spec)
            if reason:
                pytest.skip(reason)
        devices = self.config.pluginmanager.get_plugin("session_devices")
        device = devices.get(self.spec)
        # First of all: it brings a device back that the test before has stopped.
        device.soft_reset()
        wanted = [*_shared_modules(self.path.parent), self.path, *_model_files(self.function_module)]
        if devices.bring(self.spec, wanted):
            device.soft_reset()
        module = self.path.stem
        code = f"import {module}\n{module}.{self.function.__name__}()\n"
        try:
            output = device.exec(code, timeout=_SILENCE_S)
        except RemoteError as error:
            self._report_output(error.output)
            if error.kind == "SkipTest":
                pytest.skip(str(error).split(":", 1)[-1].strip())
            raise
        except DeviceError as error:
            if _NO_SECOND_CORE in str(error):
                pytest.skip(f"{self.spec} has no second core")
            raise
        self._report_output(output)

    @property
    def function_module(self) -> ModuleType:
        module = inspect.getmodule(self.function)
        assert module is not None
        return module

    def _report_output(self, output: bytes) -> None:
        if output:
            self.add_report_section("call", "device output", output.decode("utf-8", "replace"))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        error = excinfo.value
        if not isinstance(error, DeviceError):
            return super().repr_failure(excinfo)
        return f"{_with_source(error.traceback, self.path.parent)}\n{error}".strip()

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, inspect.getsourcelines(self.function)[1] - 1, self.name


def pytest_pycollect_makeitem(collector: pytest.Module, name: str, obj: object) -> list[pytest.Item] | None:
    if not name.startswith("test_") or not inspect.isfunction(obj) or not isinstance(collector, pytest.Module):
        return None
    host_only, device_only = _names(collector, "HOST_ONLY"), _names(collector, "DEVICE_ONLY")
    long = _names(collector, "LONG")
    asked = collector.config.getoption("--device")
    items: list[pytest.Item] = []
    if name not in device_only:
        items.append(pytest.Function.from_parent(collector, name=f"{name}[host]", callobj=obj))
    for spec in (asked,) if asked else (ulab.SPEC,) if name in _names(collector, "ARRAYS") else _UNASKED:
        if name in host_only or not asked and not _is_quick(spec, name in long, collector.path.stem):
            continue
        items.append(DeviceTest.from_parent(collector, name=f"{name}[{spec}]", function=obj, spec=spec))
    return items


def _is_quick(spec: str, is_long: bool, module: str) -> bool:
    return not spec.startswith("emu:") or not is_long and (spec != "emu:rpi_pico" or module in _ON_THE_PICO)


@functools.cache
def _lacking(spec: str) -> str:
    if spec == ulab.SPEC:
        return ulab.lacking()
    return str(importlib.import_module("tests.boards").lacking(spec))


def _names(collector: pytest.Module, table: str) -> tuple[str, ...]:
    names = tuple(getattr(collector.obj, table, ()))
    unknown = [name for name in names if not hasattr(collector.obj, name)]
    if unknown:
        raise collector.CollectError(f"{table} of {collector.path.name} names no test: {', '.join(unknown)}")
    return names


@pytest.fixture(autouse=True)
def _folder_of_a_device(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the host, a current folder that holds what the device's would."""
    for path in _model_files(request.module):
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)


def _model_files(module: ModuleType) -> list[Path]:
    names: Iterable[str] = getattr(module, "FILES", ())
    if not names:
        return []
    models = importlib.import_module("tests.models")
    return [Path(models.model_file(name)).absolute() for name in names]


def _shared_modules(folder: Path) -> list[Path]:
    here = [path for path in sorted(folder.glob("*.py")) if not path.name.startswith(("test_", "conftest", "__"))]
    return [*here, Path(model_format.__file__)]


def _with_source(traceback: str, folder: Path) -> str:
    """A device's traceback with the test files' lines in it: MicroPython's own has only their numbers."""
    lines = []
    for line in traceback.splitlines():
        lines.append(line)
        match = re.match(r'\s*File "/?([\w.]+\.py)", line (\d+)', line)
        if match and (folder / match[1]).is_file():
            source = (folder / match[1]).read_text(encoding="utf-8").splitlines()
            if int(match[2]) <= len(source):
                lines.append("    " + source[int(match[2]) - 1].strip())
    return "\n".join(lines)
