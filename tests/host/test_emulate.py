"""`nnmicro emulate`: a port for every program, and nothing left after Ctrl-C or a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.host.test_qemu_device import BOARD, ended, require, running


def started(log: Path) -> tuple[subprocess.Popen[str], str]:
    """The command, and the port that it prints; its messages go to `log`."""
    require(BOARD)
    with log.open("w") as messages:
        command = subprocess.Popen(
            [sys.executable, "-c", "from host_tools.cli.main import app; app()", "emulate", BOARD],
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert command.stdout is not None
    port = command.stdout.readline().strip()
    assert port, log.read_text()
    return command, port


def mpremote(port: str, *arguments: str) -> str:
    """What plain mpremote prints."""
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", port, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def emulators_of(command: subprocess.Popen[str]) -> list[int]:
    """The process groups of its children."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, parent, group = path.read_text().rpartition(") ")[2].split()[:3]
        except OSError:
            continue
        if parent == str(command.pid):
            found.append(int(group))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in Linux's /proc")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_mpremote_connects_to_the_port_and_nothing_is_left(end: signal.Signals, tmp_path: Path) -> None:
    command, port = started(tmp_path / "messages")
    try:
        assert mpremote(port, "eval", "6 * 7") == "42"
        # A second program after the first, and the same board still.
        assert mpremote(port, "exec", "import sys; print(sys.platform)") == "qemu"
        groups = emulators_of(command)
        assert groups and all(running(group) for group in groups)
        time.sleep(0.1)
    finally:
        command.send_signal(end)
        status = command.wait(timeout=20)
        assert command.stdout is not None
        command.stdout.close()
    assert status == (0 if end == signal.SIGINT else -signal.SIGKILL)
    assert all(ended(group) for group in groups)
