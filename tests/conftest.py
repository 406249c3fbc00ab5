"""Devices for the tests: opened when first asked for, kept for the session, engine pushed once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import hypothesis
import pytest

from host_tools.device import Device, open_device, push_engine
from tests.ulab import device as ulab

# A run of CI repeats exactly; every other run looks at new examples.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


class SessionDevices:
    """The devices of one test session by their spec; the plugin `session_devices`."""

    def __init__(self) -> None:
        self._open: dict[str, Device] = {}
        self._there: dict[str, set[Path]] = {}

    def get(self, spec: str) -> Device:
        """The device, opened and with the engine if this is the first call."""
        if spec not in self._open:
            device = ulab.open_device() if spec == ulab.SPEC else open_device(spec)
            self._open[spec] = device
            push_engine(device)
        return self._open[spec]

    def bring(self, spec: str, files: Iterable[Path]) -> bool:
        """Write files into the root of an open device, each once a session; whether anything was written."""
        there = self._there.setdefault(spec, set())
        missing = [path for path in files if path not in there]
        for path in missing:
            self._open[spec].write_file(path, f"/{path.name}")
        there.update(missing)
        return bool(missing)

    def pytest_unconfigure(self) -> None:
        """End all of them, after the last test or Ctrl-C."""
        while self._open:
            self._open.popitem()[1].close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device",
        default=os.environ.get("DEVICE") or None,
        help="where the tests in tests/device run besides this Python (default: $DEVICE, or unix and, of those that "
        "are quick there, an emulated Cortex-M4F and Pico)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SessionDevices(), "session_devices")


@pytest.fixture(scope="session")
def device(pytestconfig: pytest.Config) -> Iterator[Device]:
    """An open unix device with the engine on it. Tests share it, and the names they leave in its globals."""
    pytest.importorskip("pty", reason="the unix device needs an operating system with ptys")
    yield pytestconfig.pluginmanager.get_plugin("session_devices").get("unix")
